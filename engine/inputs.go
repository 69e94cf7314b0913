package engine

import (
	"math"

	"github.com/ringmaster-dev/ringmaster/engine/risk"
)

// inputs are what scores rest on, as their drift is watched: a word or a number,
// "" or NaN where it is not known, of a patch or of a host.
var inputs = []struct {
	name   string
	patch  bool
	word   func(*risk.Known) string
	number func(*risk.Known) float64
}{
	{name: "vendor", patch: true, word: func(k *risk.Known) string { return k.Vendor }},
	{name: "package", patch: true, word: func(k *risk.Known) string { return k.Package }},
	{name: "kind", patch: true, word: func(k *risk.Known) string { return k.Kind }},
	{name: "role", word: func(k *risk.Known) string { return k.Role }},
	{name: "tier", word: func(k *risk.Known) string { return k.Tier }},
	{name: "os", word: func(k *risk.Known) string { return k.OS }},
	{name: "drift", word: func(k *risk.Known) string { return yesNo(k.Drift) }},
	{name: "reboot pending", word: func(k *risk.Known) string { return yesNo(k.RebootPending) }},
	{name: "uptime", number: func(k *risk.Known) float64 { return amount(k.UptimeS) }},
	{name: "free memory", number: func(k *risk.Known) float64 { return amount(k.MemFreeMB) }},
	{name: "free disk", number: func(k *risk.Known) float64 { return amount(k.DiskFreeMB) }},
	{name: "size", patch: true, number: func(k *risk.Known) float64 { return amount(k.SizeBytes) }},
}

func yesNo(b *bool) string {
	switch {
	case b == nil:
		return ""
	case *b:
		return "yes"
	}
	return "no"
}

func amount(n *int64) float64 {
	if n == nil {
		return math.NaN()
	}
	return float64(*n)
}

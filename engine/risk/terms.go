package risk

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// The effects below are log-odds. Those with a figure follow public notices of
// security updates that had to be fixed again (Debian 2013–2020, 4,632 updates;
// Ubuntu 2018–2022, 1,575); the others are judgement, meant to be replaced by
// what an estate sees for itself.

// usual is what such patches are like: kind, version jump, reboot, size, how
// much at once.
func usual(p Patch) []plan.Reason {
	var list []plan.Reason
	terms := []plan.Reason{kindTerm(p), jumpTerm(p), rebootTerm(p), sizeTerm(p), componentTerm(p)}
	if len(p.Prior) == 0 {
		terms = append(terms, cveTerm(p))
	}
	for _, r := range append(terms, p.Prior...) {
		if r.Effect != 0 {
			list = append(list, r)
		}
	}
	return list
}

// kindTerm takes the riskiest kind of the advisories: security fixes are made to
// change little, features to change something.
func kindTerm(p Patch) plan.Reason {
	has := func(k advisory.Kind) bool {
		return slices.ContainsFunc(p.Advisories, func(a *advisory.Advisory) bool { return a.Kind == k })
	}
	switch {
	case has(advisory.Feature):
		return plan.Reason{Term: "kind", Value: "feature", Effect: 0.5}
	case has(advisory.Bugfix):
		return plan.Reason{Term: "kind", Value: "bugfix", Effect: 0.1}
	}
	return plan.Reason{}
}

// jumpTerm is how far the version moves. In public notices new upstream releases
// regressed no more often than backports (3.7 % both), so a jump counts little
// in a distribution's own package and more elsewhere.
func jumpTerm(p Patch) plan.Reason {
	typ, _, _, _ := p.ID.Parts()
	if typ == "windows" {
		return plan.Reason{} // updates have names, not versions
	}
	change := p.From + " to " + p.To
	own := typ == "deb" || typ == "rpm" || typ == "apk"
	effect := map[bool][2]float64{true: {0.3, 0.1}, false: {0.9, 0.3}}[own]
	switch kind := version.Jump(version.Type(typ), p.From, p.To); kind {
	case "major", "epoch":
		return plan.Reason{Term: "version jump", Value: kind + ": " + change, Effect: effect[0]}
	case "minor":
		return plan.Reason{Term: "version jump", Value: "minor: " + change, Effect: effect[1]}
	case "unknown":
		return plan.Reason{Term: "version jump", Value: "missing: nothing that can be compared; taken as minor", Effect: effect[1]}
	}
	return plan.Reason{}
}

// rebooting are packages whose update counts only after a restart of the host,
// where an advisory does not say.
var rebooting = []string{"linux", "linux-image", "linux-signed", "linux-lts", "linux-virt", "kernel", "kernel-core", "kernel-rt", "kernel-default", "kernel-uek", "glibc", "libc6", "musl", "systemd", "dbus"}

// rebootTerm is whether the host is restarted.
func rebootTerm(p Patch) plan.Reason {
	stated, yes := false, false
	for _, a := range p.Advisories {
		if a.Reboot != nil {
			stated, yes = true, yes || *a.Reboot
		}
	}
	typ, _, _, _ := p.ID.Parts()
	switch {
	case yes:
		return plan.Reason{Term: "reboot", Value: "required", Effect: 0.4}
	case stated:
		return plan.Reason{}
	case slices.Contains(rebooting, p.Package) || strings.HasPrefix(p.Package, "linux-image-"):
		return plan.Reason{Term: "reboot", Value: "not stated; " + p.Package + " counts only after one", Effect: 0.4}
	case typ == "windows":
		return plan.Reason{Term: "reboot", Value: "missing: not stated; taken as required", Effect: 0.4}
	case typ != "deb" && typ != "rpm" && typ != "apk":
		return plan.Reason{Term: "reboot", Value: "missing: not stated; taken as possible", Effect: 0.2}
	}
	return plan.Reason{}
}

// sizeTerm only raises: public feeds hardly ever state a size.
func sizeTerm(p Patch) plan.Reason {
	var size int64
	for _, a := range p.Advisories {
		size = max(size, a.SizeBytes)
	}
	switch {
	case size >= 100_000_000:
		return plan.Reason{Term: "size", Value: "100 MB or more", Effect: 0.3}
	case size >= 10_000_000:
		return plan.Reason{Term: "size", Value: "10 MB or more", Effect: 0.1}
	}
	return plan.Reason{}
}

// cveTerm is how much is fixed at once. Updates with up to two CVEs had to be
// fixed again in 3.1 % (Debian and Ubuntu), with three to five in 4.0 and 6.0 %,
// with more in 5.2 and 7.2 %.
func cveTerm(p Patch) plan.Reason {
	ids := map[string]bool{}
	for _, a := range p.Advisories {
		for _, c := range a.CVEs {
			ids[c.ID] = true
		}
	}
	switch n := len(ids); {
	case n >= 6:
		return plan.Reason{Term: "cves at once", Value: fmt.Sprint(n), Effect: 0.6}
	case n >= 3:
		return plan.Reason{Term: "cves at once", Value: fmt.Sprint(n), Effect: 0.4}
	}
	return plan.Reason{}
}

func componentTerm(p Patch) plan.Reason {
	names := map[string]bool{}
	for _, a := range p.Advisories {
		for _, c := range a.Components {
			names[c] = true
		}
	}
	if len(names) > 3 {
		return plan.Reason{Term: "components", Value: fmt.Sprint(len(names)), Effect: 0.2}
	}
	return plan.Reason{}
}

// special is what is so of the patch at a time: how long it has been out, and
// what others report.
func special(p Patch, at time.Time) []plan.Reason {
	var list []plan.Reason
	for _, r := range []plan.Reason{ageTerm(p, at), reportTerm(p)} {
		if r.Effect != 0 {
			list = append(list, r)
		}
	}
	return list
}

// ageTerm is how long the newest of the updates has been out. Half of Debian's
// regression notices come within 8 days, three quarters within 27.
func ageTerm(p Patch, at time.Time) plan.Reason {
	var newest time.Time
	for _, a := range p.Advisories {
		if a.Published.After(newest) {
			newest = a.Published
		}
	}
	switch age := at.Sub(newest); {
	case newest.IsZero():
		return plan.Reason{Term: "age", Value: "missing: no publication date; taken as new", Effect: 0.3}
	case age < 8*24*time.Hour:
		return plan.Reason{Term: "age", Value: "published less than 8 days ago", Effect: 0.3}
	case age < 27*24*time.Hour:
		return plan.Reason{Term: "age", Value: "published less than 27 days ago", Effect: 0.15}
	}
	return plan.Reason{}
}

// reportTerm is trouble that other users report.
func reportTerm(p Patch) plan.Reason {
	n := 0
	for _, a := range p.Advisories {
		n += max(a.Reports, 0)
	}
	switch {
	case n >= 10:
		return plan.Reason{Term: "reports", Value: fmt.Sprintf("%d of trouble", n), Effect: 1.4}
	case n >= 3:
		return plan.Reason{Term: "reports", Value: fmt.Sprintf("%d of trouble", n), Effect: 0.8}
	case n >= 1:
		return plan.Reason{Term: "reports", Value: fmt.Sprintf("%d of trouble", n), Effect: 0.3}
	}
	return plan.Reason{}
}

package estate

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

var workloadKinds = []string{"http", "command"}

// workloadOnly are attributes that would do nothing with the other kind.
var workloadOnly = map[string]string{"url": "http", "paths": "http", "connections": "http", "command": "command", "env": "command"}

// Where a workload block does not say.
const (
	workloadDuration    = time.Minute
	workloadTimeout     = 10 * time.Second
	workloadConnections = 10
	workloadLeast       = 100 // requests, of which fewer say nothing: see health.JudgeLoad
)

// workload reads a workload block. Several may have the same kind: the last one that
// matches a host counts.
func (r *reader) workload(b *hclfile.Block) {
	d := hclfile.Decode(b, 1, &r.hcl)
	d.Need("rate")
	w := ring.Workload{
		Kind:        b.Name(),
		URL:         r.url(d, "url"),
		Paths:       r.paths(d),
		Command:     d.Strings("command"),
		Env:         r.env(d),
		Rate:        d.Number("rate", 0, telemetry.MostRate),
		Duration:    atMost(d, "duration", time.Second, telemetry.MostDuration, workloadDuration),
		Timeout:     atMost(d, "timeout", time.Second, telemetry.MostTimeout, workloadTimeout),
		Connections: cmp.Or(d.Int("connections", 1), workloadConnections),
		Shape:       r.ref(d, "shape", "service"),
		Select:      r.selectors(d),
	}
	if n := w.Rate * w.Duration.Seconds(); d.Has("rate") && n < workloadLeast {
		d.Fault("rate", `attribute "rate" is %v a second, which comes to %.0f requests in %q at most; fewer than %d say nothing`, w.Rate, n, hclfile.FormatDuration(w.Duration), workloadLeast)
	}
	if w.Connections > telemetry.MostConnections {
		d.Fault("connections", `attribute "connections" is %d; it must be at most %d`, w.Connections, telemetry.MostConnections)
	}
	switch w.Kind {
	case "http":
		d.Need("url")
		ofHost(d, w.URL)
	case "command":
		r.command(d, w.Command)
		places(d, "command", w.Command...)
	}
	for attr, kind := range workloadOnly {
		if d.Has(attr) && slices.Contains(workloadKinds, w.Kind) && w.Kind != kind {
			d.Fault(attr, "attribute %q is for workload %q only", attr, kind)
		}
	}
	d.Done()
	r.loaded = append(r.loaded, b.Place)
	if r.kind(b, workloadKinds...) {
		r.estate.Workloads = append(r.estate.Workloads, w)
	}
}

// atMost reads a duration between two bounds; usual is where it does not say.
func atMost(d *hclfile.Decoder, attr string, least, most, usual time.Duration) time.Duration {
	span := d.Duration(attr, least)
	switch {
	case !d.Has(attr):
		return usual
	case span > most:
		d.Fault(attr, "attribute %q is %q; it must be at most %q", attr, hclfile.FormatDuration(span), hclfile.FormatDuration(most))
		return usual
	}
	return span
}

// ofItself is what an address of a host begins with: its own in its facts, and nothing
// more than a port, or its id, perhaps in a domain.
var ofItself = regexp.MustCompile(`^(\{\{address\}\}|\[\{\{address\}\}\])(:[0-9]+)?([/?#]|$)|^\{\{host\}\}[A-Za-z0-9.-]*(:[0-9]+)?([/?#]|$)`)

// ofHost finds fault with an address that is not the host's own: whatever else it
// names would be loaded too, sandbox or not.
func ofHost(d *hclfile.Decoder, text string) {
	if !d.Has("url") {
		return
	}
	places(d, "url", text)
	_, rest, _ := strings.Cut(text, "://")
	switch {
	case !ofItself.MatchString(rest):
		d.Fault("url", `attribute "url": %q is not the address of a host in a sandbox; expected one such as "http://{{address}}:8080"`, text)
	case strings.ContainsAny(rest, "/?#"):
		d.Fault("url", `attribute "url" ends with the port; what is asked for there stands in "paths"`)
	}
}

// paths reads what is asked for; "/" where it does not say.
func (r *reader) paths(d *hclfile.Decoder) []string {
	var list []string
	for _, it := range d.Items("paths") {
		_, err := url.ParseRequestURI(it.Text)
		if err != nil || !strings.HasPrefix(it.Text, "/") || strings.ContainsFunc(it.Text, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("#{}", r) }) {
			d.At(it.Place, `%s: attribute "paths": %q is not a path; expected one such as "/search?q=hammer"`, d.Title(), it.Text)
			continue
		}
		list = append(list, it.Text)
	}
	if len(list) == 0 {
		list = []string{"/"}
	}
	return list
}

// checkWorkloads finds workloads that nothing would ever be put under.
func (r *reader) checkWorkloads() {
	if r.broken || slices.ContainsFunc(r.estate.Rings, func(g ring.Ring) bool { return g.Sandbox }) {
		return
	}
	for _, p := range r.loaded {
		r.at(p, "no ring is a sandbox, and nothing else is put under load; give one sandbox = true")
	}
}

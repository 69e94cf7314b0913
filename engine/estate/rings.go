package estate

import (
	"fmt"
	"io/fs"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

// ring reads a ring block.
func (r *reader) ring(b *hclfile.Block) {
	d := hclfile.Decode(b, 1, &r.hcl)
	d.Need("order")
	g := ring.Ring{
		Name:        b.Name(),
		Order:       d.Int("order", 0),
		Share:       1,
		Count:       d.Int("count", 1),
		After:       d.Duration("after", 0),
		Soak:        d.Duration("soak", 0),
		MaxFailures: d.Int("max_failures", 0),
		Sandbox:     d.Bool("sandbox"),
		Select:      r.selectors(d),
	}
	if share := d.Share("share"); d.Has("share") {
		g.Share = share
	}
	d.Done()
	if !r.declare(b) {
		return
	}
	for _, o := range r.estate.Rings {
		if d.Has("order") && o.Order == g.Order {
			d.Fault("order", "order %d is that of ring %q already; rings come one after another", g.Order, o.Name)
		}
	}
	r.estate.Rings = append(r.estate.Rings, g)
}

// selectors reads what narrows a block to some hosts.
func (r *reader) selectors(d *hclfile.Decoder) ring.Select {
	s := ring.Select{
		Services: r.services(d, "services"),
		Labels:   d.Map("labels"),
		Hosts:    r.patterns(d, "hosts"),
	}
	s.Tiers = r.tiers(d, "tiers")
	s.ExceptTiers = r.tiers(d, "except_tiers")
	return s
}

// tiers reads a list of names of tiers.
func (r *reader) tiers(d *hclfile.Decoder, attr string) []string {
	var names []string
	for _, it := range d.Items(attr) {
		r.refs = append(r.refs, reference{it.Place, d.Title(), "tier", it.Text})
		names = append(names, it.Text)
	}
	return names
}

// tokens are variables that a plugin never inherits.
var tokens = []string{"GITHUB_TOKEN", "GH_TOKEN", "GITHUB_PAT", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN",
	"ACTIONS_RUNTIME_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"}

// fleet reads a fleet block. Several may have the same kind: the last one that
// matches a host counts.
func (r *reader) fleet(b *hclfile.Block) {
	d := hclfile.Decode(b, 1, &r.hcl)
	f := ring.Fleet{
		Kind:     b.Name(),
		Command:  d.Strings("command"),
		Env:      r.env(d),
		Parallel: d.Int("parallel", 1),
		Timeout:  d.Duration("timeout", time.Second),
		Seed:     int64(d.Int("seed", 0)),
		File:     r.file(d, "file"),
		Select:   r.selectors(d),
	}
	if f.Parallel == 0 {
		f.Parallel = 1
	}
	if f.Kind == "exec" {
		r.command(d, f.Command)
	}
	for _, only := range []string{"seed", "file"} {
		if f.Kind != "sim" && d.Has(only) {
			d.Fault(only, "attribute %q is for fleet \"sim\" only", only)
		}
	}
	if f.Kind == "ssh" {
		f.SSH = r.ssh(b, d)
	}
	if f.Kind == "ssh" || f.Kind == "ansible" {
		f.Policy = r.fleetPolicy(d, f.Kind == "ansible")
	}
	d.Done()
	if r.kind(b, "sim", "exec", "ansible", "ssh") {
		r.estate.Fleets = append(r.estate.Fleets, f)
	}
}

// command checks a command that must be there.
func (r *reader) command(d *hclfile.Decoder, words []string) {
	d.Need("command")
	if d.Has("command") && len(words) == 0 {
		d.Fault("command", `attribute "command" is empty; name the program and its arguments`)
	}
}

// env reads the names of variables that a plugin inherits.
func (r *reader) env(d *hclfile.Decoder) []string {
	var names []string
	for _, it := range d.Items("env") {
		if why := noVariable(it.Text); why != "" {
			d.At(it.Place, "%s: attribute \"env\": %s", d.Title(), why)
		} else {
			names = append(names, it.Text)
		}
	}
	return names
}

// noVariable says why a variable may not be named, "" where it may.
func noVariable(name string) string {
	switch {
	case !made(name, letters+"_", alnum+"_", 128):
		return fmt.Sprintf("%q is not the name of a variable", name)
	case slices.Contains(tokens, strings.ToUpper(name)):
		return fmt.Sprintf("%q is a forge's token, which no plugin inherits", name)
	}
	return ""
}

// file reads a path inside the estate, to a file that is there.
func (r *reader) file(d *hclfile.Decoder, attr string) string {
	name := d.String(attr)
	if !d.Has(attr) {
		return ""
	}
	if !fs.ValidPath(name) || name == "." {
		d.Fault(attr, "attribute %q: %q is not a path inside the estate; expected one from its root, without \"..\"", attr, name)
		return ""
	}
	if _, err := fs.Stat(r.fsys, name); err != nil {
		d.Fault(attr, "attribute %q: %q: %v", attr, name, cause(err))
	}
	return name
}

// signals are the four that a fleet and a site can measure.
var signals = []string{"up", "error_ratio", "latency_seconds", "load_ratio"}

// health reads a health block. Several may have the same kind: the last one
// that matches a host counts.
func (r *reader) health(b *hclfile.Block) {
	d := hclfile.Decode(b, 1, &r.hcl)
	h := ring.Health{
		Kind:     b.Name(),
		URL:      r.url(d, "url"),
		Command:  d.Strings("command"),
		Step:     d.Duration("step", time.Second),
		Timeout:  d.Duration("timeout", time.Second),
		Token:    r.token(d),
		Env:      r.env(d),
		Patience: d.Duration("patience", 0),
		Select:   r.selectors(d),
	}
	h.MinRequests = d.Int("min_requests", 1)
	for _, s := range append(slices.Clone(signals), telemetry.Traffic) {
		expr := d.String(s)
		if !d.Has(s) {
			continue
		}
		if strings.TrimSpace(expr) == "" {
			d.Fault(s, "attribute %q is empty", s)
		}
		if h.Signals == nil {
			h.Signals = map[string]string{}
		}
		h.Signals[s] = expr
		places(d, s, expr)
		if h.Kind == "prometheus" {
			hostless(d, s, expr, h.Select)
		}
	}
	switch h.Kind {
	case "prometheus":
		d.Need("url")
		if strings.Contains(h.URL, "{{") {
			d.Fault("url", `attribute "url" is the server's address, the same for every host; {{host}} and {{address}} stand in the queries`)
		}
		if h.Signals[telemetry.Traffic] != "" && !d.Has("min_requests") {
			d.Fault(telemetry.Traffic, `attribute "traffic" is measured for "min_requests", which is not there: how many requests a host must have served before it is called healthy`)
		}
		if d.Has("min_requests") && !d.Has(telemetry.Traffic) {
			d.Fault("min_requests", `attribute "min_requests" needs "traffic", the query for a host's requests a second`)
		}
		if len(h.Signals) == 0 || len(h.Signals) == 1 && h.Signals[telemetry.Traffic] != "" {
			d.At(b.Place, `%s: no signal; at least one of "up", "error_ratio", "latency_seconds", "load_ratio" is expected`, d.Title())
		}
	case "http":
		d.Need("url")
		places(d, "url", h.URL)
	case "command":
		r.command(d, h.Command)
		places(d, "command", h.Command...)
	}
	for attr, kinds := range healthOnly {
		if d.Has(attr) && slices.Contains(healthKinds, h.Kind) && !slices.Contains(kinds, h.Kind) {
			d.Fault(attr, "attribute %q is for health %s only", attr, quotedOr(kinds))
		}
	}
	d.Done()
	if r.kind(b, healthKinds...) {
		r.estate.Healths = append(r.estate.Healths, h)
	}
}

// hostless finds a query that comes to the same series for every host of its block.
func hostless(d *hclfile.Decoder, attr, expr string, s ring.Select) {
	one := len(s.Hosts) == 1 && !ring.IsGlob(s.Hosts[0])
	if one || telemetry.Placed(expr) || telemetry.Misplaced(expr) != "" || strings.TrimSpace(expr) == "" {
		return // nothing is wrong, or it is told already
	}
	d.Fault(attr, `attribute %q: the query names no host, so that every host would be judged by the same series; expected "{{host}}" or "{{address}}" in it, or hosts = ["…"] with the one host that it is about`, attr)
}

// places finds what reads like a place for the host and would stay as it is.
func places(d *hclfile.Decoder, attr string, texts ...string) {
	for _, text := range texts {
		if place := telemetry.Misplaced(text); place != "" {
			d.Fault(attr, `attribute %q: %q stands for nothing; expected "{{host}}" or "{{address}}"`, attr, place)
		}
	}
}

var healthKinds = []string{"sim", "exec", "prometheus", "http", "command"}

// healthOnly are attributes that would do nothing with other kinds.
var healthOnly = map[string][]string{
	"url": {"prometheus", "http"}, "step": {"prometheus"}, "token_env": {"prometheus"},
	"up": {"prometheus"}, "error_ratio": {"prometheus"}, "latency_seconds": {"prometheus"}, "load_ratio": {"prometheus"},
	"traffic": {"prometheus"}, "min_requests": {"prometheus"},
	"timeout": {"http", "command"}, "command": {"command"}, "env": {"command"},
}

func quotedOr(words []string) string { return `"` + strings.Join(words, `" or "`) + `"` }

// token reads the name of the variable that holds a bearer token.
func (r *reader) token(d *hclfile.Decoder) string {
	name := d.String("token_env")
	switch {
	case !d.Has("token_env"):
		return ""
	case !made(name, letters+"_", alnum+"_", 128):
		d.Fault("token_env", "attribute %q: %q is not the name of a variable; the token itself does not belong in the estate", "token_env", name)
	case slices.Contains(tokens, strings.ToUpper(name)):
		d.Fault("token_env", "attribute %q: %q is a forge's token, which goes nowhere else", "token_env", name)
	}
	return name
}

// filled makes an address of one with places; unknown ones are places' business.
var filled = strings.NewReplacer("[{{address}}]", "[::1]", "{{", "", "}}", "")

// url reads an address; {{host}} and {{address}} may stand in it.
func (r *reader) url(d *hclfile.Decoder, attr string) string {
	text := d.String(attr)
	if !d.Has(attr) {
		return ""
	}
	u, err := url.Parse(filled.Replace(text))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		d.Fault(attr, `attribute %q: %q is not an address; expected one such as "https://prometheus.example:9090"`, attr, text)
	} else if u.User != nil {
		d.Fault(attr, "attribute %q: a password does not belong in the estate; pass it in the environment", attr)
	}
	return text
}

// window reads a window block. Recurrence and zone are checked once every file
// has been read: the zone may be the estate's.
func (r *reader) window(b *hclfile.Block) {
	d := hclfile.Decode(b, 1, &r.hcl)
	d.Need("recur", "duration")
	w := ring.Window{
		Name:     b.Name(),
		Recur:    d.String("recur"),
		Start:    d.String("start"),
		Duration: d.Duration("duration", time.Minute),
		Timezone: d.String("timezone"),
	}
	if d.Has("timezone") {
		r.zone(d, "timezone", w.Timezone)
	}
	if d.Has("recur") {
		r.windows = append(r.windows, checked{d, w})
	}
	d.Done()
	if r.declare(b) {
		r.estate.Windows = append(r.estate.Windows, w)
	}
}

// freeze reads a freeze block: one from a time to a time, or one that comes again
// and again as a window does. Without services it holds for all of them.
func (r *reader) freeze(b *hclfile.Block) {
	d := hclfile.Decode(b, 1, &r.hcl)
	f := ring.Freeze{Name: b.Name(), From: d.Time("from"), To: d.Time("to"), Services: r.services(d, "services"), Reason: d.String("reason")}
	w := ring.Window{Name: b.Name(), Recur: d.String("recur"), Start: d.String("start"), Duration: d.Duration("duration", time.Minute), Timezone: d.String("timezone")}
	if r.recurs(d) {
		d.Need("recur", "duration")
		if d.Has("timezone") {
			r.zone(d, "timezone", w.Timezone)
		}
		if d.Has("recur") {
			r.windows = append(r.windows, checked{d, w})
		}
		f.From, f.To, f.Every = time.Time{}, time.Time{}, &w
	} else {
		d.Need("from", "to")
	}
	if !d.Has("services") {
		f.Services = []string{"*"}
	}
	if d.Has("from") && d.Has("to") && !f.From.Before(f.To) {
		d.Fault("to", `attribute "to" is %s; it must be after "from", %s`, stamp(f.To), stamp(f.From))
	}
	d.Done()
	if r.declare(b) {
		r.estate.Freezes = append(r.estate.Freezes, f)
	}
}

// recurs says whether a freeze says how it comes again, and finds fault with one
// that says when it is too.
func (r *reader) recurs(d *hclfile.Decoder) bool {
	is := ""
	for _, attr := range []string{"recur", "start", "duration", "timezone"} {
		if d.There(attr) {
			is = attr
			break
		}
	}
	for _, attr := range []string{"from", "to"} {
		if is != "" && d.There(attr) {
			d.Fault(attr, `attribute %q does not go with %q: a freeze is from a time to a time, or comes again by "recur" and "duration"`, attr, is)
		}
	}
	return is != ""
}

func stamp(t time.Time) string { return fmt.Sprintf("%q", t.UTC().Format(time.RFC3339)) }

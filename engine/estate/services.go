package estate

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

// service reads a service block.
func (r *reader) service(b *hclfile.Block) {
	d := hclfile.Decode(b, 1, &r.hcl)
	d.Need("tier", "hosts")
	s := inventory.Service{
		Name:        b.Name(),
		Tier:        r.ref(d, "tier", "tier"),
		Owner:       d.String("owner"),
		Hosts:       r.patterns(d, "hosts"),
		Labels:      d.Map("labels"),
		DependsOn:   r.dependsOn(d, b.Name()),
		Exposure:    d.Word("exposure", "internet", "internal", "isolated"),
		HumanImpact: d.Word("human_impact", "low", "medium", "high", "very high"),
		Compliance:  d.Strings("compliance"),
		Window:      r.ref(d, "window", "window"),
		Users:       d.Int("users", 0),
		Install:     30 * time.Minute,
	}
	for _, it := range d.Items("compliance") {
		r.tags = append(r.tags, tag{it.Place, s.Name, it.Text})
	}
	if d.Has("owner") {
		r.people(d, "owner", []string{s.Owner})
	}
	if s.MinAvailable = d.StringSuch("min_available", `"60%" or "2"`); d.Has("min_available") && !validMinimum(s.MinAvailable) {
		d.Fault("min_available", `attribute "min_available" is %q; expected a share such as "60%%" or a number of hosts such as "2"`, s.MinAvailable)
	}
	if span := d.Duration("install", time.Second); d.Has("install") {
		s.Install = span
	}
	s.Rollback = s.Install
	if span := d.Duration("rollback", time.Second); d.Has("rollback") {
		s.Rollback = span
	}
	d.Done()
	if r.declare(b) {
		r.estate.Services = append(r.estate.Services, s)
		r.minimum[s.Name] = d.Place("min_available")
	}
}

// validMinimum accepts "60%" and "2".
func validMinimum(s string) bool {
	if strings.HasSuffix(s, "%") {
		_, err := hclfile.ParseShare(s)
		return err == nil
	}
	return made(s, digits, digits, 6)
}

// dependsOn reads the services that this one needs.
func (r *reader) dependsOn(d *hclfile.Decoder, self string) []string {
	var names []string
	for _, it := range d.Items("depends_on") {
		switch {
		case slices.Contains(names, it.Text):
			d.At(it.Place, "%s: depends on %q twice", d.Title(), it.Text)
			continue
		case ring.IsGlob(it.Text):
			d.At(it.Place, "%s: depends on %q; a dependency is the name of one service, not a pattern", d.Title(), it.Text)
			continue
		}
		r.refs = append(r.refs, reference{it.Place, d.Title(), "service", it.Text})
		names = append(names, it.Text)
	}
	return names
}

// host reads a host block.
func (r *reader) host(b *hclfile.Block) {
	d := hclfile.Decode(b, 1, &r.hcl)
	h := declaredHost{labels: d.Map("labels"), window: r.ref(d, "window", "window")}
	d.Done()
	id := inventory.HostID(b.Name())
	switch {
	case len(b.Labels) == 0:
	case !id.Valid():
		r.at(b.NamePlace(), "host %q: %s", id, hostGrammar)
	case r.unique(b):
		r.hosts[id] = h
	}
}

// hostGrammar says what a host's name may be.
const hostGrammar = `a host's name has labels of up to 63 letters, digits, "-" and "_", joined by "."`

// feed reads a feed block. A kind may be declared more than once.
func (r *reader) feed(b *hclfile.Block) {
	d := hclfile.Decode(b, 1, &r.hcl)
	d.Need("from")
	f := inventory.Feed{Kind: b.Name(), From: d.Strings("from")}
	if d.Has("from") && len(f.From) == 0 {
		d.Fault("from", `attribute "from" is empty; name at least one path or URL`)
	}
	for _, it := range d.Items("from") {
		if text := sourceProblem(it.Text); text != "" {
			d.At(it.Place, "%s: attribute \"from\": %s", d.Title(), text)
		}
	}
	d.Done()
	if r.kind(b, "osv", "csaf", "kev", "epss", "cve", "nvd", "vex", "debian", "ubuntu", "patches") {
		r.estate.Feeds = append(r.estate.Feeds, f)
	}
}

// sourceProblem says what is wrong with a path or an address of a feed.
func sourceProblem(text string) string {
	scheme, _, isURL := strings.Cut(text, "://")
	if !isURL {
		return ""
	}
	u, err := url.Parse(text)
	switch {
	case scheme != "http" && scheme != "https":
		return fmt.Sprintf("%q is not an address of http or https; a path is written without a scheme", text)
	case err != nil || u.Host == "":
		return fmt.Sprintf(`%q is not an address; expected one such as "https://feeds.example/osv/all.zip"`, text)
	case u.User != nil:
		return "a password does not belong in the estate; pass it in the environment"
	}
	return ""
}

// kind checks a label that is one of a few words.
func (r *reader) kind(b *hclfile.Block, words ...string) bool {
	if len(b.Labels) == 0 {
		return false
	}
	if !slices.Contains(words, b.Name()) {
		r.at(b.NamePlace(), "unknown %s %q; %s", b.Type, b.Name(), hclfile.Expected(b.Name(), words))
		return false
	}
	return true
}

// exception reads an exception block. How far away its end may be is a matter
// of policy.
func (r *reader) exception(b *hclfile.Block) {
	d := hclfile.Decode(b, 1, &r.hcl)
	e := inventory.Exception{
		Name:                b.Name(),
		Patch:               d.String("patch"),
		Services:            r.services(d, "services"),
		Rules:               r.rules(d),
		Owner:               d.String("owner"),
		Reason:              d.String("reason"),
		Until:               d.Time("until"),
		UntilFix:            d.Bool("until_fix"),
		CompensatingControl: strings.TrimSpace(d.String("compensating_control")),
	}
	d.Need("patch", "owner", "reason")
	if !e.UntilFix {
		d.Need("until")
	}
	if d.Has("owner") {
		r.people(d, "owner", []string{e.Owner})
	}
	if d.Has("reason") && strings.TrimSpace(e.Reason) == "" {
		d.Fault("reason", `attribute "reason" is empty`)
	}
	if d.Has("compensating_control") && e.CompensatingControl == "" {
		d.Fault("compensating_control", `attribute "compensating_control" is empty; say what is done instead, or leave it out`)
	}
	switch {
	case !d.Has("patch"):
	case e.Patch == "":
		d.Fault("patch", `attribute "patch" is empty; expected a pattern of patch ids such as "deb:openssl@*"`)
	case e.UntilFix && (ring.IsGlob(e.Patch) || !strings.Contains(e.Patch, "@")):
		d.Fault("patch", `attribute "patch": %q does not name one version, as "deb:openssl@3.0.15-1" does; with until_fix = true the exception ends when another version is published`, e.Patch)
	case !strings.ContainsAny(e.Patch, ":*?"):
		d.Fault("patch", `attribute "patch": %q is the id of no patch; expected a pattern such as "deb:%s@*"`, e.Patch, e.Patch)
	}
	d.Done()
	if r.declare(b) {
		r.estate.Exceptions = append(r.estate.Exceptions, e)
	}
}

// rules reads the names of policy rules.
func (r *reader) rules(d *hclfile.Decoder) []string {
	var names []string
	for _, it := range d.Items("rules") {
		if !IsRule(it.Text) {
			d.At(it.Place, `%s: attribute "rules": %q is %s`, d.Title(), it.Text, ruleGrammar)
			continue
		}
		names = append(names, it.Text)
	}
	return names
}

const ruleGrammar = `not the name of a rule; expected a concern and one of "deny", "hold", "require", "warn", as in "freeze.deny"`

// IsRule says whether a name is of the form that names of policy rules have.
func IsRule(name string) bool {
	cut := max(strings.LastIndexByte(name, '.'), 0)
	concern, effect := name[:cut], strings.TrimPrefix(name[cut:], ".")
	return made(concern, letters, alnum+"_.", 64) && slices.Contains([]string{"deny", "hold", "require", "warn"}, effect)
}

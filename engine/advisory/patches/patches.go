// Package patches reads inventory/patches/*.jsonl: updates that no public
// advisory describes, one JSON line each, in the form ringmaster/patch/v1.
//
// People and their programs write these lines for ringmaster alone, so whatever
// is wrong in one is a problem, and a line with a problem is not used. Unknown
// fields are passed over.
package patches

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// Schema is the value of a line's "schema".
const Schema = "ringmaster/patch/v1"

// Format is the value of Advisory.Format.
const Format = "patches"

// Line is one line read without a problem.
type Line struct {
	Number   int
	Advisory advisory.Advisory
}

// patch is a line as it is written.
type patch struct {
	Schema      string       `json:"schema"`
	ID          string       `json:"id"`
	Vendor      string       `json:"vendor"`
	Type        string       `json:"type"`
	Package     string       `json:"package"`
	From        string       `json:"from"`
	To          string       `json:"to"`
	Supersedes  []string     `json:"supersedes"`
	Kind        string       `json:"kind"`
	Published   string       `json:"published"`
	Deadline    string       `json:"deadline"`
	SizeBytes   int64        `json:"size_bytes"`
	Reboot      *bool        `json:"reboot"`
	Components  []string     `json:"components"`
	CVEs        []patchCVE   `json:"cves"`
	Bulletin    string       `json:"bulletin"`
	KnownIssues []knownIssue `json:"known_issues"`
	Reports     int          `json:"reports"`

	NoRollback *advisory.NoRollback `json:"no_rollback"` // beyond the contract: it cannot be rolled back

	Platform *struct { // beyond the contract: the platform of a deb, rpm or apk
		OS      string `json:"os"`
		Version string `json:"version"`
	} `json:"platform"`
}

type patchCVE struct {
	ID   string `json:"id"`
	CVSS string `json:"cvss"`

	// Beyond the contract: SSVC's decision points, where the vendor states them.
	Exploitation    string `json:"exploitation"`
	Automatable     string `json:"automatable"`
	TechnicalImpact string `json:"technical_impact"`
}

type knownIssue struct {
	At       string  `json:"at"`
	Text     string  `json:"text"`
	Module   string  `json:"module"`
	Role     string  `json:"role"`
	Resolved *string `json:"resolved_at"`
}

// Parse reads the lines of a file. A bad line is a problem and hides no other.
func Parse(data []byte) ([]Line, []advisory.Problem) {
	var lines []Line
	var problems []advisory.Problem
	for n := 1; len(data) > 0; n++ {
		line, rest, _ := bytes.Cut(data, []byte{'\n'})
		data = rest
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		a, wrong := parseLine(line)
		for _, text := range wrong {
			problems = append(problems, advisory.Problem{Line: n, Message: text})
		}
		if len(wrong) == 0 {
			lines = append(lines, Line{n, a})
		}
	}
	return lines, problems
}

func parseLine(line []byte) (advisory.Advisory, []string) {
	var p patch
	if err := json.Unmarshal(line, &p); err != nil {
		return advisory.Advisory{}, []string{advisory.JSONText(err)}
	}
	c := check{id: p.ID}
	c.schema(p)
	a := advisory.Advisory{
		ID: p.ID, Vendor: p.Vendor, Format: Format, Kind: c.kind(p.Kind), Bulletin: p.Bulletin,
		Supersedes: p.Supersedes, SizeBytes: p.SizeBytes, Reboot: p.Reboot, Components: p.Components, Reports: p.Reports,
	}
	a.Published = c.time("published", p.Published)
	a.Deadline = c.time("deadline", p.Deadline)
	a.CVEs = c.cves(p.CVEs)
	a.KnownIssues = c.issues(p.KnownIssues)
	a.Fixes = []advisory.Fix{c.fix(p)}
	a.NoRollback = c.noRollback(p.NoRollback)
	if p.Kind == "" && len(a.CVEs) == 0 {
		a.Kind = advisory.Bugfix
	}
	return a, c.problems
}

// check collects what is wrong with one line.
type check struct {
	id       string
	problems []string
}

func (c *check) problem(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if c.id != "" {
		text = fmt.Sprintf("patch %q: ", c.id) + text
	}
	c.problems = append(c.problems, text)
}

func (c *check) schema(p patch) {
	switch {
	case p.Schema == "":
		c.problem(`"schema" is missing; expected %q`, Schema)
	case p.Schema != Schema:
		c.problem("unknown schema %q; expected %q", p.Schema, Schema)
	}
	for _, f := range []struct{ name, value string }{{"id", p.ID}, {"type", p.Type}, {"package", p.Package}, {"to", p.To}} {
		if f.value == "" && (f.name != "to" || p.Type != string(version.Windows)) { // an update of Windows has no version
			c.problem("%q is missing", f.name)
		}
	}
	if p.SizeBytes < 0 {
		c.problem(`"size_bytes" is %d; it must be at least 0`, p.SizeBytes)
	}
	if p.Reports < 0 {
		c.problem(`"reports" is %d; it must be at least 0`, p.Reports)
	}
	for _, id := range p.Supersedes {
		if id == p.ID && id != "" {
			c.problem(`"supersedes" names the patch itself`)
		}
	}
}

func (c *check) kind(word string) advisory.Kind {
	switch k := advisory.Kind(word); k {
	case advisory.Security, advisory.Bugfix, advisory.Feature:
		return k
	case "":
		return advisory.Security
	}
	c.problem(`"kind" is %q; expected one of "security", "bugfix", "feature"`, word)
	return ""
}

func (c *check) time(field, text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		c.problem("%q: %q is not an RFC 3339 time", field, text)
		return time.Time{}
	}
	return t.UTC()
}

func (c *check) cves(list []patchCVE) []advisory.CVE {
	var cves []advisory.CVE
	for _, x := range list {
		if !advisory.IsCVE(x.ID) {
			c.problem(`"cves": %q is not the id of a CVE`, x.ID)
			continue
		}
		cve := advisory.CVE{
			ID:              x.ID,
			Exploitation:    c.word(x.ID, "exploitation", x.Exploitation, "none", "public poc", "active"),
			Automatable:     c.word(x.ID, "automatable", x.Automatable, "yes", "no"),
			TechnicalImpact: c.word(x.ID, "technical_impact", x.TechnicalImpact, "partial", "total"),
		}
		if x.CVSS != "" {
			cve.Vectors = []string{x.CVSS}
			if !vectorLike(x.CVSS) {
				c.problem(`"cves": %s: %q is not a CVSS vector; expected one like "CVSS:3.1/AV:N/…"`, x.ID, x.CVSS)
			}
		}
		cves = append(cves, cve)
	}
	return advisory.JoinCVEs(cves, nil)
}

// word returns one of SSVC's words, "" with a problem for another one.
func (c *check) word(cve, field, got string, words ...string) string {
	if got == "" || slices.Contains(words, got) {
		return got
	}
	c.problem("\"cves\": %s: %q: %q; expected one of %q", cve, field, got, words)
	return ""
}

// vectorLike reports whether s has the form of a CVSS vector of any version:
// metrics joined by "/", each a name and a value. Whether they are right is for
// who scores them.
func vectorLike(s string) bool {
	parts := strings.Split(strings.Trim(s, "()"), "/")
	for _, p := range parts {
		name, value, ok := strings.Cut(p, ":")
		if !ok || name == "" || value == "" || strings.ContainsAny(value, ": ") {
			return false
		}
	}
	return len(parts) >= 6
}

func (c *check) issues(list []knownIssue) []advisory.KnownIssue {
	var issues []advisory.KnownIssue
	for _, x := range list {
		k := advisory.KnownIssue{At: c.time("known_issues.at", x.At), Text: x.Text, Module: x.Module, Role: x.Role}
		if x.Text == "" {
			c.problem(`"known_issues": "text" is missing`)
		}
		if x.Resolved != nil && *x.Resolved != "" {
			at := c.time("known_issues.resolved_at", *x.Resolved)
			k.Resolved = &at
		}
		issues = append(issues, k)
	}
	return issues
}

// noRollback is what a line says of going back: both of it are needed.
func (c *check) noRollback(x *advisory.NoRollback) *advisory.NoRollback {
	if x == nil {
		return nil
	}
	for _, f := range []struct{ name, value, what string }{{"why", x.Why, "why it cannot be rolled back"}, {"instead", x.Instead, "what is done instead"}} {
		if strings.TrimSpace(f.value) == "" {
			c.problem(`"no_rollback": %q is missing; say %s`, f.name, f.what)
		}
	}
	return x
}

var types = []version.Type{version.Deb, version.RPM, version.APK, version.Windows, version.Generic}

func (c *check) fix(p patch) advisory.Fix {
	f := advisory.Fix{Type: version.Type(p.Type), Package: p.Package, Introduced: p.From, Fixed: p.To}
	if p.Type != "" && !slices.Contains(types, f.Type) {
		c.problem(`"type" is %q; expected one of "deb", "rpm", "apk", "windows", "generic"`, p.Type)
	}
	if p.Platform != nil {
		f.Platform = advisory.Platform{OS: strings.ToLower(p.Platform.OS), Version: p.Platform.Version}
	}
	return f
}

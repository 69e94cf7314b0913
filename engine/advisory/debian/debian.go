// Package debian reads the lists of advisories that Debian's security and LTS
// teams keep as text: DSA/list, DLA/list and DTSA/list of the security tracker
// (https://salsa.debian.org/security-tracker-team/security-tracker).
//
//	[26 Dec 2020] DSA-4819-1 kitty - security update
//		{CVE-2020-35605}
//		[buster] - kitty 0.13.3-1+deb10u1
//
// Packages are source packages.
package debian

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// Format is the value of Advisory.Format.
const Format = "debian"

var (
	heading = regexp.MustCompile(`^\[(\d\d? [A-Z][a-z]{2} \d{4})\] +(D[A-Z]{1,3}-[0-9]+(?:-[0-9]+)?)(?: +(.*))?$`)
	fixLine = regexp.MustCompile(`^\[([a-z]+)\] +- +(\S+) +(\S+)`)
)

// Heading reports whether a line begins an entry of such a list.
func Heading(line []byte) bool { return heading.Match(bytes.TrimRight(line, "\r\n")) }

// Parse reads a list. Lines that cannot be read are problems, and hide no other.
func Parse(data []byte) ([]advisory.Advisory, []advisory.Problem, error) {
	var p parser
	for n, line := range bytes.Split(data, []byte{'\n'}) {
		p.line(n+1, string(bytes.TrimRight(line, " \t\r")))
	}
	if len(p.list) == 0 {
		return nil, nil, errors.New("not a list of Debian's advisories: no line like \"[26 Dec 2020] DSA-4819-1 kitty - security update\"")
	}
	p.close()
	return p.list, p.problems, nil
}

type parser struct {
	list     []advisory.Advisory
	problems []advisory.Problem
}

func (p *parser) problem(n int, format string, args ...any) {
	p.problems = append(p.problems, advisory.Problem{Line: n, Message: fmt.Sprintf(format, args...)})
}

func (p *parser) line(n int, text string) {
	body := strings.TrimSpace(text)
	switch {
	case body == "":
	case body == text && body[0] == '[':
		p.heading(n, body)
	case len(p.list) == 0:
		p.problem(n, "%q stands before the first advisory", short(body))
	case body[0] == '{':
		p.cves(n, body)
	case body[0] == '[':
		p.fix(n, body)
	case strings.HasPrefix(body, "NOTE:"), strings.HasPrefix(body, "TODO:"):
	default:
		p.problem(n, "%q is neither CVEs in braces, nor a fix, nor a note", short(body))
	}
}

func (p *parser) heading(n int, text string) {
	m := heading.FindStringSubmatch(text)
	if m == nil {
		p.problem(n, `%q is not the heading of an advisory; expected one like "[26 Dec 2020] DSA-4819-1 kitty - security update"`, short(text))
		return
	}
	at, err := time.Parse("2 Jan 2006", m[1])
	if err != nil {
		p.problem(n, "advisory %q: %q is not a date", m[2], m[1])
	}
	p.close()
	p.list = append(p.list, advisory.Advisory{
		ID: m[2], Vendor: "Debian", Format: Format, Summary: strings.TrimSpace(m[3]), Published: at,
	})
}

// close finishes the advisory that was read last.
func (p *parser) close() {
	if len(p.list) == 0 {
		return
	}
	a := &p.list[len(p.list)-1]
	a.CVEs = advisory.JoinCVEs(a.CVEs, nil)
	a.Kind = advisory.Security
	if len(a.CVEs) == 0 && (strings.Contains(a.Summary, "regression") || strings.Contains(a.Summary, "new upstream")) {
		a.Kind = advisory.Bugfix
	}
}

func (p *parser) cves(n int, text string) {
	a := &p.list[len(p.list)-1]
	for id := range strings.FieldsSeq(strings.Trim(text, "{} ")) {
		switch {
		case advisory.IsCVE(id):
			a.CVEs = append(a.CVEs, advisory.CVE{ID: id})
		case strings.HasPrefix(id, "CAN-"), strings.HasPrefix(id, "CVE-"), strings.HasPrefix(id, "TEMP-"):
			// names of the time before 2005, and places held for ids to come
		default:
			p.problem(n, "advisory %q: %q is not the id of a CVE", a.ID, id)
		}
	}
}

// fix reads "[buster] - kitty 0.13.3-1+deb10u1". In place of a version may stand
// <not-affected>, or that no fix is published: <unfixed>, <end-of-life>….
func (p *parser) fix(n int, text string) {
	a := &p.list[len(p.list)-1]
	m := fixLine.FindStringSubmatch(text)
	if m == nil {
		p.problem(n, "advisory %q: %q is not a fix; expected one like %q", a.ID, short(text), "[buster] - kitty 0.13.3-1+deb10u1")
		return
	}
	release, ok := releases[m[1]]
	if !ok {
		p.problem(n, "advisory %q: %q is not a release of Debian that is known here", a.ID, m[1])
		return
	}
	f := advisory.Fix{
		Platform: advisory.Platform{OS: "debian", Version: release},
		Type:     version.Deb, Package: m[2], Source: true, Fixed: m[3],
	}
	switch {
	case f.Fixed == "<not-affected>":
		return
	case f.Fixed[0] == '<':
		f.Fixed = ""
	}
	a.Fixes = append(a.Fixes, f)
}

func short(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}

// releases are Debian's code names and the VERSION_ID of their os-release.
var releases = map[string]string{
	"potato": "2.2", "woody": "3.0", "sarge": "3.1", "etch": "4.0", "lenny": "5.0", "squeeze": "6.0",
	"wheezy": "7", "jessie": "8", "stretch": "9", "buster": "10", "bullseye": "11", "bookworm": "12",
	"trixie": "13", "forky": "14", "duke": "15",
}

// Package osv reads records of the Open Source Vulnerability format, in which
// AlmaLinux, Debian, Rocky Linux, SUSE, Ubuntu, Alpine and others publish what
// their package versions fix (https://ossf.github.io/osv-schema).
//
// A record becomes one advisory with a Fix for each package, platform and range
// of affected versions. What a record says about an ecosystem that is not known
// here is left out, and said to be.
package osv

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
)

// Format is the value of Advisory.Format.
const Format = "osv"

// record is what is read of a record; fields that are not here are passed over.
type record struct {
	ID        string     `json:"id"`
	Summary   string     `json:"summary"`
	Details   string     `json:"details"`
	Published string     `json:"published"`
	Modified  string     `json:"modified"`
	Withdrawn string     `json:"withdrawn"`
	Aliases   []string   `json:"aliases"`
	Related   []string   `json:"related"`
	Upstream  []string   `json:"upstream"`
	Severity  []severity `json:"severity"`
	Affected  []affected `json:"affected"`
}

type severity struct {
	Type  string `json:"type"`
	Score string `json:"score"`
}

type affected struct {
	Package struct {
		Ecosystem string `json:"ecosystem"`
		Name      string `json:"name"`
		PURL      string `json:"purl"`
	} `json:"package"`
	Severity  []severity      `json:"severity"`
	Ranges    []ranges        `json:"ranges"`
	Versions  json.RawMessage `json:"versions"`
	Ecosystem json.RawMessage `json:"ecosystem_specific"`
}

type ranges struct {
	Type   string  `json:"type"`
	Events []event `json:"events"`
}

type event struct {
	Introduced   string `json:"introduced"`
	Fixed        string `json:"fixed"`
	LastAffected string `json:"last_affected"`
}

// ErrNotOSV is returned for JSON that is not an OSV record.
var ErrNotOSV = errors.New(`not an OSV record: "id" or "modified" is missing`)

// Parse reads one record. Problems name what was left out of the advisory; an
// error means that there is none.
func Parse(data []byte) (advisory.Advisory, []advisory.Problem, error) {
	var r record
	if err := decode(data, &r); err != nil {
		return advisory.Advisory{}, nil, fmt.Errorf("not an OSV record: %s", advisory.JSONText(err))
	}
	if r.ID == "" || r.Modified == "" {
		return advisory.Advisory{}, nil, ErrNotOSV
	}
	a := advisory.Advisory{
		ID:       r.ID,
		Format:   Format,
		Summary:  r.Summary,
		Bulletin: r.Details,
	}
	reading := reading{id: r.ID}
	a.Published = reading.time("published", r.Published)
	a.Modified = reading.time("modified", r.Modified)
	a.Withdrawn = reading.time("withdrawn", r.Withdrawn)
	streams := Streams(r.Summary)
	distribution := true
	for i := range r.Affected {
		x := &r.Affected[i]
		eco, ok := ecosystemOf(x.Package.Ecosystem, x.Package.PURL)
		if !ok {
			reading.problem("ecosystem %q is not one whose versions are known here; it is left out", x.Package.Ecosystem)
			continue
		}
		if a.Vendor == "" {
			a.Vendor = eco.vendor
		}
		distribution = distribution && !eco.language
		a.Fixes = append(a.Fixes, reading.fixes(x, eco, streams)...)
	}
	a.Fixes = unique(a.Fixes)
	a.CVEs = cves(r, distribution)
	a.Aliases = aliases(r)
	a.Kind = kindOf(r.ID, len(a.CVEs) > 0)
	return a, reading.problems, nil
}

// reading collects what is wrong with one record, each thing once.
type reading struct {
	id       string
	problems []advisory.Problem
}

func (r *reading) problem(format string, args ...any) {
	p := advisory.Problem{Message: fmt.Sprintf("advisory %q: ", r.id) + fmt.Sprintf(format, args...)}
	if !slices.Contains(r.problems, p) {
		r.problems = append(r.problems, p)
	}
}

func (r *reading) time(field, text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		r.problem("%q: %q is not an RFC 3339 time", field, text)
		return time.Time{}
	}
	return t.UTC()
}

// unique drops repeated fixes and keeps the order: a SUSE record repeats its
// binaries for every source package. A fix with a list of versions is kept.
func unique(fixes []advisory.Fix) []advisory.Fix {
	type key struct {
		advisory.Platform
		Package, Module, Introduced, Fixed, LastAffected string
	}
	seen := make(map[key]bool, len(fixes))
	return slices.DeleteFunc(fixes, func(f advisory.Fix) bool {
		k := key{f.Platform, f.Package, f.Module, f.Introduced, f.Fixed, f.LastAffected}
		if f.Affected != nil || !seen[k] {
			seen[k] = true
			return false
		}
		return true
	})
}

// cves collects the CVEs that a record stands for. A distribution's advisory
// lists what it fixes as related; elsewhere related means only that. The
// severity of a record speaks for all its CVEs.
func cves(r record, distribution bool) []advisory.CVE {
	ids := slices.Concat([]string{r.ID}, r.Aliases, r.Upstream)
	if distribution {
		ids = append(ids, r.Related...)
	}
	vectors := vectors(r)
	var list []advisory.CVE
	for _, id := range ids {
		if cve := cveOf(id); cve != "" {
			list = append(list, advisory.CVE{ID: cve, Vectors: vectors})
		}
	}
	return advisory.JoinCVEs(list, nil)
}

// cveOf returns the CVE that an id is or wraps: CVE-2024-1, UBUNTU-CVE-2024-1.
func cveOf(id string) string {
	at := strings.LastIndex(id, "CVE-")
	if at < 0 || at > 0 && id[at-1] != '-' {
		return ""
	}
	if !advisory.IsCVE(id[at:]) {
		return ""
	}
	return id[at:]
}

func vectors(r record) []string {
	var list []string
	add := func(all []severity) {
		for _, s := range all {
			if strings.HasPrefix(s.Type, "CVSS_") && s.Score != "" && !slices.Contains(list, s.Score) {
				list = append(list, s.Score)
			}
		}
	}
	add(r.Severity)
	for i := range r.Affected {
		add(r.Affected[i].Severity)
	}
	return list
}

func aliases(r record) []string {
	var list []string
	for _, id := range r.Aliases {
		if cveOf(id) == "" && id != r.ID {
			list = append(list, id)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// kindOf tells an advisory's kind from its id: distributions that publish more
// than security updates say so there (ALBA-2022:1816, SUSE-RU-2024:1). One that
// names a CVE is of security whatever it calls itself.
func kindOf(id string, namesCVE bool) advisory.Kind {
	prefix, _, _ := strings.Cut(id, "-20")
	switch {
	case namesCVE:
		return advisory.Security
	case len(prefix) == 4 && strings.HasSuffix(prefix, "BA"), strings.HasSuffix(prefix, "-RU"):
		return advisory.Bugfix
	case len(prefix) == 4 && strings.HasSuffix(prefix, "EA"), strings.HasSuffix(prefix, "-FU"), strings.HasSuffix(prefix, "-OU"):
		return advisory.Feature
	}
	return advisory.Security
}

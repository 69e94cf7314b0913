// Package osvscanner reads JSON reports of osv-scanner into facts.
//
// A report lists packages with findings, or all with --all-packages, and never
// names a host: somebody must say it, see Options.
package osvscanner

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// Source is the value of Facts.Source.
const Source = "osv-scanner"

// Options says what a report does not. The zero value works, and finds no host.
type Options struct {
	Host inventory.HostID // the host that the report is about
	At   time.Time        // the time of the facts, as no report has one
}

type report struct {
	Results []struct {
		Source struct {
			Path string `json:"path"`
			Type string `json:"type"`
		} `json:"source"`
		Packages []found `json:"packages"`
	} `json:"results"`
}

type found struct {
	Package struct {
		Name      string `json:"name"`
		Version   string `json:"version"`
		Ecosystem string `json:"ecosystem"`
	} `json:"package"`
	Vulnerabilities []struct {
		ID       string     `json:"id"`
		Aliases  []string   `json:"aliases"`
		Affected []affected `json:"affected"`
	} `json:"vulnerabilities"`
}

type affected struct {
	Package struct {
		Name string `json:"name"`
	} `json:"package"`
	Ranges []struct {
		Events []struct {
			Fixed string `json:"fixed"`
		} `json:"events"`
	} `json:"ranges"`
}

// Parse reads one report, without options.
func Parse(name string, data []byte) ([]inventory.Facts, []inventory.Problem) {
	return Options{}.Parse(name, data)
}

// Parse reads one report: the findings of one host, and its packages where the
// report has some without findings, so that all are listed; nothing where
// Options names no host.
func (o Options) Parse(name string, data []byte) ([]inventory.Facts, []inventory.Problem) {
	p := &inventory.Problems{File: name}
	var r report
	if err := inventory.Decode(data, &r); err != nil {
		p.Lost("", "%v", err)
		return nil, p.List
	}
	switch {
	case !r.ours(data):
		p.Lost("", `not a report of osv-scanner: "results" with sources is missing%s`, inventory.Recognise(data))
		return nil, p.List
	case o.Host == "":
		p.Lost("", "no usable host: the report is about %s; if that is on a host, name it with --host", r.subject())
		return nil, p.List
	case !o.Host.Valid():
		p.Lost("", "no usable host: %q is not a host name; %s", o.Host, inventory.HostGrammar)
		return nil, p.List
	}
	f := inventory.Facts{Host: o.Host, At: o.At, Source: Source}
	complete, systems := false, map[string]bool{}
	for _, x := range r.Results {
		for _, b := range x.Packages {
			t := packageType(b.Package.Ecosystem)
			f.Packages = append(f.Packages, inventory.Package{Type: t, Name: b.Package.Name, Version: b.Package.Version})
			f.Findings = append(f.Findings, b.findings(t)...)
			if t != version.Generic {
				systems[b.Package.Ecosystem] = true
			}
			complete = complete || len(b.Vulnerabilities) == 0
		}
	}
	for ecosystem := range systems {
		if name, release, _ := strings.Cut(ecosystem, ":"); len(systems) == 1 {
			f.OS = inventory.NewOS(name, strings.TrimPrefix(release, "v"))
		}
	}
	if !complete {
		f.Packages = nil
		p.Note(fmt.Sprintf("host %q", f.Host), "the report lists packages with findings only; run osv-scanner with --all-packages to have all")
	}
	f.Admit(p)
	return []inventory.Facts{f}, p.List
}

// ours tells the report from others that have results, in other letters or of
// other things.
func (r *report) ours(data []byte) bool {
	var top map[string]json.RawMessage
	if json.Unmarshal(data, &top) != nil || top["results"] == nil || top["subtotal"] != nil {
		return false
	}
	for _, x := range r.Results {
		if x.Source.Path == "" {
			return false
		}
	}
	return true
}

func (r *report) subject() string {
	if len(r.Results) == 0 {
		return "nothing: it has no results"
	}
	s := r.Results[0].Source
	return fmt.Sprintf("the %s %q", inventory.Plain(s.Type), inventory.Plain(s.Path))
}

// packageType is the type of an ecosystem's packages: "Debian:12" is deb.
func packageType(ecosystem string) version.Type {
	name, _, _ := strings.Cut(ecosystem, ":")
	if t := inventory.PackageType(inventory.SystemID(name)); t != "" {
		return t
	}
	return version.Generic
}

func (b found) findings(t version.Type) []inventory.Finding {
	var list []inventory.Finding
	for _, v := range b.Vulnerabilities {
		f := inventory.Finding{ID: v.ID, Package: b.Package.Name, Installed: b.Package.Version}
		for _, id := range append([]string{v.ID}, v.Aliases...) {
			if f.CVE == "" && inventory.IsCVE(id) {
				f.CVE = id
			}
		}
		if f.CVE == f.ID {
			f.ID = ""
		}
		f.Fixed = inventory.FirstFix(t, b.Package.Version, strings.Join(fixes(v.Affected, b.Package.Name), ","))
		list = append(list, f)
	}
	return list
}

func fixes(list []affected, name string) (versions []string) {
	for _, a := range list {
		if a.Package.Name != name {
			continue
		}
		for _, r := range a.Ranges {
			for _, e := range r.Events {
				if e.Fixed != "" {
					versions = append(versions, e.Fixed)
				}
			}
		}
	}
	return versions
}

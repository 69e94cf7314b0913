// Package grype reads JSON reports of the Grype scanner into facts.
//
// A report lists what is vulnerable, not what is installed, and never names a
// host: somebody must say it, see Options.
package grype

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// Source is the value of Facts.Source.
const Source = "grype"

// Options says what a report does not. The zero value works, and finds no host.
type Options struct {
	Host inventory.HostID // the host that the report is about
	At   time.Time        // the time of facts whose report has none
}

type report struct {
	Matches []match `json:"matches"`
	Source  *struct {
		Type   string          `json:"type"`
		Target json.RawMessage `json:"target"`
	} `json:"source"`
	Distro struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	} `json:"distro"`
	Descriptor struct {
		Timestamp string `json:"timestamp"`
	} `json:"descriptor"`
}

type match struct {
	Vulnerability struct {
		ID  string `json:"id"`
		Fix struct {
			Versions []string `json:"versions"`
		} `json:"fix"`
	} `json:"vulnerability"`
	Related []struct {
		ID string `json:"id"`
	} `json:"relatedVulnerabilities"`
	Artifact struct {
		Name    string `json:"name"`
		Version string `json:"version"`
		PURL    string `json:"purl"`
	} `json:"artifact"`
}

// Parse reads one report, without options.
func Parse(name string, data []byte) ([]inventory.Facts, []inventory.Problem) {
	return Options{}.Parse(name, data)
}

// Parse reads one report: the findings of one host, none where Options names no
// host.
func (o Options) Parse(name string, data []byte) ([]inventory.Facts, []inventory.Problem) {
	p := &inventory.Problems{File: name}
	var r report
	if err := inventory.Decode(data, &r); err != nil {
		p.Lost("", "%v", err)
		return nil, p.List
	}
	switch {
	case r.Matches == nil:
		p.Lost("", `not a report of Grype: "matches" is missing%s`, inventory.Recognise(data))
		return nil, p.List
	case o.Host == "":
		p.Lost("", "no usable host: the report is about %s; if it stands for a host, name that with --host", r.subject())
		return nil, p.List
	case !o.Host.Valid():
		p.Lost("", "no usable host: %q is not a host name; %s", o.Host, inventory.HostGrammar)
		return nil, p.List
	}
	f := inventory.Facts{Host: o.Host, At: inventory.Moment(r.Descriptor.Timestamp), Source: Source}
	if f.At.IsZero() {
		f.At = o.At
	}
	if r.Distro.Name != "" {
		f.OS = inventory.NewOS(r.Distro.Name, r.Distro.Version)
	}
	for _, m := range r.Matches {
		f.Findings = append(f.Findings, m.finding())
	}
	p.Note(fmt.Sprintf("host %q", f.Host), "Grype lists findings only, not the packages installed; import them from Syft's bill of materials (cyclonedx or spdx)")
	f.Admit(p)
	return []inventory.Facts{f}, p.List
}

// subject is what the report is about, in words.
func (r *report) subject() string {
	if r.Source == nil {
		return "something that it does not name"
	}
	var name string
	if json.Unmarshal(r.Source.Target, &name) != nil {
		var target struct {
			UserInput string `json:"userInput"`
		}
		_ = json.Unmarshal(r.Source.Target, &target)
		name = target.UserInput
	}
	return fmt.Sprintf("the %s %q", inventory.Plain(r.Source.Type), inventory.Plain(name))
}

// finding names the CVE where the match is by an advisory of another name.
func (m match) finding() inventory.Finding {
	f := inventory.Finding{ID: m.Vulnerability.ID, Package: m.Artifact.Name, Installed: m.Artifact.Version}
	if inventory.IsCVE(f.ID) {
		f.CVE, f.ID = f.ID, ""
	}
	for _, r := range m.Related {
		if f.CVE == "" && inventory.IsCVE(r.ID) {
			f.CVE = r.ID
		}
	}
	t := version.Generic
	if purl, ok := inventory.ParsePURL(m.Artifact.PURL); ok && purl.PackageType() != "" {
		t = purl.PackageType()
	}
	f.Fixed = inventory.FirstFix(t, f.Installed, strings.Join(m.Vulnerability.Fix.Versions, ","))
	return f
}

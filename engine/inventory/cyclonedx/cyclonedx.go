// Package cyclonedx reads CycloneDX bills of materials (JSON) into facts.
//
// A bill of materials is of a product far more often than of a host: only one
// whose subject is a device names a host itself. For any other somebody must say
// it: see Options.
package cyclonedx

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// Source is the value of Facts.Source.
const Source = "cyclonedx"

// Options says what a document does not. The zero value works.
type Options struct {
	Host inventory.HostID // the host that the document is about, "" what it says
	At   time.Time        // the time of facts whose document has none
}

type document struct {
	Format   string `json:"bomFormat"`
	Metadata struct {
		Timestamp string     `json:"timestamp"`
		Component *component `json:"component"`
	} `json:"metadata"`
	Components      []component     `json:"components"`
	Vulnerabilities []vulnerability `json:"vulnerabilities"`
}

type component struct {
	Ref        string      `json:"bom-ref"`
	Type       string      `json:"type"`
	Group      string      `json:"group"`
	Name       string      `json:"name"`
	Version    string      `json:"version"`
	PURL       string      `json:"purl"`
	Components []component `json:"components"`
	Supplier   struct {
		Name string `json:"name"`
	} `json:"supplier"`
	Properties []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"properties"`
}

type vulnerability struct {
	ID      string `json:"id"`
	Affects []struct {
		Ref string `json:"ref"`
	} `json:"affects"`
}

// Parse reads one document, without options.
func Parse(name string, data []byte) ([]inventory.Facts, []inventory.Problem) {
	return Options{}.Parse(name, data)
}

// Parse reads one document. It gives the facts of one host, or none where the
// document is not about a host and Options names none.
func (o Options) Parse(name string, data []byte) ([]inventory.Facts, []inventory.Problem) {
	p := &inventory.Problems{File: name}
	var d document
	if err := inventory.Decode(data, &d); err != nil {
		p.Lost("", "%v", err)
		return nil, p.List
	}
	if d.Format != "CycloneDX" {
		p.Lost("", `not a CycloneDX document: "bomFormat" is not "CycloneDX"%s`, inventory.Recognise(data))
		return nil, p.List
	}
	host, why := o.host(&d)
	if why != "" {
		p.Lost("", "no usable host: %s", why)
		return nil, p.List
	}
	f := inventory.Facts{Host: host, At: inventory.Moment(d.Metadata.Timestamp), Source: Source}
	if f.At.IsZero() {
		f.At = o.At
	}
	d.read(&f, p)
	f.Admit(p)
	return []inventory.Facts{f}, p.List
}

func (o Options) host(d *document) (inventory.HostID, string) {
	if o.Host != "" {
		if !o.Host.Valid() {
			return "", fmt.Sprintf("%q is not a host name; %s", o.Host, inventory.HostGrammar)
		}
		return o.Host, ""
	}
	c := d.Metadata.Component
	switch {
	case c == nil:
		return "", "the document does not say what it is about; if that is a host, name it with --host"
	case c.Type != "device":
		return "", fmt.Sprintf("the document is about the %s %q; if it stands for a host, name that with --host", cmp.Or(c.Type, "component"), c.Name)
	case !inventory.HostID(c.Name).Valid():
		return "", fmt.Sprintf("the document is about the device %q, which is not a host name; %s", c.Name, inventory.HostGrammar)
	}
	return inventory.HostID(c.Name), ""
}

// all are the components of the document, nested ones too.
func all(list []component) []component {
	var flat []component
	for _, c := range list {
		flat = append(flat, c)
		flat = append(flat, all(c.Components)...)
	}
	return flat
}

func (d *document) read(f *inventory.Facts, p *inventory.Problems) {
	where := fmt.Sprintf("host %q", f.Host)
	names := map[string]component{}
	var purls []inventory.PURL
	var other []string
	for _, c := range all(d.Components) {
		names[c.Ref] = c
		purl, ok := inventory.ParsePURL(c.PURL)
		switch {
		case c.Type == "operating-system":
			f.OS = inventory.NewOS(c.Name, c.Version)
		case !ok && c.Version != "" && c.Type == "library":
			f.Packages = append(f.Packages, inventory.Package{Type: version.Generic, Name: strings.TrimPrefix(c.Group+"/"+c.Name, "/"), Version: c.Version})
		case !ok:
			other = append(other, c.Name)
		default:
			pkg, is := purl.Package()
			if !is {
				other = append(other, c.Name)
				continue
			}
			c.refine(&pkg)
			purls = append(purls, purl)
			f.Packages = append(f.Packages, pkg)
		}
	}
	if f.OS == nil {
		f.OS = inventory.System(purls)
	}
	if len(other) > 0 {
		slices.Sort(other)
		p.Note(where, "%d components are no installed packages (files, images, sources); the first is %q", len(other), other[0])
	}
	d.findings(f, names)
}

// refine adds what Trivy and Syft say of a package beside its URL.
func (c component) refine(pkg *inventory.Package) {
	said := map[string]string{}
	for _, x := range c.Properties {
		said[x.Name] = x.Value
	}
	const trivy = "aquasecurity:trivy:"
	if n := said[trivy+"SrcName"]; n != "" {
		v := said[trivy+"SrcVersion"]
		if r := said[trivy+"SrcRelease"]; r != "" && v != "" {
			v += "-" + r
		}
		if e := said[trivy+"SrcEpoch"]; e != "" && e != "0" && v != "" {
			v = e + ":" + v
		}
		pkg.Source, pkg.SourceVersion = n, v
	}
	if s := said["syft:metadata:source"]; s != "" && pkg.Source == "" {
		pkg.Source, pkg.SourceVersion = s, said["syft:metadata:sourceVersion"]
	}
	if m := cmp.Or(said[trivy+"Modularitylabel"], said["syft:metadata:modularityLabel"]); m != "" {
		pkg.Module = inventory.ModuleStream(m)
	}
	if pkg.Type == version.RPM {
		pkg.Vendor = c.Supplier.Name
	}
}

func (d *document) findings(f *inventory.Facts, names map[string]component) {
	for _, v := range d.Vulnerabilities {
		x := inventory.Finding{ID: v.ID}
		if inventory.IsCVE(v.ID) {
			x = inventory.Finding{CVE: v.ID}
		}
		for _, a := range v.Affects {
			c := names[a.Ref]
			x.Package, x.Installed = c.Name, c.Version
			f.Findings = append(f.Findings, x)
		}
		if len(v.Affects) == 0 {
			f.Findings = append(f.Findings, x)
		}
	}
}

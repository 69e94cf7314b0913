// Package spdx reads SPDX 2 bills of materials (JSON) into facts.
//
// A document's own purpose is mostly a product: only one that describes a
// package of the purpose DEVICE names a host itself. For any other somebody must
// say it: see Options.
package spdx

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// Source is the value of Facts.Source.
const Source = "spdx"

// Options says what a document does not. The zero value works.
type Options struct {
	Host inventory.HostID // the host that the document is about, "" what it says
	At   time.Time        // the time of facts whose document has none
}

type document struct {
	Version string `json:"spdxVersion"`
	Name    string `json:"name"`
	Created struct {
		At string `json:"created"`
	} `json:"creationInfo"`
	Packages []described `json:"packages"`
}

type described struct {
	Name     string `json:"name"`
	Version  string `json:"versionInfo"`
	Purpose  string `json:"primaryPackagePurpose"`
	Supplier string `json:"supplier"`
	Source   string `json:"sourceInfo"`
	External []struct {
		Type    string `json:"referenceType"`
		Locator string `json:"referenceLocator"`
	} `json:"externalRefs"`
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
	if !strings.HasPrefix(d.Version, "SPDX-2.") {
		p.Lost("", `not an SPDX 2 document: "spdxVersion" is %q%s`, inventory.Plain(d.Version), inventory.Recognise(data))
		return nil, p.List
	}
	host, why := o.host(&d)
	if why != "" {
		p.Lost("", "no usable host: %s", why)
		return nil, p.List
	}
	f := inventory.Facts{Host: host, At: inventory.Moment(d.Created.At), Source: Source}
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
	i := slices.IndexFunc(d.Packages, func(x described) bool { return x.Purpose == "DEVICE" })
	switch {
	case i < 0:
		return "", fmt.Sprintf("the document %q describes no device; if it stands for a host, name that with --host", inventory.Plain(d.Name))
	case !inventory.HostID(d.Packages[i].Name).Valid():
		return "", fmt.Sprintf("the document describes the device %q, which is not a host name; %s", inventory.Plain(d.Packages[i].Name), inventory.HostGrammar)
	}
	return inventory.HostID(d.Packages[i].Name), ""
}

func (d *document) read(f *inventory.Facts, p *inventory.Problems) {
	var purls []inventory.PURL
	var other []string
	for _, x := range d.Packages {
		if x.Purpose == "OPERATING-SYSTEM" || x.Purpose == "OPERATING_SYSTEM" {
			f.OS = inventory.NewOS(x.Name, x.Version)
			continue
		}
		found := false
		for _, e := range x.External {
			purl, ok := inventory.ParsePURL(e.Locator)
			if !ok || e.Type != "purl" {
				continue
			}
			if pkg, is := purl.Package(); is {
				found = true
				purls = append(purls, purl)
				f.Packages = append(f.Packages, x.refine(pkg))
			}
		}
		if !found {
			other = append(other, x.Name)
		}
	}
	if f.OS == nil {
		f.OS = inventory.System(purls)
	}
	if len(other) > 0 {
		slices.Sort(other)
		p.Note(fmt.Sprintf("host %q", f.Host), "%d packages of the document are no installed ones (images, sources, without package URL); the first is %q", len(other), other[0])
	}
}

// refine adds the source package, which Trivy writes as a sentence ("built
// package from: glibc 2.31-13").
func (x described) refine(pkg inventory.Package) inventory.Package {
	if _, s, ok := strings.Cut(x.Source, "built package from: "); ok && pkg.Source == "" {
		pkg.Source, pkg.SourceVersion, _ = strings.Cut(strings.TrimSpace(s), " ")
	}
	return pkg
}

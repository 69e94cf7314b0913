// Package trivy reads JSON reports of the Trivy scanner into facts.
//
// A report rarely says which host it is about: only one of a machine's root
// (`trivy rootfs /`, `trivy fs /`) carries the host name, as its artifact. For
// any other (a disk image, a container image) somebody must say it: see Options.
package trivy

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// Source is the value of Facts.Source.
const Source = "trivy"

// Options says what a report does not. The zero value works.
type Options struct {
	Host inventory.HostID // the host that the report is about, "" what the report says
	At   time.Time        // the time of facts whose report has none
}

type report struct {
	SchemaVersion int             `json:"SchemaVersion"`
	CreatedAt     string          `json:"CreatedAt"`
	ArtifactName  string          `json:"ArtifactName"`
	ArtifactType  string          `json:"ArtifactType"`
	ClusterName   json.RawMessage `json:"ClusterName"`
	Metadata      struct {
		OS *struct {
			Family string `json:"Family"`
			Name   string `json:"Name"`
		} `json:"OS"`
		ImageConfig struct {
			Architecture string `json:"architecture"`
		} `json:"ImageConfig"`
	} `json:"Metadata"`
	Results []result `json:"Results"`
}

type result struct {
	Target          string          `json:"Target"`
	Class           string          `json:"Class"`
	Type            string          `json:"Type"`
	Packages        []pkg           `json:"Packages"`
	Vulnerabilities []vulnerability `json:"Vulnerabilities"`
}

type pkg struct {
	Name       string `json:"Name"`
	Version    string `json:"Version"`
	Release    string `json:"Release"`
	Epoch      int    `json:"Epoch"`
	Arch       string `json:"Arch"`
	SrcName    string `json:"SrcName"`
	SrcVersion string `json:"SrcVersion"`
	SrcRelease string `json:"SrcRelease"`
	SrcEpoch   int    `json:"SrcEpoch"`
	Module     string `json:"Modularitylabel"`
	Maintainer string `json:"Maintainer"`
	Identifier struct {
		PURL string `json:"PURL"`
	} `json:"Identifier"`
}

type vulnerability struct {
	ID         string `json:"VulnerabilityID"`
	Package    string `json:"PkgName"`
	Installed  string `json:"InstalledVersion"`
	Fixed      string `json:"FixedVersion"`
	Identifier struct {
		PURL string `json:"PURL"`
	} `json:"PkgIdentifier"`
}

// Parse reads one report, without options.
func Parse(name string, data []byte) ([]inventory.Facts, []inventory.Problem) {
	return Options{}.Parse(name, data)
}

// Parse reads one report. It gives the facts of one host, or none where the
// report is not about a host and Options names none.
func (o Options) Parse(name string, data []byte) ([]inventory.Facts, []inventory.Problem) {
	p := &inventory.Problems{File: name}
	r, ok := decode(data, p)
	if !ok {
		return nil, p.List
	}
	host, why := o.host(&r)
	if why != "" {
		p.Lost("", "no usable host: %s", why)
		return nil, p.List
	}
	f := inventory.Facts{Host: host, At: inventory.Moment(r.CreatedAt), Source: Source, OS: r.system()}
	if f.At.IsZero() {
		f.At = o.At
	}
	f.Packages, f.Findings = r.packages(), r.findings()
	r.remarks(&f, p)
	f.Admit(p)
	return []inventory.Facts{f}, p.List
}

func decode(data []byte, p *inventory.Problems) (r report, ok bool) {
	if legacy := new([]result); inventory.Decode(data, legacy) == nil && slices.ContainsFunc(*legacy, func(x result) bool { return x.Target != "" }) {
		r.SchemaVersion, r.Results = 1, *legacy
		return r, true
	}
	if err := inventory.Decode(data, &r); err != nil {
		p.Lost("", "%v", err)
		return r, false
	}
	switch {
	case r.ClusterName != nil:
		p.Lost("", "no usable host: the report is about the Kubernetes cluster %s; scan its nodes one by one", inventory.Plain(string(r.ClusterName)))
		return r, false
	case r.SchemaVersion == 0 && r.Results == nil:
		p.Lost("", `not a report of Trivy: "SchemaVersion" and "Results" are missing%s`, inventory.Recognise(data))
		return r, false
	}
	return r, true
}

const nameIt = "; if it stands for a host, name that with --host"

// host is the host of a report, or why there is none.
func (o Options) host(r *report) (inventory.HostID, string) {
	if o.Host != "" {
		if !o.Host.Valid() {
			return "", fmt.Sprintf("%q is not a host name; %s", o.Host, inventory.HostGrammar)
		}
		return o.Host, ""
	}
	name := r.ArtifactName
	switch r.ArtifactType {
	case "":
		return "", "the report does not say what was scanned" + nameIt
	case "container_image", "image":
		return "", fmt.Sprintf("the report is about the container image %q", cmp.Or(name, r.target())) + nameIt
	case "cyclonedx", "spdx":
		return "", fmt.Sprintf("the report is about the bill of materials %q", name) + nameIt
	case "repository":
		return "", fmt.Sprintf("the report is about the source repository %q", name) + nameIt
	case "vm":
		if slices.Contains(images, strings.ToLower(path.Ext(name))) || !inventory.HostID(name).Valid() {
			return "", fmt.Sprintf("the report is about the disk image %q, which is not a host name; say which host it is of with --host", name)
		}
	case "filesystem", "rootfs":
		if r.Metadata.OS == nil {
			return "", fmt.Sprintf("the report is about the files under %q, which hold no operating system", name) + nameIt
		}
		if !inventory.HostID(name).Valid() {
			return "", fmt.Sprintf("the report is about the root %q, which is not a host name; say which host it is of with --host", name)
		}
	default:
		return "", fmt.Sprintf("the report is about a %q named %q", r.ArtifactType, name) + nameIt
	}
	return inventory.HostID(name), ""
}

// images are the endings of files that hold a disk.
var images = []string{".img", ".qcow2", ".raw", ".vmdk", ".vhd", ".vhdx", ".vdi", ".iso", ".ova"}

// target is what the first result was found in.
func (r *report) target() string {
	if len(r.Results) == 0 {
		return ""
	}
	return r.Results[0].Target
}

func (r *report) system() *inventory.OS {
	os := &inventory.OS{}
	if r.Metadata.OS != nil && r.Metadata.OS.Family != "none" {
		os.ID = inventory.SystemID(r.Metadata.OS.Family)
		os.Version, os.Name = release(os.ID, r.Metadata.OS.Name)
	}
	os.Arch = inventory.SystemArch(os.ID, r.machine())
	return os
}

// release is what VERSION_ID would be, and the name: Trivy has "2 (Karoo)" and
// "AMI release 2018.03" for Amazon Linux.
func release(id, text string) (string, string) {
	name := inventory.SystemName(id, text)
	if id == "amzn" {
		text = strings.TrimPrefix(text, "AMI release ")
		text, _, _ = strings.Cut(text, " ")
	}
	return text, name
}

// machine is the image's architecture, else the one that packages of the
// operating system have most often.
func (r *report) machine() string {
	if a := r.Metadata.ImageConfig.Architecture; a != "" {
		return a
	}
	counts, best := map[string]int{}, ""
	see := func(arch string) {
		if arch == "" || arch == "noarch" || arch == "all" || arch == "None" {
			return
		}
		counts[arch]++
		if n := counts[arch]; n > counts[best] || n == counts[best] && arch < best {
			best = arch
		}
	}
	for _, x := range r.Results {
		if x.Class != "os-pkgs" && x.Class != "" {
			continue
		}
		for _, b := range x.Packages {
			see(b.Arch)
		}
		for _, v := range x.Vulnerabilities {
			see(qualifier(v.Identifier.PURL, "arch"))
		}
	}
	return best
}

// qualifier is the value of a package URL's qualifier, "" where it has none.
func qualifier(purl, name string) string {
	_, list, _ := strings.Cut(purl, "?")
	list, _, _ = strings.Cut(list, "#")
	for pair := range strings.SplitSeq(list, "&") {
		if k, v, _ := strings.Cut(pair, "="); k == name {
			return v
		}
	}
	return ""
}

// packageType is the type of a result's packages: those of the operating system,
// or generic ones of a language.
func (r result) packageType() version.Type {
	if t := inventory.PackageType(inventory.SystemID(r.Type)); t != "" && r.Class != "lang-pkgs" {
		return t
	}
	return version.Generic
}

func (r *report) packages() []inventory.Package {
	var list []inventory.Package
	for _, x := range r.Results {
		for _, b := range x.Packages {
			list = append(list, b.as(x.packageType()))
		}
	}
	return list
}

func (b pkg) as(t version.Type) inventory.Package {
	p := inventory.Package{
		Type: t, Name: b.Name, Version: full(b.Epoch, b.Version, b.Release), Arch: b.Arch,
		Source: b.SrcName, SourceVersion: full(b.SrcEpoch, b.SrcVersion, b.SrcRelease), Module: inventory.ModuleStream(b.Module),
	}
	if p.Arch == "None" {
		p.Arch = "" // keys in the rpm database
	}
	if t == version.RPM {
		p.Vendor = b.Maintainer // Trivy puts rpm's vendor there; for dpkg it is a person's address
	}
	return p
}

func full(epoch int, v, release string) string {
	if v == "" {
		return ""
	}
	if release != "" {
		v += "-" + release
	}
	if epoch != 0 {
		v = fmt.Sprintf("%d:%s", epoch, v)
	}
	return v
}

func (r *report) findings() []inventory.Finding {
	var list []inventory.Finding
	for _, x := range r.Results {
		for _, v := range x.Vulnerabilities {
			f := inventory.Finding{ID: v.ID, Package: v.Package, Fixed: inventory.FirstFix(x.packageType(), v.Installed, v.Fixed), Installed: v.Installed}
			if inventory.IsCVE(v.ID) {
				f.CVE, f.ID = v.ID, ""
			}
			list = append(list, f)
		}
	}
	return list
}

// remarks says what the report could have told and does not.
func (r *report) remarks(f *inventory.Facts, p *inventory.Problems) {
	where := fmt.Sprintf("host %q", f.Host)
	if !slices.ContainsFunc(r.Results, func(x result) bool { return len(x.Packages) > 0 }) {
		p.Note(where, "the report lists findings only, not the packages installed; run trivy with --list-all-pkgs to have them")
	}
	if f.OS.ID == "" {
		p.Note(where, "the report does not say which operating system this is")
	}
}

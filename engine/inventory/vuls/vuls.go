// Package vuls reads the results of the Vuls scanner (one JSON file a server)
// into facts.
//
// Vuls keeps one version of each package, by name: of several kernels it lists
// the one that runs. Its own findings stand in the file only once it has
// reported on the scan; a bare scan lists packages alone.
package vuls

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// Source is the value of Facts.Source.
const Source = "vuls"

// result is what is read of a scan result.
type result struct {
	JSONVersion *int   `json:"jsonVersion"`
	ServerName  string `json:"serverName"`
	Family      string `json:"family"`
	Release     string `json:"release"`
	ScannedAt   string `json:"scannedAt"`
	ReportedAt  string `json:"reportedAt"`
	Container   struct {
		ID    string `json:"containerID"`
		Name  string `json:"name"`
		Image string `json:"image"`
	} `json:"container"`
	RunningKernel struct {
		Release        string `json:"release"`
		Version        string `json:"version"`
		RebootRequired bool   `json:"rebootRequired"`
	} `json:"runningKernel"`
	Packages    map[string]binary  `json:"packages"`
	SrcPackages map[string]sources `json:"SrcPackages"`
	ScannedCVEs map[string]cve     `json:"scannedCves"`
	WindowsKB   *struct {
		Applied   []string `json:"applied"`
		Unapplied []string `json:"unapplied"`
	} `json:"windowsKB"`
	IPv4   []string `json:"ipv4Addrs"`
	IPv6   []string `json:"ipv6Addrs"`
	Errors []string `json:"errors"`
}

type binary struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Release string `json:"release"`
	Arch    string `json:"arch"`
	Vendor  string `json:"vendor"`
	Module  string `json:"modularitylabel"`
}

type sources struct {
	Name     string   `json:"name"`
	Version  string   `json:"version"`
	Binaries []string `json:"binaryNames"`
}

type cve struct {
	ID       string `json:"cveID"`
	Affected []struct {
		Name    string `json:"name"`
		FixedIn string `json:"fixedIn"`
	} `json:"affectedPackages"`
	KBFixedIns []string `json:"windowsKBFixedIns"`
}

// Parse reads one result. The time of the facts is when Vuls scanned, else when
// it reported; it is zero where the file says neither. A container or a pseudo
// server is not a host, and said to be none.
func Parse(name string, data []byte) ([]inventory.Facts, []inventory.Problem) {
	p := &inventory.Problems{File: name}
	r, ok := decode(data, p)
	if !ok || !r.host(p) {
		return nil, p.List
	}
	f := inventory.Facts{
		Host: inventory.HostID(r.ServerName), At: r.at(), Source: Source, Address: address(slices.Concat(r.IPv4, r.IPv6)),
		OS: r.system(), Packages: r.packages(), Findings: r.findings(), RebootPending: r.reboot(),
	}
	for _, text := range r.Errors {
		p.Note(fmt.Sprintf("host %q", r.ServerName), "vuls itself reports: %s", inventory.Plain(text))
	}
	f.Admit(p)
	return []inventory.Facts{f}, p.List
}

func decode(data []byte, p *inventory.Problems) (r result, ok bool) {
	if err := inventory.Decode(data, &r); err != nil {
		p.Lost("", "%v", err)
		return r, false
	}
	if r.JSONVersion == nil && r.ServerName == "" {
		p.Lost("", `not a result of Vuls: "jsonVersion" and "serverName" are missing%s`, inventory.Recognise(data))
		return r, false
	}
	return r, true
}

// host says whether the result is about a host that can be named.
func (r *result) host(p *inventory.Problems) bool {
	id := inventory.HostID(r.ServerName)
	switch {
	case r.Container.ID != "":
		p.Lost("", "the result is of container %q on server %q, which is not a host; import the server's own result", cmp.Or(r.Container.Name, r.Container.ID), r.ServerName)
	case r.ServerName == "":
		p.Lost("serverName", "no usable host: the name is missing")
	case !id.Valid():
		p.Lost("serverName", "no usable host: %q is not a host name; %s", r.ServerName, inventory.HostGrammar)
	case r.Family == "pseudo":
		p.Lost(fmt.Sprintf("host %q", id), "no usable host: it is a pseudo server of Vuls, which stands for CPE names and has no packages")
	default:
		return true
	}
	return false
}

func (r *result) at() time.Time {
	if at := inventory.Moment(r.ScannedAt); !at.IsZero() {
		return at
	}
	return inventory.Moment(r.ReportedAt)
}

func (r *result) system() *inventory.OS {
	os := inventory.OS{ID: inventory.SystemID(r.Family), Version: r.Release, Kernel: cmp.Or(r.RunningKernel.Release, r.RunningKernel.Version)}
	switch {
	case os.ID == "windows":
		os.Version, os.Name, os.Arch = r.RunningKernel.Version, r.Release, windowsArch(r.Release)
		return &os
	case os.ID == "opensuse" && strings.EqualFold(r.Release, "tumbleweed"):
		os.ID, os.Version = "opensuse-tumbleweed", ""
	}
	os.Name = inventory.SystemName(os.ID, os.Version)
	os.Arch = inventory.SystemArch(os.ID, r.machine())
	return &os
}

// machines are the endings of kernel releases that name a processor.
var machines = []string{"x86_64", "aarch64", "i686", "i386", "ppc64le", "s390x", "amd64", "arm64", "armhf", "riscv64"}

// machine is the processor: what the running kernel's release ends with, else
// the one architecture that the packages have.
func (r *result) machine() string {
	for _, m := range machines {
		if strings.HasSuffix(r.RunningKernel.Release, "."+m) || strings.HasSuffix(r.RunningKernel.Release, "-"+m) {
			return m
		}
	}
	counts := map[string]int{}
	for _, b := range r.Packages {
		if slices.Contains(machines, b.Arch) {
			counts[b.Arch]++
		}
	}
	if len(counts) == 0 {
		return ""
	}
	return slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(counts[b]-counts[a], cmp.Compare(a, b))
	})[0]
}

func windowsArch(release string) string {
	for word := range strings.FieldsSeq(release) {
		switch strings.ToLower(word) {
		case "x64-based":
			return "x86_64"
		case "arm64-based":
			return "arm64"
		case "32-bit":
			return "x86"
		}
	}
	return ""
}

// reboot is whether a reboot is pending. Vuls looks only where it knows the
// packages of the kernel (dpkg and rpm) and a kernel runs; elsewhere its "false"
// says nothing.
func (r *result) reboot() *bool {
	switch inventory.PackageType(inventory.SystemID(r.Family)) {
	case version.Deb, version.RPM:
	default:
		return nil
	}
	if r.RunningKernel.Release == "" {
		return nil
	}
	pending := r.RunningKernel.RebootRequired
	return &pending
}

func (r *result) packages() []inventory.Package {
	typ := inventory.PackageType(inventory.SystemID(r.Family))
	origin := r.origins()
	var list []inventory.Package
	for _, key := range slices.Sorted(maps.Keys(r.Packages)) {
		list = append(list, r.Packages[key].as(typ, cmp.Or(r.Packages[key].Name, key), origin))
	}
	if r.WindowsKB != nil {
		for _, kb := range r.WindowsKB.Applied {
			list = append(list, inventory.Package{Type: version.Windows, Name: update(kb)})
		}
	}
	return list
}

func (b binary) as(typ version.Type, name string, origin map[string]sources) inventory.Package {
	v := b.Version
	if b.Release != "" {
		v += "-" + b.Release
	}
	arch := b.Arch
	if arch == "(none)" {
		arch = "" // rpm's word for keys, which are no software
	}
	switch typ {
	case version.Windows:
		typ = version.Generic // programs; updates of Windows stand in windowsKB
	case "":
		typ = version.Generic // pkg of the BSDs and macOS
	}
	return inventory.Package{
		Type: typ, Name: name, Version: v, Arch: arch, Vendor: b.Vendor, Module: inventory.ModuleStream(b.Module),
		Source: origin[name].Name, SourceVersion: origin[name].Version,
	}
}

// origins are the source packages by the names of what is built from them.
func (r *result) origins() map[string]sources {
	origin := map[string]sources{}
	for _, key := range slices.Sorted(maps.Keys(r.SrcPackages)) {
		s := r.SrcPackages[key]
		s.Name = cmp.Or(s.Name, key)
		for _, b := range s.Binaries {
			if _, there := origin[b]; !there {
				origin[b] = s
			}
		}
	}
	return origin
}

// findings are the CVEs that Vuls reported, and the updates of Windows that it
// says are missing.
func (r *result) findings() []inventory.Finding {
	var list []inventory.Finding
	for _, key := range slices.Sorted(maps.Keys(r.ScannedCVEs)) {
		c := r.ScannedCVEs[key]
		f := finding(cmp.Or(c.ID, key))
		for _, a := range c.Affected {
			f.Package, f.Fixed = a.Name, a.FixedIn
			list = append(list, f)
		}
		for _, kb := range c.KBFixedIns {
			f.Package, f.Fixed = update(kb), ""
			list = append(list, f)
		}
		if len(c.Affected)+len(c.KBFixedIns) == 0 {
			list = append(list, f)
		}
	}
	if r.WindowsKB != nil {
		for _, kb := range r.WindowsKB.Unapplied {
			list = append(list, inventory.Finding{ID: update(kb), Package: update(kb)})
		}
	}
	return list
}

func finding(id string) inventory.Finding {
	if inventory.IsCVE(id) {
		return inventory.Finding{CVE: id}
	}
	return inventory.Finding{ID: id}
}

// update is the name of an update of Windows.
func update(kb string) string {
	kb = strings.TrimSpace(kb)
	if kb == "" || strings.HasPrefix(strings.ToUpper(kb), "KB") {
		return strings.ToUpper(kb)
	}
	return "KB" + kb
}

// address is the first address by which others could reach the host.
func address(list []string) string {
	for _, text := range list {
		a, err := netip.ParseAddr(text)
		if err == nil && !a.IsLoopback() && !a.IsLinkLocalUnicast() && !a.IsUnspecified() {
			return a.String()
		}
	}
	return ""
}

package osquery

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// row is a row by column. osquery writes every value as text; numbers are taken
// too.
type row map[string]string

// UnmarshalJSON reads texts, numbers and null.
func (r *row) UnmarshalJSON(data []byte) error {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(data, &m); err != nil {
		return err
	}
	*r = row{}
	for k, raw := range m {
		var s string
		if json.Unmarshal(raw, &s) != nil {
			s = string(raw)
		}
		(*r)[k] = s
	}
	return nil
}

// tables are tables by the columns that tell them apart, the most telling first.
var tables = []struct {
	name    string
	columns []string
}{
	{"patches", []string{"hotfix_id"}},
	{"system_info", []string{"hostname", "physical_memory"}},
	{"uptime", []string{"total_seconds"}},
	{"os_version", []string{"name", "version", "platform"}},
	{"mounts", []string{"path", "blocks", "blocks_size"}},
	{"interface_addresses", []string{"interface", "address"}},
	{"rpm_packages", []string{"name", "version", "release"}},
	{"deb_packages", []string{"name", "version", "revision"}},
	{"deb_packages", []string{"name", "version", "maintainer"}},
	{"deb_packages", []string{"name", "version", "status"}},
	{"programs", []string{"name", "version", "publisher"}},
	{"kernel_info", []string{"version", "arguments"}},
}

func (r row) table() string {
	for _, t := range tables {
		if !slices.ContainsFunc(t.columns, func(c string) bool { _, ok := r[c]; return !ok }) {
			return t.name
		}
	}
	return ""
}

func (s *state) facts(host inventory.HostID, p *inventory.Problems) inventory.Facts {
	f := inventory.Facts{Host: host, At: s.at, Source: Source}
	unknown := 0
	for _, query := range slices.Sorted(maps.Keys(s.answers)) {
		for _, r := range s.answers[query].rows {
			if !r.into(&f) {
				unknown++
			}
		}
	}
	if unknown > 0 {
		p.Lost(fmt.Sprintf("host %q", host), "rows left out, their columns are of no table that ringmaster reads (%d)", unknown)
	}
	if f.OS != nil {
		f.OS.Arch = inventory.SystemArch(f.OS.ID, f.OS.Arch)
	}
	return f
}

// into adds a row to the facts; false where its table is unknown.
func (r row) into(f *inventory.Facts) bool {
	switch r.table() {
	case "patches":
		f.Packages = append(f.Packages, inventory.Package{Type: version.Windows, Name: strings.ToUpper(r["hotfix_id"])})
	case "rpm_packages":
		f.Packages = append(f.Packages, r.rpm())
	case "deb_packages":
		if s := r["status"]; s == "" || strings.HasSuffix(s, " installed") {
			f.Packages = append(f.Packages, r.deb())
		}
	case "programs":
		f.Packages = append(f.Packages, inventory.Package{Type: version.Generic, Name: r["name"], Version: r["version"], Vendor: r["publisher"]})
	case "os_version":
		r.system(f)
	case "kernel_info":
		system(f).Kernel = r["version"]
	case "system_info":
		f.MemMB = mebi(r["physical_memory"], "1")
	case "uptime":
		f.UptimeS = count(r["total_seconds"])
	case "mounts":
		if r["path"] == "/" {
			f.DiskMB, f.DiskFreeMB = mebi(r["blocks"], r["blocks_size"]), mebi(r["blocks_available"], r["blocks_size"])
		}
	case "interface_addresses":
		a, err := netip.ParseAddr(r["address"])
		if err == nil && f.Address == "" && !a.IsLoopback() && !a.IsLinkLocalUnicast() {
			f.Address = a.String()
		}
	default:
		return false
	}
	return true
}

func (r row) rpm() inventory.Package {
	p := inventory.Package{Type: version.RPM, Name: r["name"], Version: r["version"] + "-" + r["release"], Arch: r["arch"], Vendor: r["vendor"]}
	if e := r["epoch"]; e != "" && e != "0" && e != "null" {
		p.Version = e + ":" + p.Version
	}
	if s, ok := strings.CutSuffix(r["source"], ".src.rpm"); ok {
		p.Source, p.SourceVersion = inventory.SourceRPM(s)
		if _, v, cut := strings.Cut(p.Version, ":"); cut && p.SourceVersion == v {
			p.SourceVersion = "" // the file's name leaves the epoch out
		}
	}
	return p
}

// deb reads a row of deb_packages, whose source may carry a version: "glibc
// (2.31-1)".
func (r row) deb() inventory.Package {
	p := inventory.Package{Type: version.Deb, Name: r["name"], Version: r["version"], Arch: r["arch"]}
	source, v, _ := strings.Cut(r["source"], " (")
	p.Source, p.SourceVersion = source, strings.TrimSuffix(v, ")")
	if p.Source == "" {
		p.Source = p.Name // dpkg leaves out what is the same
	}
	return p
}

func system(f *inventory.Facts) *inventory.OS {
	if f.OS == nil {
		f.OS = &inventory.OS{}
	}
	return f.OS
}

func (r row) system(f *inventory.Facts) {
	os := system(f)
	os.ID, os.Name, os.Version, os.Arch = inventory.SystemID(r["platform"]), r["name"], r["version"], r["arch"]
	if strings.Contains(r["name"], "Windows") {
		os.ID = "windows"
	}
	// Linux writes the name into the version: "12 (bookworm)".
	os.Version, _, _ = strings.Cut(os.Version, " ")
}

func count(s string) *int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return nil
	}
	return &n
}

// mebi is a number of blocks in MiB.
func mebi(blocks, size string) *int64 {
	n, each := count(blocks), count(size)
	if n == nil || each == nil || *each > 1<<30 || *n > 1<<60/max(*each, 1) {
		return nil
	}
	mb := *n * *each >> 20
	return &mb
}

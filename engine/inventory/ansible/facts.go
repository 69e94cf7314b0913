package ansible

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// facts are what setup said of a host. Names are looked up without "ansible_",
// which some dumps have and others leave out.
type facts map[string]json.RawMessage

func (f facts) raw(name string) json.RawMessage {
	if v, ok := f["ansible_"+name]; ok {
		return v
	}
	return f[name]
}

// text is a fact as text: "" where it is absent, null, "NA" or an object.
func (f facts) text(name string) string { return text(f.raw(name)) }

func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		if s = inventory.Plain(s); s == "NA" || s == "N/A" {
			return ""
		}
		return s
	}
	var n json.Number
	if json.Unmarshal(raw, &n) == nil {
		return n.String()
	}
	return ""
}

// count is a fact as a whole number of at least 0, nil where it is none. Old
// modules write numbers as text.
func (f facts) count(name string) *int64 { return count(f.text(name)) }

func count(s string) *int64 {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || !(x >= 0 && x < math.MaxInt64/2) {
		return nil
	}
	n := int64(x)
	return &n
}

// names are the usable names that the machine gives itself, the best first.
func (f facts) names() []string {
	var list []string
	for _, key := range []string{"fqdn", "nodename", "hostname"} {
		n := strings.TrimSuffix(f.text(key), ".")
		switch strings.ToLower(n) {
		case "", "localhost", "localhost.localdomain", "localhost6", "unknown", "(none)":
			continue
		}
		if inventory.HostID(n).Valid() && !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	return list
}

func (f facts) read(host inventory.HostID, p *inventory.Problems) inventory.Facts {
	os := f.system()
	disk, free := f.disk(os.ID)
	return inventory.Facts{
		Host: host, At: f.at(), Source: Source, Address: f.address(), OS: os,
		Packages: f.packages(host, p), UptimeS: f.count("uptime_seconds"), RebootPending: f.flag("reboot_pending"),
		MemMB: f.count("memtotal_mb"), MemFreeMB: f.count("memfree_mb"), DiskMB: disk, DiskFreeMB: free,
	}
}

func (f facts) flag(name string) *bool {
	var b *bool
	_ = json.Unmarshal(f.raw(name), &b)
	return b
}

// at is the host's clock when it answered.
func (f facts) at() time.Time {
	var d facts
	_ = json.Unmarshal(f.raw("date_time"), &d)
	if at := inventory.Moment(d.text("iso8601")); !at.IsZero() {
		return at
	}
	if s := count(d.text("epoch_int")); s != nil && *s > 0 {
		return time.Unix(*s, 0).UTC()
	}
	if s := count(d.text("epoch")); s != nil && *s > 0 {
		return time.Unix(*s, 0).UTC()
	}
	return time.Time{}
}

func (f facts) address() string {
	var primary facts
	_ = json.Unmarshal(f.raw("default_ipv4"), &primary)
	all := []string{primary.text("address")}
	for _, key := range []string{"all_ipv4_addresses", "ip_addresses", "all_ipv6_addresses"} {
		var list []string
		_ = json.Unmarshal(f.raw(key), &list)
		all = append(all, list...)
	}
	for _, s := range all {
		if a, err := netip.ParseAddr(s); err == nil && !a.IsLoopback() && !a.IsLinkLocalUnicast() {
			return a.String()
		}
	}
	return ""
}

func (f facts) system() *inventory.OS {
	id := inventory.SystemID(cmp.Or(f.text("distribution"), f.text("system"), f.text("os_family")))
	release := f.text("distribution_version")
	// Old modules swap version and release of the BSDs: "release" and "5.6".
	if !numbered(release) && numbered(f.text("distribution_release")) {
		release = f.text("distribution_release")
	}
	os := &inventory.OS{ID: id, Version: release, Kernel: f.text("kernel"), Name: f.systemName(id, release)}
	if id == "windows" && os.Kernel == "" && strings.Count(release, ".") >= 2 {
		os.Kernel = release
	}
	os.Arch = inventory.SystemArch(id, cmp.Or(f.text("architecture"), f.text("machine")))
	return os
}

func numbered(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }

// systemName is the name as a person would say it: lsb has it on Linux, the
// release on Solaris, the distribution itself on Windows.
func (f facts) systemName(id, release string) string {
	var lsb facts
	_ = json.Unmarshal(f.raw("lsb"), &lsb)
	if n := lsb.text("description"); n != "" {
		return n
	}
	switch id {
	case "solaris":
		return cmp.Or(f.text("distribution_release"), inventory.SystemName(id, release))
	case "windows":
		if n := f.text("os_name"); n != "" {
			return n
		}
		if n := f.text("distribution"); len(n) > len("windows") {
			return n
		}
	}
	return inventory.SystemName(id, release)
}

// disk is the size and free space of the file system that packages go to, in
// MiB: "/", or C: on Windows.
func (f facts) disk(id string) (size, free *int64) {
	var mounts []facts
	if json.Unmarshal(f.raw("mounts"), &mounts) != nil {
		return nil, nil
	}
	for _, m := range mounts {
		at := m.text("mount")
		if at == "/" || id == "windows" && strings.HasPrefix(strings.ToUpper(at), "C:") {
			return mebi(count(m.text("size_total"))), mebi(count(m.text("size_available")))
		}
	}
	return nil, nil
}

func mebi(bytes *int64) *int64 {
	if bytes == nil {
		return nil
	}
	n := *bytes >> 20
	return &n
}

// managers are the package managers that package_facts reads, by the type of
// their packages.
var managers = map[string]version.Type{"apt": version.Deb, "rpm": version.RPM, "apk": version.APK}

type installed struct {
	Name    string          `json:"name"`
	Version string          `json:"version"`
	Release json.RawMessage `json:"release"`
	Epoch   json.RawMessage `json:"epoch"`
	Arch    string          `json:"arch"`
	Source  string          `json:"source"`
	Vendor  string          `json:"vendor"`
}

// packages reads what package_facts adds; setup alone knows of none.
func (f facts) packages(host inventory.HostID, p *inventory.Problems) []inventory.Package {
	raw := f.raw("packages")
	if raw == nil {
		return nil
	}
	where := fmt.Sprintf("host %q", host)
	var byName map[string][]installed
	if err := json.Unmarshal(raw, &byName); err != nil {
		p.Lost(where, "its packages are left out: they are not what package_facts writes: %v", err)
		return nil
	}
	var list []inventory.Package
	unknown := map[string]int{}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		for _, i := range byName[name] {
			t, ok := managers[i.Source]
			if !ok {
				unknown[i.Source]++
				continue
			}
			list = append(list, i.as(t, cmp.Or(i.Name, name)))
		}
	}
	for _, m := range slices.Sorted(maps.Keys(unknown)) {
		p.Lost(where, "%d packages of the manager %q are left out: ringmaster knows no order of their versions", unknown[m], inventory.Plain(m))
	}
	return list
}

func (i installed) as(t version.Type, name string) inventory.Package {
	v := i.Version
	if r := text(i.Release); r != "" {
		v += "-" + r
	}
	if e := text(i.Epoch); e != "" && e != "0" {
		v = e + ":" + v
	}
	return inventory.Package{Type: t, Name: name, Version: v, Arch: i.Arch, Vendor: i.Vendor}
}

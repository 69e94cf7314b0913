package local

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

func TestOSRelease(t *testing.T) {
	got := OSRelease([]byte("# x\nNAME=\"AlmaLinux\"\nID=\"almalinux\"\nVERSION_ID='9.3'\r\nPRETTY_NAME=\"Alma \\\"x\\\"\"\n"))
	if d := cmp.Diff(&inventory.OS{ID: "almalinux", Version: "9.3", Name: `Alma "x"`}, got); d != "" {
		t.Errorf("OSRelease: %s", d)
	}
	if got := OSRelease([]byte("NAME=x\n")); got != nil {
		t.Errorf("OSRelease without ID = %+v, want nil", got)
	}
}

func TestDpkg(t *testing.T) {
	got := Dpkg([]byte(`Package: libc6
Status: install ok installed
Architecture: amd64
Source: glibc (2.36-10)
Version: 2.36-9
Description: GNU C Library
 Version: 9
 Package: no

Package: gone
Status: deinstall ok config-files
Version: 1

Package: bash
Status: hold ok installed
Version: 5.2-1`))
	want := []inventory.Package{
		{Type: version.Deb, Name: "libc6", Version: "2.36-9", Arch: "amd64", Source: "glibc", SourceVersion: "2.36-10"},
		{Type: version.Deb, Name: "bash", Version: "5.2-1", Source: "bash"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("Dpkg: %s", d)
	}
}

func TestAPK(t *testing.T) {
	got := APK([]byte("C:Q1x=\nP:musl\nV:1.2.4-r2\nA:x86_64\no:musl\nF:lib\nR:x\n\nP:.build-deps\nV:20240101.000000\n"))
	want := []inventory.Package{
		{Type: version.APK, Name: "musl", Version: "1.2.4-r2", Arch: "x86_64", Source: "musl"},
		{Type: version.APK, Name: ".build-deps", Version: "20240101.000000"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("APK: %s", d)
	}
}

func TestRPM(t *testing.T) {
	got, strange := RPM([]byte("nodejs\t1\t18.19.1\t1.el8\tx86_64\tnodejs-18.19.1-1.el8.src.rpm\tAlmaLinux\tnodejs:18:8090:abc\n" +
		"gpg-pubkey\t(none)\tabc\tdef\t(none)\t(none)\t(none)\t(none)\nerror: cannot open\n" +
		"libnm\t1\t1.40\t9.el8\tx86_64\tNetworkManager-1.40-8.el8.src.rpm\t(none)\t(none)\n"))
	want := []inventory.Package{
		{Type: version.RPM, Name: "nodejs", Version: "1:18.19.1-1.el8", Arch: "x86_64", Source: "nodejs", Vendor: "AlmaLinux", Module: "nodejs:18"},
		{Type: version.RPM, Name: "gpg-pubkey", Version: "abc-def"},
		{Type: version.RPM, Name: "libnm", Version: "1:1.40-9.el8", Arch: "x86_64", Source: "NetworkManager", SourceVersion: "1.40-8.el8"},
	}
	if d := cmp.Diff(want, got); d != "" || strange != 1 {
		t.Errorf("RPM: %s, %d strange", d, strange)
	}
}

func TestProc(t *testing.T) {
	total, free := Meminfo([]byte("MemTotal:        8045000 kB\nMemFree:          100000 kB\nMemAvailable:    2048000 kB\nHugePages_Total:       0\n"))
	if total == nil || free == nil || *total != 7856 || *free != 2000 {
		t.Errorf("Meminfo = %v, %v", total, free)
	}
	if total, free := Meminfo(nil); total != nil || free != nil {
		t.Errorf("Meminfo of nothing = %v, %v", total, free)
	}
	if up := Uptime([]byte("86400.55 1000.1\n")); up == nil || *up != 86400 {
		t.Errorf("Uptime = %v", up)
	}
	if up := Uptime([]byte("x")); up != nil {
		t.Errorf("Uptime = %v", up)
	}
}

// FuzzLocal: no text makes a reader fail, and none gives what an estate cannot
// read once admitted.
func FuzzLocal(f *testing.F) {
	f.Add([]byte("Package: a\nStatus: install ok installed\nVersion: 1\n"))
	f.Add([]byte("P:a\nV:1\n\nID=x\nMemTotal: 1 kB\n1.5 2\na\t1\t2\t3\t4\t5\t6\t7\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		rpms, _ := RPM(data)
		facts := inventory.Facts{Host: "x", OS: OSRelease(data), UptimeS: Uptime(data)}
		facts.MemMB, facts.MemFreeMB = Meminfo(data)
		facts.Packages = append(append(Dpkg(data), APK(data)...), rpms...)
		facts.Admit(&inventory.Problems{})
		again := &inventory.Problems{}
		if facts.Admit(again); len(again.List) > 0 {
			t.Errorf("admitted twice: %v", again.List)
		}
	})
}

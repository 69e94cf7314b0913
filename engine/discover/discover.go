// Package discover finds the facts of the machine it runs on, or of a file
// system that is mounted somewhere: its files are read and rpm is asked, where
// its database is there. Nothing is changed and nothing is contacted.
package discover

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/inventory/local"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// Source is the value of Facts.Source.
const Source = "discover"

// Options says where to look. The zero value, with a time, is this machine.
type Options struct {
	Root string           // where the file system is mounted, "" is "/": this machine
	Host inventory.HostID // what to call the host, "" as it calls itself
	At   time.Time        // the time of the facts
}

// Facts returns the facts of a machine, with what could not be found as
// problems. The error is that there is no host to speak of.
func (o Options) Facts(ctx context.Context) (inventory.Facts, []inventory.Problem, error) {
	m := machine{root: o.Root, live: o.Root == "" || filepath.Clean(o.Root) == "/", problems: &inventory.Problems{File: "this machine"}}
	if m.live {
		m.root = "/"
	} else {
		m.problems.File = o.Root
	}
	f := inventory.Facts{Host: o.Host, At: o.At.UTC(), Source: Source}
	if f.Host == "" {
		f.Host = inventory.HostID(m.name())
	}
	if !f.Host.Valid() {
		return f, nil, fmt.Errorf("the machine calls itself %q, which is not a host name; %s", f.Host, inventory.HostGrammar)
	}
	if f.OS = m.system(); f.OS == nil {
		return f, nil, errors.New("this is no system that discover knows: it has no etc/os-release")
	}
	m.packages(ctx, &f)
	if m.live {
		m.running(&f)
	}
	f.Admit(m.problems)
	return f, m.problems.List, nil
}

// machine is the file system being looked at.
type machine struct {
	root     string
	live     bool // it is this machine: its kernel, memory and addresses are ours
	problems *inventory.Problems
}

// read returns a file, nil where it is not there. What else keeps it from being
// read is a problem.
func (m machine) read(name string) []byte {
	data, err := os.ReadFile(filepath.Join(m.root, name))
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			m.problems.Lost("", "%v", err)
		}
		return nil
	}
	return data
}

func (m machine) there(name string) bool {
	_, err := os.Stat(filepath.Join(m.root, name))
	return err == nil
}

// name is the host name: what the kernel says of this machine, else the file.
func (m machine) name() string {
	if m.live {
		if n, err := os.Hostname(); err == nil {
			return n
		}
	}
	return strings.TrimSpace(string(m.read("etc/hostname")))
}

func (m machine) system() *inventory.OS {
	for _, name := range []string{"etc/os-release", "usr/lib/os-release"} {
		if system := local.OSRelease(m.read(name)); system != nil {
			return system
		}
	}
	return nil
}

// packages reads every package database that is there.
func (m machine) packages(ctx context.Context, f *inventory.Facts) {
	found := false
	if data := m.read("var/lib/dpkg/status"); data != nil {
		found = true
		f.Packages = append(f.Packages, local.Dpkg(data)...)
	}
	for _, name := range []string{"usr/lib/apk/db/installed", "lib/apk/db/installed"} {
		if data := m.read(name); data != nil {
			found = true
			f.Packages = append(f.Packages, local.APK(data)...)
			break
		}
	}
	if m.there("var/lib/rpm") || m.there("usr/lib/sysimage/rpm") {
		found = m.rpm(ctx, f) || found
	}
	if !found {
		m.problems.Lost("", "no packages found: there is no database of dpkg, apk or rpm that can be read")
	}
	if arch := f.Packages; len(arch) > 0 && f.OS.Arch == "" {
		f.OS.Arch = inventory.SystemArch(f.OS.ID, m.arch(arch))
	}
}

// rpm asks rpm, which alone reads all forms of its database. On a system of dpkg
// the folder may be there without anything in it.
func (m machine) rpm(ctx context.Context, f *inventory.Facts) bool {
	program, err := exec.LookPath("rpm")
	if err != nil {
		if inventory.PackageType(f.OS.ID) == version.RPM {
			m.problems.Lost("", "the packages of rpm are not read: the command rpm is not here")
		}
		return false
	}
	cmd := exec.CommandContext(ctx, program, "--root", m.absolute(), "-qa", "--queryformat", local.RPMQuery)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	out, err := cmd.Output()
	if err != nil {
		m.problems.Lost("", "the packages of rpm are not read: %s: %v", program, err)
		return false
	}
	list, strange := local.RPM(out)
	if strange > 0 {
		m.problems.Lost("", "lines of rpm that are no packages (%d)", strange)
	}
	f.Packages = append(f.Packages, list...)
	return true
}

func (m machine) absolute() string {
	if abs, err := filepath.Abs(m.root); err == nil {
		return abs
	}
	return m.root
}

// arch is the processor: our own where the machine is ours, else the one that
// most packages are for.
func (m machine) arch(list []inventory.Package) string {
	if m.live {
		return map[string]string{"amd64": "x86_64", "arm64": "aarch64", "386": "i686", "arm": "armv7l"}[runtime.GOARCH]
	}
	counts, best := map[string]int{}, ""
	for _, p := range list {
		if p.Arch == "" || p.Arch == "all" || p.Arch == "noarch" {
			continue
		}
		counts[p.Arch]++
		if n := counts[p.Arch]; n > counts[best] || n == counts[best] && p.Arch < best {
			best = p.Arch
		}
	}
	return best
}

// running adds what only the machine itself can say: kernel, uptime, memory,
// disk, address, and whether a reboot is pending.
func (m machine) running(f *inventory.Facts) {
	f.OS.Kernel = strings.TrimSpace(string(m.read("proc/sys/kernel/osrelease")))
	f.UptimeS = local.Uptime(m.read("proc/uptime"))
	f.MemMB, f.MemFreeMB = local.Meminfo(m.read("proc/meminfo"))
	f.DiskMB, f.DiskFreeMB = disk(m.root)
	f.Address = address()
	if inventory.PackageType(f.OS.ID) == version.Deb {
		pending := m.there("run/reboot-required") || m.there("var/run/reboot-required")
		f.RebootPending = &pending
	}
}

// address is the first address by which others could reach this machine, an IPv4
// one where there is one.
func address() string {
	list, err := net.InterfaceAddrs()
	if err != nil {
		return ""
	}
	best := ""
	for _, a := range list {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil || prefix.Addr().IsLoopback() || prefix.Addr().IsLinkLocalUnicast() {
			continue
		}
		if prefix.Addr().Is4() {
			return prefix.Addr().String()
		}
		if best == "" {
			best = prefix.Addr().String()
		}
	}
	return best
}

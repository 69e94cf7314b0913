// Package local reads what a Linux machine says of itself in its own files and
// commands: os-release, the databases of dpkg and apk, the answers of rpm, and
// /proc. It turns texts into values; package discover fetches the texts.
package local

import (
	"bufio"
	"bytes"
	"iter"
	"strconv"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// OSRelease reads os-release(5); nil where it names no system.
func OSRelease(data []byte) *inventory.OS {
	said := map[string]string{}
	for line := range lines(data) {
		if k, v, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(k, "#") {
			said[strings.TrimSpace(k)] = unquote(strings.TrimSpace(v))
		}
	}
	if said["ID"] == "" {
		return nil
	}
	return &inventory.OS{ID: inventory.SystemID(said["ID"]), Version: said["VERSION_ID"], Name: said["PRETTY_NAME"]}
}

// unquote takes off the quotes of a shell's assignment.
func unquote(s string) string {
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		quote := s[0]
		s = s[1 : len(s)-1]
		if quote == '"' {
			s = strings.NewReplacer(`\"`, `"`, `\\`, `\`, `\$`, `$`, "\\`", "`").Replace(s)
		}
	}
	return s
}

// lines yields lines of any length.
func lines(data []byte) iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range bytes.Lines(data) {
			if !yield(strings.TrimRight(string(line), "\r\n")) {
				return
			}
		}
	}
}

// paragraphs yields the fields of each paragraph of "Name: value" lines; lines
// that go on from the one before are left out.
func paragraphs(data []byte, separator string) iter.Seq[map[string]string] {
	return func(yield func(map[string]string) bool) {
		fields := map[string]string{}
		for line := range lines(data) {
			if strings.TrimSpace(line) == "" {
				if len(fields) > 0 && !yield(fields) {
					return
				}
				fields = map[string]string{}
				continue
			}
			if line[0] == ' ' || line[0] == '\t' {
				continue
			}
			if k, v, ok := strings.Cut(line, separator); ok {
				fields[k] = strings.TrimSpace(v)
			}
		}
		if len(fields) > 0 {
			yield(fields)
		}
	}
}

// Dpkg reads /var/lib/dpkg/status: the packages that are installed, not those
// whose configuration alone is left.
func Dpkg(data []byte) []inventory.Package {
	var list []inventory.Package
	for f := range paragraphs(data, ":") {
		if !strings.HasSuffix(f["Status"], " installed") {
			continue
		}
		p := inventory.Package{Type: version.Deb, Name: f["Package"], Version: f["Version"], Arch: f["Architecture"], Source: f["Package"]}
		if s := f["Source"]; s != "" { // left out where it is the same
			name, v, _ := strings.Cut(s, " (")
			p.Source, p.SourceVersion = name, strings.TrimSuffix(v, ")")
		}
		list = append(list, p)
	}
	return list
}

// APK reads /lib/apk/db/installed.
func APK(data []byte) []inventory.Package {
	var list []inventory.Package
	for f := range paragraphs(data, ":") {
		if f["P"] != "" {
			list = append(list, inventory.Package{Type: version.APK, Name: f["P"], Version: f["V"], Arch: f["A"], Source: f["o"]})
		}
	}
	return list
}

// RPMQuery is the format that RPM reads: `rpm -qa --queryformat RPMQuery`.
const RPMQuery = `%{NAME}\t%{EPOCH}\t%{VERSION}\t%{RELEASE}\t%{ARCH}\t%{SOURCERPM}\t%{VENDOR}\t%{MODULARITYLABEL}\n`

// RPM reads rpm's answer to RPMQuery. A line of another form is not a package
// and is counted.
func RPM(data []byte) (list []inventory.Package, strange int) {
	for line := range lines(data) {
		f := strings.Split(line, "\t")
		if len(f) != 8 {
			if strings.TrimSpace(line) != "" {
				strange++
			}
			continue
		}
		for i := range f {
			if f[i] == "(none)" {
				f[i] = ""
			}
		}
		p := inventory.Package{Type: version.RPM, Name: f[0], Version: f[2] + "-" + f[3], Arch: f[4], Vendor: f[6], Module: inventory.ModuleStream(f[7])}
		var v string
		if p.Source, v = inventory.SourceRPM(f[5]); v != p.Version {
			p.SourceVersion = v
		}
		if f[1] != "" && f[1] != "0" {
			p.Version = f[1] + ":" + p.Version
		}
		list = append(list, p)
	}
	return list, strange
}

// Meminfo reads /proc/meminfo: all memory and what is available, in MiB.
func Meminfo(data []byte) (total, free *int64) {
	get := map[string]*int64{}
	for line := range lines(data) {
		k, v, _ := strings.Cut(line, ":")
		kb, ok := strings.CutSuffix(strings.TrimSpace(v), " kB")
		if n, err := strconv.ParseInt(strings.TrimSpace(kb), 10, 64); ok && err == nil && n >= 0 {
			n /= 1024
			get[k] = &n
		}
	}
	if get["MemAvailable"] == nil { // kernels before 3.14
		return get["MemTotal"], get["MemFree"]
	}
	return get["MemTotal"], get["MemAvailable"]
}

// Uptime reads /proc/uptime.
func Uptime(data []byte) *int64 {
	s := bufio.NewScanner(bytes.NewReader(data))
	s.Split(bufio.ScanWords)
	if !s.Scan() {
		return nil
	}
	whole, _, _ := strings.Cut(s.Text(), ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n < 0 {
		return nil
	}
	return &n
}

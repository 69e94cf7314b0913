package osv

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// fixes reads what one entry of "affected" says.
func (r *reading) fixes(x *affected, eco ecosystem, streams []string) []advisory.Fix {
	if x.Package.Name == "" {
		r.problem("an affected package has no name; it is left out")
		return nil
	}
	base := advisory.Fix{Platform: eco.platform, Type: eco.typ, Package: x.Package.Name, Source: eco.source}
	intervals := r.intervals(x, base)
	if len(intervals) == 0 {
		return r.enumerated(x, base)
	}
	if eco.binaries {
		if built := binaries(x, base); len(built) > 0 {
			return built
		}
	}
	var list []advisory.Fix
	for _, f := range intervals {
		list = append(list, inStreams(f, streams)...)
	}
	return list
}

// intervals reads the ranges. Ranges of Git commits say nothing about packages.
func (r *reading) intervals(x *affected, base advisory.Fix) []advisory.Fix {
	var list []advisory.Fix
	for _, rng := range x.Ranges {
		switch rng.Type {
		case "ECOSYSTEM", "SEMVER":
			list = append(list, walk(inOrder(rng.Events, base.Type), base)...)
		case "GIT":
		default:
			r.problem("package %q: range type %q is not known; expected one of \"ECOSYSTEM\", \"SEMVER\", \"GIT\"; it is left out", base.Package, rng.Type)
		}
	}
	return list
}

// walk turns events, oldest first, into intervals: each begins at an introduced
// and ends at the next fixed or last_affected; one without an end has no fix. An
// end without a beginning is of a branch that has been closed already.
func walk(events []event, base advisory.Fix) []advisory.Fix {
	var list []advisory.Fix
	open := false
	for _, e := range events {
		switch {
		case e.Introduced != "":
			if open {
				continue
			}
			f := base
			f.Introduced = canonical(base.Type, e.Introduced)
			list, open = append(list, f), true
		case open && e.Fixed != "":
			list[len(list)-1].Fixed = canonical(base.Type, e.Fixed)
			open = false
		case open && e.LastAffected != "":
			list[len(list)-1].LastAffected = canonical(base.Type, e.LastAffected)
			open = false
		}
	}
	return slices.DeleteFunc(list, func(f advisory.Fix) bool { return f.Fixed == "0" })
}

// canonical leaves out an epoch of 0 and an introduced of "0", which both mean
// the same as nothing: Rocky Linux writes 0:6.4.1-9.el9_1, AlmaLinux 6.4.1-9.el9_1.
func canonical(t version.Type, v string) string {
	if t == version.RPM || t == version.Deb {
		return strings.TrimPrefix(v, "0:")
	}
	return v
}

// inOrder returns the events oldest first. Feeds write them so; where ends and
// beginnings do not take turns, they are sorted by version.
func inOrder(events []event, t version.Type) []event {
	for i, e := range events {
		if (e.Introduced != "") != (i%2 == 0) {
			return byVersion(events, t)
		}
	}
	return events
}

func byVersion(events []event, t version.Type) []event {
	sorted := slices.Clone(events)
	slices.SortStableFunc(sorted, func(a, b event) int {
		x, y := a.at(), b.at()
		switch {
		case x == y:
			return a.rank() - b.rank()
		case x == "0":
			return -1
		case y == "0":
			return 1
		}
		return version.Compare(t, x, y)
	})
	return sorted
}

func (e event) at() string { return e.Introduced + e.Fixed + e.LastAffected }

// rank orders events of one version: an interval that ends there ends before
// another begins.
func (e event) rank() int {
	if e.Introduced != "" {
		return 1
	}
	return 0
}

// enumerated reads the list of affected versions. Where there are ranges, the
// list repeats them and is not kept.
func (r *reading) enumerated(x *affected, base advisory.Fix) []advisory.Fix {
	var versions []string
	if len(x.Versions) > 0 {
		if err := json.Unmarshal(x.Versions, &versions); err != nil {
			r.problem("package %q: \"versions\" is not a list of strings; it is left out", base.Package)
		}
	}
	if len(versions) == 0 {
		return nil
	}
	for i, v := range versions {
		versions[i] = canonical(base.Type, v)
	}
	base.Affected = versions
	return []advisory.Fix{base}
}

// binaries reads the packages that SUSE says were built: its records name source
// packages, while its hosts report binary ones.
func binaries(x *affected, base advisory.Fix) []advisory.Fix {
	var specific struct {
		Binaries []map[string]string `json:"binaries"`
	}
	if len(x.Ecosystem) == 0 || json.Unmarshal(x.Ecosystem, &specific) != nil {
		return nil
	}
	var list []advisory.Fix
	for _, built := range specific.Binaries {
		for _, name := range sortedKeys(built) {
			f := base
			f.Package, f.Fixed = name, canonical(base.Type, built[name])
			list = append(list, f)
		}
	}
	return list
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// inStreams returns the fix once for each module stream that the title names,
// for a host has a package of one stream only. A modular fix whose stream is not
// named stays without: see Fix.Modular.
func inStreams(f advisory.Fix, streams []string) []advisory.Fix {
	if f.Type != version.RPM || len(streams) == 0 || !f.Modular() {
		return []advisory.Fix{f}
	}
	list := make([]advisory.Fix, 0, len(streams))
	for _, s := range streams {
		f.Module = s
		list = append(list, f)
	}
	return list
}

// Streams returns the module streams that the title of an advisory names, in
// its order: "Important: nodejs:18 security update" names nodejs:18, "Moderate:
// httpd:2.4/httpd security update" httpd:2.4. A title may also name a package's
// version that way ("kernel:4.18.0"), so what is returned holds only for
// packages that are modular.
func Streams(title string) []string {
	var list []string
	for word := range strings.FieldsSeq(title) {
		module, stream, ok := strings.Cut(word, ":")
		stream, _, _ = strings.Cut(stream, "/")
		stream = strings.TrimRight(stream, ",;")
		if ok && isModuleWord(module) && isModuleWord(stream) {
			list = append(list, module+":"+stream)
		}
	}
	return list
}

func isModuleWord(s string) bool {
	for i := range len(s) {
		c := s[i]
		alnum := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !alnum && (i == 0 || strings.IndexByte("+._-", c) < 0) {
			return false
		}
	}
	return s != ""
}

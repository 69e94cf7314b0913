package estate

import (
	"encoding/json"
	"fmt"
	"path"
	"runtime"
	"slices"
	"sync"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// factLine is one line of facts and where it stands.
type factLine struct {
	facts    *inventory.Facts
	packages *inventory.List
	file     string
	line     int
}

// shard is one file of facts, parsed.
type shard struct {
	lines  []factLine
	faults []Fault
}

// facts reads inventory/facts: first the sets, then the shards. Shards are read
// in turn and parsed side by side; at most one more than there are processors
// is in memory.
func (r *reader) facts() {
	packages := newPackages()
	r.sets(packages)
	names := r.in("inventory/facts", ".jsonl")
	shards := make([]shard, len(names))
	room := make(chan struct{}, runtime.GOMAXPROCS(0)+1)
	var parsing sync.WaitGroup
	for i, name := range names {
		data, ok := r.read(name)
		if !ok {
			continue
		}
		room <- struct{}{}
		parsing.Go(func() {
			shards[i] = parseShard(name, data, packages)
			<-room
		})
	}
	parsing.Wait()
	for _, s := range shards {
		r.faults = append(r.faults, s.faults...)
		for _, l := range s.lines {
			r.newest(l)
		}
	}
	for _, name := range r.under("inventory/facts") {
		here := path.Dir(name) == "inventory/facts"
		switch ext := path.Ext(name); {
		case ext == ".jsonl" && !here:
			r.fault(name, 0, "facts are read from inventory/facts/ itself, not from folders below it")
		case (ext == ".json" || ext == ".ndjson") && here:
			r.fault(name, 0, `facts are read from files *.jsonl, one line a host; "ringmaster import" makes them of what scanners write`)
		}
	}
}

// newest keeps the newer of two lines of one host. A line without a time is
// older than any other; two lines of the same time contradict each other.
func (r *reader) newest(l factLine) {
	old, there := r.lines[l.facts.Host]
	switch {
	case !there || old.facts.At.Before(l.facts.At):
		r.lines[l.facts.Host] = l
	case old.facts.At.Equal(l.facts.At):
		r.fault(l.file, l.line, "host %q: a line of the same time stands at %s:%d; one of them must go", l.facts.Host, old.file, old.line)
	}
}

// parseShard reads the lines of one file. A bad line is a fault and does not
// hide the others.
func parseShard(name string, data []byte, packages *packages) shard {
	var s shard
	share := sharing{texts{}, map[inventory.OS]*inventory.OS{}}
	for n, line := range linesOf(data) {
		f, list, problems := parseFacts(line, packages, share)
		for _, p := range problems {
			s.faults = append(s.faults, Fault{File: name, Line: n, Message: p})
		}
		if len(problems) == 0 {
			s.lines = append(s.lines, factLine{f, list, name, n})
		}
	}
	return s
}

// parseFacts reads one line and says everything that is wrong with it. The
// package list, by far the longest part and the same on many hosts, is cut out
// before the rest is decoded, and decoded once for all hosts that have the same.
func parseFacts(line []byte, packages *packages, share sharing) (*inventory.Facts, *inventory.List, []string) {
	f := new(inventory.Facts)
	rest, list := cut(line, "packages")
	if err := json.Unmarshal(rest, f); err != nil {
		*f = inventory.Facts{}
		if err := json.Unmarshal(line, f); err != nil {
			return nil, nil, []string{hostText(f.Host) + jsonError(err)}
		}
		list = nil
	}
	if list == nil && f.Packages != nil {
		list, _ = json.Marshal(f.Packages) // written in a way that cut does not know
	}
	if !f.Host.Valid() {
		if f.Host == "" {
			return nil, nil, []string{`"host" is missing`}
		}
		return nil, nil, []string{fmt.Sprintf("host %q: %s", f.Host, hostGrammar)}
	}
	problems := problemsOf(f)
	found := packages.resolve(f.Set, list)
	f.Packages = nil
	problems = append(problems, found.problems...)
	for i, p := range problems {
		problems[i] = hostText(f.Host) + p
	}
	share.facts(f)
	return f, found.list, problems
}

func hostText(id inventory.HostID) string {
	if !id.Valid() {
		return ""
	}
	return fmt.Sprintf("host %q: ", id)
}

// problemsOf checks what a line says besides its packages.
func problemsOf(f *inventory.Facts) []string {
	var p []string
	for _, n := range []struct {
		name  string
		value *int64
	}{{"uptime_s", f.UptimeS}, {"disk_mb", f.DiskMB}, {"disk_free_mb", f.DiskFreeMB}, {"mem_mb", f.MemMB}, {"mem_free_mb", f.MemFreeMB}} {
		if n.value != nil && *n.value < 0 {
			p = append(p, fmt.Sprintf("%q is %d; it must be at least 0", n.name, *n.value))
		}
	}
	if f.Load != nil && len(f.Load) != 168 {
		p = append(p, fmt.Sprintf(`"load" has %d numbers; expected 168, one an hour of the week`, len(f.Load)))
	}
	if i := slices.IndexFunc(f.Load, func(x float64) bool { return x < 0 || x > 1 }); i >= 0 {
		p = append(p, fmt.Sprintf(`"load": number %d is %v; expected 0 to 1`, i+1, f.Load[i]))
	}
	p = append(p, unprintable(f)...)
	for _, x := range f.Findings {
		if x.CVE != "" && !validID(x.CVE) {
			p = append(p, fmt.Sprintf("finding: %q is not the id of a CVE", x.CVE))
		}
		if x.ID != "" && !validID(x.ID) {
			p = append(p, fmt.Sprintf("finding: %q is not the id of an advisory", x.ID))
		}
	}
	return p
}

// unprintable names the texts of a line that hold control or invisible
// characters: they end up in plans, which people read and approve.
func unprintable(f *inventory.Facts) []string {
	var p []string
	check := func(what string, texts ...string) {
		if slices.ContainsFunc(texts, func(s string) bool { return !printable(s) }) {
			p = append(p, fmt.Sprintf("%q holds a character that cannot be printed", what))
		}
	}
	check("source", f.Source)
	check("address", f.Address)
	if f.OS != nil {
		check("os", f.OS.ID, f.OS.Version, f.OS.Arch, f.OS.Kernel, f.OS.Name)
	}
	for name, value := range f.Labels {
		if !printable(name) || !printable(value) {
			check("labels", name, value)
			break
		}
	}
	check("modules", f.Modules...)
	for _, x := range f.Findings {
		if !printable(x.Package) || !printable(x.Fixed) {
			check("findings", x.Package, x.Fixed)
			break
		}
	}
	return p
}

// texts are strings that many values have in common: each stands in memory once.
type texts map[string]string

// one returns the one copy of a string.
func (t texts) one(s string) string {
	if s == "" {
		return ""
	}
	kept, ok := t[s]
	if !ok {
		t[s], kept = s, s
	}
	return kept
}

// sharing makes values that many hosts of a file have in common stand in memory
// once.
type sharing struct {
	texts   texts
	systems map[inventory.OS]*inventory.OS
}

func (s sharing) facts(f *inventory.Facts) {
	f.Source, f.Set = s.texts.one(f.Source), s.texts.one(f.Set)
	if f.OS != nil {
		if s.systems[*f.OS] == nil {
			s.systems[*f.OS] = f.OS
		}
		f.OS = s.systems[*f.OS]
	}
	if len(f.Labels) > 0 {
		labels := make(map[string]string, len(f.Labels))
		for k, v := range f.Labels {
			labels[s.texts.one(k)] = s.texts.one(v)
		}
		f.Labels = labels
	}
	for i := range f.Modules {
		f.Modules[i] = s.texts.one(f.Modules[i])
	}
	for i := range f.Findings {
		x := &f.Findings[i]
		x.CVE, x.ID, x.Package, x.Fixed = s.texts.one(x.CVE), s.texts.one(x.ID), s.texts.one(x.Package), s.texts.one(x.Fixed)
	}
}

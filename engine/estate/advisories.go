package estate

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/advisory/epss"
	"github.com/ringmaster-dev/ringmaster/engine/advisory/kev"
	"github.com/ringmaster-dev/ringmaster/engine/advisory/patches"
	"github.com/ringmaster-dev/ringmaster/engine/advisory/snapshot"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// advisories reads inventory/advisories, whatever lies there in a known format,
// and inventory/patches/*.jsonl.
//
// What people and their programs wrote for ringmaster must be right: a bad line
// of a patch, a file in no known format, a broken document or archive is a
// fault. A public feed is not the estate's to mend: what is left out of one, and
// what is kept and not read yet, is a notice.
func (r *reader) advisories() {
	shots := r.snapshots()
	documents := map[snapshot.Kind]int{}
	var all []advisory.Advisory
	for _, s := range shots {
		if s.Snapshot == nil {
			continue
		}
		for k, n := range s.Documents {
			documents[k] += n
		}
		r.report(s)
		all = append(all, r.wellFormed(s.file, s.Advisories)...)
	}
	r.unread(shots)
	r.knowledge(shots)
	updates, found := r.patches()
	documents[snapshot.Patches] += found
	r.undelivered(documents)
	all = append(all, updates...)
	r.estate.Advisories = advisory.Merge(all)
	slices.SortFunc(r.estate.Notices, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Message, b.Message))
	})
}

// notice tells of something that is not used and harms nothing else.
func (r *reader) notice(file, format string, args ...any) {
	r.estate.Notices = append(r.estate.Notices, Fault{File: file, Message: fmt.Sprintf(format, args...)})
}

// shot is one file of inventory/advisories, read. Snapshot is nil where the
// packing is broken, which err says.
type shot struct {
	file string
	err  error
	*snapshot.Snapshot
}

// snapshots reads the files in turn and parses them side by side; at most one
// more than there are processors is in memory.
func (r *reader) snapshots() []shot {
	names := slices.DeleteFunc(r.under("inventory/advisories"), remark)
	shots := make([]shot, len(names))
	room := make(chan struct{}, runtime.GOMAXPROCS(0)+1)
	var parsing sync.WaitGroup
	for i, name := range names {
		shots[i].file = name
		data, ok := r.read(name)
		if !ok {
			continue
		}
		room <- struct{}{}
		parsing.Go(func() {
			shots[i].Snapshot, shots[i].err = snapshot.Read(name, data, snapshot.Limits{})
			<-room
		})
	}
	parsing.Wait()
	return shots
}

// remark reports a file that is for people or Git: a hidden one or Markdown.
func remark(name string) bool {
	return strings.HasPrefix(path.Base(name), ".") || path.Ext(name) == ".md"
}

// most is how many problems of one file are told one by one.
const most = 5

// report tells what is wrong with a file.
func (r *reader) report(s shot) {
	if s.err != nil {
		r.fault(s.file, 0, "%v", s.err)
		return
	}
	known := 0
	for k, n := range s.Documents {
		if k != snapshot.Unknown {
			known += n
		}
	}
	switch {
	case known == 0 && len(s.Unknown) == 0:
		r.fault(s.file, 0, "the archive is empty; %s", snapshot.Known)
	case known == 0 && len(s.Unknown) == 1 && s.Unknown[0] == "":
		r.fault(s.file, 0, "in no known format; %s", snapshot.Known)
	case known == 0:
		r.fault(s.file, 0, "none of %d documents is in a known format; %s", len(s.Unknown), snapshot.Known)
	case len(s.Unknown) > 0:
		r.notice(s.file, "%d documents are in no known format and left out, the first is %q", len(s.Unknown), s.Unknown[0])
	}
	if s.Documents[snapshot.Patches] > 0 {
		r.fault(s.file, 0, "lines of %s belong in inventory/patches/*.jsonl", patches.Schema)
	}
	for i, p := range s.Broken {
		if i == most {
			r.fault(s.file, 0, "%d documents are broken in all", len(s.Broken))
			break
		}
		r.fault(s.file, p.Line, "%s", withoutLine(p))
	}
	r.notices(s.file, s.Problems)
}

func (r *reader) notices(file string, problems []advisory.Problem) {
	for i, p := range problems {
		if i == most {
			r.notice(file, "%d things are left out in all", len(problems))
			return
		}
		r.estate.Notices = append(r.estate.Notices, Fault{File: file, Line: p.Line, Message: withoutLine(p)})
	}
}

// withoutLine says a problem whose line is told elsewhere.
func withoutLine(p advisory.Problem) string {
	p.Line = 0
	return p.String()
}

// wellFormed returns the advisories whose names, versions and ids follow their
// grammars, without the fixes that do not; those are told.
func (r *reader) wellFormed(file string, list []advisory.Advisory) []advisory.Advisory {
	var problems []advisory.Problem
	kept := make([]advisory.Advisory, 0, len(list))
	for _, a := range list {
		if !validID(a.ID) {
			problems = append(problems, advisory.Problem{Message: fmt.Sprintf("%q is not the id of an advisory; it is left out", a.ID)})
			continue
		}
		a.File = file
		a.Aliases = slices.DeleteFunc(a.Aliases, func(id string) bool { return !validID(id) })
		a.Fixes = slices.DeleteFunc(a.Fixes, func(f advisory.Fix) bool {
			text := fixProblem(f)
			if text != "" {
				problems = append(problems, advisory.Problem{Message: fmt.Sprintf("advisory %q: %s; the fix is left out", a.ID, text)})
			}
			return text != ""
		})
		kept = append(kept, a)
	}
	r.notices(file, problems)
	return kept
}

// fixProblem says which word of a fix does not follow its grammar.
func fixProblem(f advisory.Fix) string {
	if !validPackage(f.Type, f.Package) {
		return fmt.Sprintf("%q is not the name of a %s package", f.Package, f.Type)
	}
	for _, list := range [][]string{{f.Introduced, f.Fixed, f.LastAffected}, f.Affected} {
		for _, v := range list {
			if v == "" {
				continue
			}
			if err := version.Check(f.Type, v); err != nil {
				return fmt.Sprintf("package %q: version %v", f.Package, err)
			}
		}
	}
	if f.Module != "" && !validID(f.Module) {
		return fmt.Sprintf("package %q: %q is not a module stream", f.Package, f.Module)
	}
	if p := f.Platform; p.OS != "" && !validName(p.OS) || p.Version != "" && !validName(p.Version) {
		return fmt.Sprintf("package %q: %q is not a platform", f.Package, strings.TrimSpace(p.OS+" "+p.Version))
	}
	return ""
}

// unread tells, once a format, what is kept and not read yet.
func (r *reader) unread(shots []shot) {
	files, documents, first := map[snapshot.Kind]int{}, map[snapshot.Kind]int{}, map[snapshot.Kind]string{}
	for _, s := range shots {
		if s.Snapshot == nil {
			continue
		}
		for k, n := range s.Documents {
			if k.Read() || k == snapshot.Unknown || k == snapshot.Index || k == snapshot.Sources {
				continue
			}
			if files[k] == 0 {
				first[k] = s.file
			}
			files[k]++
			documents[k] += n
		}
	}
	for _, k := range slices.Sorted(maps.Keys(files)) {
		r.notice(first[k], "%s is not read yet: %d documents in %d files here, of which this is the first, are kept and not matched", k, documents[k], files[k])
	}
}

// undelivered tells of declared feeds that nothing lies there of.
func (r *reader) undelivered(documents map[snapshot.Kind]int) {
	told := map[string]bool{}
	for _, f := range r.estate.Feeds {
		there := slices.ContainsFunc(snapshot.Holds(f.Kind), func(k snapshot.Kind) bool { return documents[k] > 0 })
		if there || told[f.Kind] {
			continue
		}
		told[f.Kind] = true
		r.estate.Notices = append(r.estate.Notices, NothingOf(f.Kind))
	}
}

// NothingOf is what is noticed of a feed that is declared and of which nothing is here.
func NothingOf(feed string) Fault {
	where := "inventory/advisories"
	if feed == string(snapshot.Patches) {
		where = "inventory/patches"
	}
	return Fault{File: where, Message: fmt.Sprintf(`feed %q is declared and nothing of it is here; "ringmaster feeds sync" brings it`, feed)}
}

// patches reads inventory/patches/*.jsonl, and counts the files. Of lines with
// the same id the last one counts, in the order of file names and lines.
func (r *reader) patches() (list []advisory.Advisory, files int) {
	var lines []advisory.Advisory
	place := map[string]Fault{}
	for _, name := range r.under("inventory/patches") {
		if path.Ext(name) != ".jsonl" || path.Dir(name) != "inventory/patches" {
			if !remark(name) {
				r.fault(name, 0, "updates are read from inventory/patches/*.jsonl")
			}
			continue
		}
		data, ok := r.read(name)
		if !ok {
			continue
		}
		files++
		parsed, problems := patches.Parse(data)
		for _, p := range problems {
			r.fault(name, p.Line, "%s", withoutLine(p))
		}
		for _, l := range parsed {
			if text := patchProblem(l.Advisory); text != "" {
				r.fault(name, l.Number, "patch %q: %s", l.Advisory.ID, text)
				continue
			}
			l.Advisory.File = fmt.Sprintf("%s:%d", name, l.Number)
			place[l.Advisory.ID] = Fault{File: name, Line: l.Number}
			lines = append(lines, l.Advisory)
		}
	}
	list, knots := patches.Latest(lines)
	for _, id := range knots {
		r.fault(place[id].File, place[id].Line, "patch %q supersedes itself through others; one of them must be the newest", id)
	}
	return list, files
}

// patchProblem says which word of a patch does not follow its grammar.
func patchProblem(a advisory.Advisory) string {
	if !validID(a.ID) {
		return fmt.Sprintf("%q is not the id of an advisory", a.ID)
	}
	for _, id := range a.Supersedes {
		if !validID(id) {
			return fmt.Sprintf(`"supersedes": %q is not the id of an advisory`, id)
		}
	}
	for _, c := range a.Components {
		if !validName(c) {
			return fmt.Sprintf(`"components": %q is not a name`, c)
		}
	}
	for _, f := range a.Fixes {
		if text := fixProblem(f); text != "" {
			return text
		}
	}
	return ""
}

// knowledge joins what the feeds know about CVEs.
func (r *reader) knowledge(shots []shot) {
	k := &r.estate.Knowledge
	var catalogues []kev.Catalogue
	var scores []epss.Scores
	for _, s := range shots {
		if s.Snapshot == nil {
			continue
		}
		catalogues = append(catalogues, s.Catalogues...)
		scores = append(scores, s.Scores...)
		if s.Documents[snapshot.CVE] > 0 && k.Assessments == nil {
			k.Assessments = map[string]advisory.Assessment{}
		}
		for _, a := range s.Assessed {
			if old, there := k.Assessments[a.CVE]; !there || !a.At.Before(old.At) {
				k.Assessments[a.CVE] = a
			}
		}
	}
	k.Exploited, k.ExploitedAt = exploited(catalogues)
	k.Forecasts, k.ForecastsAt = forecasts(scores)
}

// exploited joins catalogues: a CVE that one of them lists is known to be
// exploited, and the newest of those that list it says since when.
func exploited(list []kev.Catalogue) (map[string]advisory.Exploited, time.Time) {
	if len(list) == 0 {
		return nil, time.Time{}
	}
	slices.SortStableFunc(list, func(a, b kev.Catalogue) int { return a.Released.Compare(b.Released) })
	found := make(map[string]advisory.Exploited, len(list[0].Entries))
	for _, c := range list {
		for _, x := range c.Entries {
			found[x.CVE] = x
		}
	}
	return found, list[len(list)-1].Released
}

// forecasts takes the newest day's scores. Older files are history.
func forecasts(list []epss.Scores) (map[string]advisory.Forecast, time.Time) {
	if len(list) == 0 {
		return nil, time.Time{}
	}
	newest, rows := list[0].At, 0
	for _, s := range list {
		switch s.At.Compare(newest) {
		case 1:
			newest, rows = s.At, len(s.Forecasts)
		case 0:
			rows += len(s.Forecasts)
		}
	}
	found := make(map[string]advisory.Forecast, rows)
	for _, s := range list {
		if s.At.Equal(newest) {
			for _, f := range s.Forecasts {
				found[f.CVE] = f
			}
		}
	}
	return found, newest
}

package match

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// verdict is what the advisories say of one version of one target in one place.
type verdict struct {
	to       string  // the version that it moves to, "" none
	platform int32   // of the patch
	fixed    []*rule // that moving there fixes
	unfixed  []*rule // that no published version fixes
	doubts   []doubt
	groups   []int32 // where the tally counts it; nil until some class has it
}

// doubt is an advisory that cannot be judged.
type doubt struct {
	advisory int32
	why      string
}

// fine is the verdict on most versions.
var fine = &verdict{}

// verdict judges a version once for each place.
func (x *index) verdict(p *place, in *installed) *verdict {
	if n := len(x.installed); n > len(p.verdicts) {
		p.verdicts = append(p.verdicts, make([]*verdict, n-len(p.verdicts))...)
		p.joins = append(p.joins, make([]joining, n-len(p.joins))...)
	}
	if p.verdicts[in.id] == nil {
		p.verdicts[in.id] = x.judge(p, &x.targets[in.target], in)
	}
	return p.verdicts[in.id]
}

func (x *index) judge(p *place, t *target, in *installed) *verdict {
	var applied []*rule
	var doubts []doubt
	for i := range t.rules {
		r := &t.rules[i]
		if !p.on[r.platform] {
			continue
		}
		switch applies, why := x.applies(r, t, in); {
		case why != "":
			doubts = append(doubts, doubt{r.advisory, why})
		case applies:
			applied = append(applied, r)
		}
	}
	if len(applied) == 0 && len(doubts) == 0 {
		return fine
	}
	v := &verdict{}
	v.to = x.destination(p, t, in, applied)
	v.fixed, v.unfixed = x.sort(t, in, applied, v.to)
	v.doubts = x.doubtful(applied, doubts)
	for i, r := range v.fixed {
		if i == 0 || narrower(x.platforms[r.platform].Platform, x.platforms[v.platform].Platform) {
			v.platform = r.platform
		}
	}
	return v
}

// applies reports whether a rule affects a version, or why that cannot be said.
func (x *index) applies(r *rule, t *target, in *installed) (applies bool, why string) {
	a := &x.advisories[r.advisory]
	from := r.fix.Introduced
	tooOld := ""
	if a.Format == "patches" && older(t.typ, in.version, from) {
		// Here "from" is what the patch installs over, not what it mends: one
		// that replaces others brings them along and installs over any version.
		if from = ""; len(a.Supersedes) == 0 {
			tooOld = fmt.Sprintf("%s installs over %s %s and newer, and %s is installed: it needs %s first", a.ID, t.name, r.fix.Introduced, in.version, r.fix.Introduced)
		}
	}
	if !r.affects(t.typ, from, in.version) {
		return false, ""
	}
	if tooOld != "" {
		return false, tooOld
	}
	return inStream(r.module, in.module, in.version)
}

// older reports whether v is older than the first version of a range.
func older(t version.Type, v, first string) bool {
	return first != "" && first != "0" && version.Compare(t, v, first) < 0
}

// affects reports whether a version lies in the rule's range or is listed.
func (r *rule) affects(t version.Type, from, v string) bool {
	f := r.fix
	for _, listed := range f.Affected {
		if version.Compare(t, v, listed) == 0 {
			return true
		}
	}
	switch {
	case older(t, v, from):
		return false
	case f.Fixed != "":
		return version.Compare(t, v, f.Fixed) < 0
	case f.LastAffected != "":
		return version.Compare(t, v, f.LastAffected) <= 0
	}
	// No end: everything, unless there is a list and no range at all.
	return len(f.Affected) == 0 || f.Introduced != ""
}

// inStream reports whether a fix is for the module stream of what is installed,
// or why that cannot be said. Versions of different streams cannot be compared.
func inStream(fix, have module, v string) (same bool, why string) {
	switch {
	case !fix.modular() && !have.modular():
		return true, ""
	case fix.stream != "" && have.stream != "":
		return fix.stream == have.stream, ""
	case fix.marked && !have.modular(), have.marked && !fix.modular():
		// Module builds show in the release, so one of the two is none.
		return false, ""
	case fix.stream != "":
		return false, fmt.Sprintf("the fix is for module stream %s, and the host's facts name no stream for %s", fix.stream, v)
	case have.stream != "":
		return false, fmt.Sprintf("the advisory does not say which module stream its fix is for; %s of %s is installed", v, have.stream)
	}
	return false, fmt.Sprintf("the fix is for a module stream, and neither the advisory nor the host's facts (%s) say which", v)
}

// destination is the newest fixed version of what applies; where that version
// falls under another advisory, the one that fixes it too.
func (x *index) destination(p *place, t *target, in *installed, applied []*rule) string {
	to := ""
	for _, r := range applied {
		if r.mends(t, in) && !x.passedOver(r, applied) && (to == "" || newer(t.typ, r.fix.Fixed, to)) {
			to = r.fix.Fixed
		}
	}
	for moved := to != ""; moved; {
		moved = false
		next := &installed{build: build{to, in.label}, module: in.module}
		for i := range t.rules {
			r := &t.rules[i]
			if !p.on[r.platform] || x.advisories[r.advisory].Format == "patches" || x.passedOver(r, applied) {
				continue
			}
			if applies, _ := x.applies(r, t, next); applies && r.fix.Fixed != "" && newer(t.typ, r.fix.Fixed, to) {
				to, moved = r.fix.Fixed, true
			}
		}
	}
	return to
}

// newer prefers the newer of two versions, of equal ones the greater text, so
// that the order of advisories does not matter.
func newer(t version.Type, a, b string) bool {
	return cmp.Or(version.Compare(t, a, b), strings.Compare(a, b)) > 0
}

// mends reports whether the rule's fixed version is newer than what is
// installed: a version may be listed as affected although it is newer.
func (r *rule) mends(t *target, in *installed) bool {
	return r.fix.Fixed != "" && version.Compare(t.typ, r.fix.Fixed, in.version) > 0
}

// passedOver reports whether another advisory that applies takes the rule's place.
func (x *index) passedOver(r *rule, applied []*rule) bool {
	return len(x.supersedes) > 0 && slices.ContainsFunc(applied, func(q *rule) bool { return x.replaces(q.advisory, r.advisory) })
}

// sort divides what applies into what moving to a version fixes and what no
// version does. What was superseded is fixed by what took its place.
func (x *index) sort(t *target, in *installed, applied []*rule, to string) (fixed, unfixed []*rule) {
	reached := func(r *rule) bool {
		return to != "" && r.mends(t, in) && version.Compare(t.typ, r.fix.Fixed, to) <= 0
	}
	by := map[int32]bool{}
	for _, r := range applied {
		if reached(r) || slices.ContainsFunc(applied, func(q *rule) bool { return x.replaces(q.advisory, r.advisory) && reached(q) }) {
			fixed = append(fixed, r)
			by[r.advisory] = true
		}
	}
	for _, r := range applied {
		if !by[r.advisory] && !x.passedOver(r, applied) {
			unfixed = append(unfixed, r)
			by[r.advisory] = true
		}
	}
	return fixed, unfixed
}

// doubtful leaves one doubt for each advisory that is not decided by another of
// its own fixes or by one that takes its place.
func (x *index) doubtful(applied []*rule, doubts []doubt) []doubt {
	doubts = slices.DeleteFunc(doubts, func(d doubt) bool {
		return slices.ContainsFunc(applied, func(r *rule) bool {
			return r.advisory == d.advisory || x.replaces(r.advisory, d.advisory)
		})
	})
	slices.SortFunc(doubts, func(a, b doubt) int {
		return cmp.Or(cmp.Compare(a.advisory, b.advisory), strings.Compare(a.why, b.why))
	})
	return slices.CompactFunc(doubts, func(a, b doubt) bool { return a.advisory == b.advisory })
}

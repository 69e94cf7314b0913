package host

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
)

// Weighed is what a step comes to once it may begin: what else moves with it, and
// the job that it undoes.
type Weighed struct {
	Along   []Move // what else moves
	Undoes  string // of a rollback: the job that it takes back, "" where the host has none
	Pending bool   // the host waits for a restart already
}

// Weigh decides from a host's facts (check.sh) whether a step may begin.
func Weigh(a Answer, list []Move, rollback bool, minFree int) (Weighed, error) {
	if minFree == 0 {
		minFree = 100
	}
	if err := fits(a, list, rollback, minFree); err != nil {
		return Weighed{}, err
	}
	if rollback {
		return weighBack(a, list)
	}
	along, err := surprises(a, list, a.all("need", 1))
	if err != nil {
		return Weighed{}, err
	}
	if err := free(a, along); err != nil {
		return Weighed{}, err
	}
	return Weighed{Along: along, Pending: a.pending()}, nil
}

// fits is what must be so before anything is tried, the plainest first.
func fits(a Answer, list []Move, rollback bool, minFree int) error {
	if err := a.Denied(); err != nil {
		return err
	}
	if uid := a.First("uid"); uid != "0" {
		return Refuse("packages are root's, and the login has uid %s; declare become = true, or another user", uid)
	}
	if err := atFrom(a.installed(), list, rollback); err != nil {
		return err
	}
	if folders := a.Values("readonly"); len(folders) > 0 {
		return Refuse("the host cannot write to %s, which is mounted read-only", strings.Join(folders, ", "))
	}
	if err := room(a, minFree); err != nil {
		return err
	}
	if broken := a.all("broken", 2); len(broken) > 0 && !rollback {
		var names []string
		for _, b := range broken {
			names = append(names, b[0]+" ("+strings.TrimSpace(b[1])+")")
		}
		return Refuse("packages are left half done: %s; a person looks at them first", strings.Join(names, ", "))
	}
	if locked := a.First("locked"); locked != "" {
		return &fleet.Error{Code: "busy", Message: "somebody else is installing: " + Plain(locked), Retryable: true}
	}
	for _, m := range list {
		if m.To != "-" && !slices.ContainsFunc(a.all("known", 2), func(k []string) bool { return k[0] == m.Name && k[1] == m.To }) {
			return Refuse("no repository of the host has %s %s%s", m.Name, m.To, because(a))
		}
	}
	return nil
}

func because(a Answer) string {
	if why := a.First("failed"); why != "" {
		return " (" + Plain(why) + ")"
	}
	return ""
}

// atFrom compares what is there with where the step begins. A rollback also
// begins at what was left half done.
func atFrom(found []installed, list []Move, rollback bool) error {
	settled := 0
	for _, m := range list {
		i := slices.IndexFunc(found, func(p installed) bool { return p.name == m.Name })
		if i < 0 {
			return Refuse("the host does not say at which version %s is", m.Name)
		}
		switch p := found[i]; {
		case p.status == "unreadable":
			return Refuse("the host's package manager cannot read its database, and say at which version %s is", p.name)
		case p.status == "held":
			return Refuse("%s is held at %s on the host by its administrators", p.name, p.version)
		case rollback && p.version == m.To && p.whole():
			settled++
		case p.version != m.From && (!rollback || p.version != m.To):
			return Refuse("%s is at %s, not at %s", p.name, named(p.version), named(m.From))
		}
	}
	if settled == len(list) {
		return Refuse("%s is at %s already", list[0].Name, named(list[0].To))
	}
	return nil
}

func named(version string) string {
	if version == "-" {
		return "no version (not installed)"
	}
	return version
}

// room checks each file system that a package manager writes to.
func room(a Answer, minFree int) error {
	kb := 0
	for _, w := range a.all("size", 1) {
		n, err := strconv.Atoi(w[0])
		if err != nil {
			return Refuse("the host does not say what the packages take")
		}
		kb += n
	}
	need := minFree + kb/1024
	folders := a.all("free", 2)
	if len(folders) == 0 {
		return Refuse("the host does not say how much of its disk is free")
	}
	for _, w := range folders {
		if free, err := strconv.Atoi(w[0]); err != nil || free < need {
			return Refuse("%s MB are free in %s, and %d are needed", w[0], w[1], need)
		}
	}
	return nil
}

// trial is what a package manager would do.
type trial struct {
	in     []Move
	out    []string
	failed string
}

// trials are what it would do with what came along, and without.
func trials(a Answer) []trial {
	list := []trial{{}}
	for _, line := range a {
		t := &list[len(list)-1]
		switch {
		case line[0] == "without":
			list = append(list, trial{})
		case line[0] == "inst" && len(line) > 3:
			t.in = append(t.in, Move{line[1], line[2], line[3]})
		case line[0] == "remv" && len(line) > 1:
			t.out = append(t.out, line[1])
		case line[0] == "failed" && len(line) > 1:
			t.failed = Plain(line[1])
		}
	}
	return list
}

// surprises returns what moves besides what was asked for, all of which the
// packages depend on. What they do not is a surprise, and so is a removal: the
// step is refused, and says all of them.
func surprises(a Answer, list []Move, needs [][]string) ([]Move, error) {
	t := trials(a)[0]
	if t.failed != "" && len(t.in) == 0 {
		return nil, Refuse("the package manager would not: %s", t.failed)
	}
	var along []Move
	var odd []string
	for _, name := range t.out {
		odd = append(odd, "remove "+name)
	}
	for _, m := range t.in {
		asked := slices.IndexFunc(list, func(l Move) bool { return l.Name == m.Name })
		needed := slices.ContainsFunc(needs, func(n []string) bool { return n[0] == m.Name })
		switch {
		case asked >= 0 && list[asked].To == m.To:
		case asked >= 0:
			odd = append(odd, fmt.Sprintf("move %s to %s", m.Name, m.To))
		case needed:
			along = append(along, m)
		case m.From == "-":
			odd = append(odd, fmt.Sprintf("install %s %s", m.Name, m.To))
		default:
			odd = append(odd, fmt.Sprintf("move %s from %s to %s", m.Name, m.From, m.To))
		}
	}
	if len(odd) > 0 {
		return nil, Refuse("the package manager would also %s", strings.Join(odd, ", "))
	}
	for _, l := range list {
		if !slices.ContainsFunc(t.in, func(m Move) bool { return m.Name == l.Name }) {
			return nil, Refuse("the package manager would leave %s as it is", l.Name)
		}
	}
	return along, nil
}

// free says why what comes along may not move, nil where it may.
func free(a Answer, along []Move) error {
	for _, m := range along {
		if slices.Contains(a.Values("held"), m.Name) {
			return Refuse("%s would move to %s with it, and is held on the host by its administrators", m.Name, m.To)
		}
	}
	return nil
}

// weighBack decides how far a rollback goes: with everything that came along with
// the apply and is still as that left it, where nothing else would change, or
// else with the packages of the step alone.
func weighBack(a Answer, list []Move) (Weighed, error) {
	if beside := a.Values("beside"); len(beside) > 0 {
		return Weighed{}, Refuse("%s is installed beside its former version, which it does not replace: boot that one, and remove this by hand", strings.Join(beside, ", "))
	}
	w := Weighed{Undoes: a.First("undoes"), Pending: a.pending()}
	found := a.installed()
	for _, c := range a.all("with", 3) {
		if slices.ContainsFunc(found, func(p installed) bool { return p.name == c[0] && p.version == c[2] }) {
			w.Along = append(w.Along, Move{c[0], c[2], c[1]})
		}
	}
	tries := trials(a)
	first := undoing(tries[0], append(slices.Clone(list), w.Along...))
	if first == nil {
		first = free(a, w.Along)
	}
	if first == nil {
		return w, nil
	}
	w.Along = nil
	if len(tries) > 1 && undoing(tries[1], list) == nil {
		return w, nil
	}
	return w, first
}

// undoing says what a rollback would change that it must not.
func undoing(t trial, list []Move) error {
	if t.failed != "" && len(t.in) == 0 && len(t.out) == 0 {
		return Refuse("the package manager would not: %s", t.failed)
	}
	var odd []string
	for _, name := range t.out {
		if !slices.ContainsFunc(list, func(m Move) bool { return m.Name == name && m.To == "-" }) {
			odd = append(odd, "remove "+name)
		}
	}
	for _, m := range t.in {
		if !slices.ContainsFunc(list, func(l Move) bool { return l.Name == m.Name && l.To == m.To }) {
			odd = append(odd, fmt.Sprintf("move %s to %s", m.Name, m.To))
		}
	}
	if len(odd) > 0 {
		return Refuse("the package manager would also %s", strings.Join(odd, ", "))
	}
	return nil
}

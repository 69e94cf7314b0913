package ssh

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
)

// move is a package on its way; "-" stands for not installed.
type move struct{ name, from, to string }

func moves(packages []fleet.Package) []move {
	dash := func(v string) string {
		if v == "" {
			return "-"
		}
		return v
	}
	list := make([]move, len(packages))
	for i, p := range packages {
		list[i] = move{p.Name, dash(p.From), dash(p.To)}
	}
	return list
}

// weighed is what a step comes to once it may begin: what else moves with it, and
// the job that it undoes.
type weighed struct {
	along  []move
	undoes string
}

// weigh decides from a host's facts (pm_check in host/) whether a step may begin.
func weigh(a answer, list []move, rollback bool, minFree int) (weighed, error) {
	if err := fits(a, list, rollback, minFree); err != nil {
		return weighed{}, err
	}
	if rollback {
		return weighBack(a, list)
	}
	along, err := surprises(a, list, a.all("need", 1))
	return weighed{along: along}, err
}

func refuse(format string, args ...any) error {
	return &fleet.Error{Code: "refused", Message: fmt.Sprintf(format, args...)}
}

// fits is what must be so before anything is tried, the plainest first.
func fits(a answer, list []move, rollback bool, minFree int) error {
	if busy := a.first("busy"); busy != "" {
		return &fleet.Error{Code: "busy", Message: plain(busy), Retryable: true}
	}
	if uid := a.first("uid"); uid != "0" {
		return refuse("packages are root's, and the login has uid %s; declare become = true, or another user", uid)
	}
	if err := atFrom(a.packages(), list, rollback); err != nil {
		return err
	}
	if err := room(a, minFree); err != nil {
		return err
	}
	if broken := a.all("broken", 2); len(broken) > 0 && !rollback {
		var names []string
		for _, b := range broken {
			names = append(names, b[0]+" ("+strings.TrimSpace(b[1])+")")
		}
		return refuse("packages are left half done: %s; a person looks at them first", strings.Join(names, ", "))
	}
	if locked := a.first("locked"); locked != "" {
		return &fleet.Error{Code: "busy", Message: "somebody else is installing: " + plain(locked), Retryable: true}
	}
	for _, m := range list {
		if m.to != "-" && !slices.ContainsFunc(a.all("known", 2), func(k []string) bool { return k[0] == m.name && k[1] == m.to }) {
			return refuse("no repository of the host has %s %s%s", m.name, m.to, because(a))
		}
	}
	return nil
}

func because(a answer) string {
	if why := a.first("failed"); why != "" {
		return " (" + plain(why) + ")"
	}
	return ""
}

// atFrom compares what is there with where the step begins. A rollback also
// begins at what was left half done.
func atFrom(found []pkg, list []move, rollback bool) error {
	settled := 0
	for _, m := range list {
		i := slices.IndexFunc(found, func(p pkg) bool { return p.name == m.name })
		if i < 0 {
			return refuse("the host does not say at which version %s is", m.name)
		}
		switch p := found[i]; {
		case p.status == "held":
			return refuse("%s is held at %s on the host by its administrators", p.name, p.version)
		case rollback && p.version == m.to && p.whole():
			settled++
		case p.version != m.from && (!rollback || p.version != m.to):
			return refuse("%s is at %s, not at %s", p.name, named(p.version), named(m.from))
		}
	}
	if settled == len(list) {
		return refuse("%s is at %s already", list[0].name, named(list[0].to))
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
func room(a answer, minFree int) error {
	kb := 0
	for _, w := range a.all("size", 1) {
		n, err := strconv.Atoi(w[0])
		if err != nil {
			return refuse("the host does not say what the packages take")
		}
		kb += n
	}
	need := minFree + kb/1024
	folders := a.all("free", 2)
	if len(folders) == 0 {
		return refuse("the host does not say how much of its disk is free")
	}
	for _, w := range folders {
		if free, err := strconv.Atoi(w[0]); err != nil || free < need {
			return refuse("%s MB are free in %s, and %d are needed", w[0], w[1], need)
		}
	}
	return nil
}

// trial is what a package manager would do.
type trial struct {
	in     []move
	out    []string
	failed string
}

// trials are what it would do with what came along, and without.
func trials(a answer) []trial {
	list := []trial{{}}
	for _, line := range a {
		t := &list[len(list)-1]
		switch {
		case line[0] == "without":
			list = append(list, trial{})
		case line[0] == "inst" && len(line) > 3:
			t.in = append(t.in, move{line[1], line[2], line[3]})
		case line[0] == "remv" && len(line) > 1:
			t.out = append(t.out, line[1])
		case line[0] == "failed" && len(line) > 1:
			t.failed = plain(line[1])
		}
	}
	return list
}

// surprises returns what moves besides what was asked for, all of which the
// packages depend on. What they do not is a surprise, and so is a removal: the
// step is refused, and says all of them.
func surprises(a answer, list []move, needs [][]string) ([]move, error) {
	t := trials(a)[0]
	if t.failed != "" && len(t.in) == 0 {
		return nil, refuse("the package manager would not: %s", t.failed)
	}
	var along []move
	var odd []string
	for _, name := range t.out {
		odd = append(odd, "remove "+name)
	}
	for _, m := range t.in {
		asked := slices.IndexFunc(list, func(l move) bool { return l.name == m.name })
		needed := slices.ContainsFunc(needs, func(n []string) bool { return n[0] == m.name })
		switch {
		case asked >= 0 && list[asked].to == m.to:
		case asked >= 0:
			odd = append(odd, fmt.Sprintf("move %s to %s", m.name, m.to))
		case needed:
			along = append(along, m)
		case m.from == "-":
			odd = append(odd, fmt.Sprintf("install %s %s", m.name, m.to))
		default:
			odd = append(odd, fmt.Sprintf("move %s from %s to %s", m.name, m.from, m.to))
		}
	}
	if len(odd) > 0 {
		return nil, refuse("the package manager would also %s", strings.Join(odd, ", "))
	}
	for _, l := range list {
		if !slices.ContainsFunc(t.in, func(m move) bool { return m.name == l.name }) {
			return nil, refuse("the package manager would leave %s as it is", l.name)
		}
	}
	return along, nil
}

// weighBack decides how far a rollback goes: with everything that came along with
// the apply and is still as that left it, where nothing else would change, or
// else with the packages of the step alone.
func weighBack(a answer, list []move) (weighed, error) {
	w := weighed{undoes: a.first("undoes")}
	found := a.packages()
	for _, c := range a.all("with", 3) {
		if slices.ContainsFunc(found, func(p pkg) bool { return p.name == c[0] && p.version == c[2] }) {
			w.along = append(w.along, move{c[0], c[2], c[1]})
		}
	}
	tries := trials(a)
	first := undoing(tries[0], append(slices.Clone(list), w.along...))
	if first == nil {
		return w, nil
	}
	w.along = nil
	if len(tries) > 1 && undoing(tries[1], list) == nil {
		return w, nil
	}
	return w, first
}

// undoing says what a rollback would change that it must not.
func undoing(t trial, list []move) error {
	if t.failed != "" && len(t.in) == 0 && len(t.out) == 0 {
		return refuse("the package manager would not: %s", t.failed)
	}
	var odd []string
	for _, name := range t.out {
		if !slices.ContainsFunc(list, func(m move) bool { return m.name == name && m.to == "-" }) {
			odd = append(odd, "remove "+name)
		}
	}
	for _, m := range t.in {
		if !slices.ContainsFunc(list, func(l move) bool { return l.name == m.name && l.to == m.to }) {
			odd = append(odd, fmt.Sprintf("move %s to %s", m.name, m.to))
		}
	}
	if len(odd) > 0 {
		return refuse("the package manager would also %s", strings.Join(odd, ", "))
	}
	return nil
}

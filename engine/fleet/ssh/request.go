package ssh

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

const alnum = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// validName and validVersion are narrower than any package manager's grammar
// where that could be taken for an option, a path or a shell's word.
func validName(s string) bool { return made(s, alnum+"_", alnum+"+._-") }

func validVersion(s string) bool { return made(s, alnum, alnum+"+._-~:^") }

func made(s, first, rest string) bool {
	return s != "" && len(s) <= 256 && strings.IndexByte(first, s[0]) >= 0 && strings.Trim(s, rest) == ""
}

// managed are the types whose package managers the programs in host/ speak to.
var managed = []version.Type{version.Deb}

// admit checks a step before any host is asked.
func admit(s fleet.Step) error {
	invalid := func(format string, args ...any) error {
		return &fleet.Error{Code: "invalid", Message: fmt.Sprintf(format, args...)}
	}
	if s.Key == "" || s.Host == "" || len(s.Packages) == 0 {
		return invalid("a step needs a key, a host and packages")
	}
	if strings.ContainsFunc(s.Key, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return invalid("the key %q has control characters", s.Key)
	}
	for _, p := range s.Packages {
		switch {
		case !slices.Contains(managed, p.Type):
			return invalid("package %q: the ssh fleet moves packages of the types %q, not %q", p.Name, managed, p.Type)
		case !validName(p.Name):
			return invalid("%q is not the name of a package", p.Name)
		case p.From != "" && !validVersion(p.From), p.To != "" && !validVersion(p.To):
			return invalid("package %q: %q or %q is not a version", p.Name, p.From, p.To)
		case p.From == p.To:
			return invalid("package %q is to move from %q to itself", p.Name, p.From)
		}
	}
	return nil
}

// checking are the words of the verb check.
func checking(job, op string, list []move) []string {
	words := []string{job, op}
	for _, m := range list {
		words = append(words, m.name, m.from, m.to)
	}
	return words
}

// request is what a host keeps of a step: lines of words separated by tabs.
func (f *Fleet) request(s fleet.Step, op string, list []move, w weighed) string {
	lines := [][]string{{"op", op}, {"key", s.Key}, {"reboot", s.Reboot}, {"conffiles", "keep"}}
	if f.o.NoRestart {
		lines[2][1] = "never"
	}
	if f.o.NewConffiles {
		lines[3][1] = "new"
	}
	if w.undoes != "" {
		lines = append(lines, []string{"undoes", w.undoes})
	}
	moving := map[string]bool{}
	add := func(word string, list []move) {
		for _, m := range list {
			moving[m.name] = true
			lines = append(lines, []string{word, m.name, m.from, m.to})
		}
	}
	add("move", list)
	add("with", w.along)
	for _, name := range slices.Sorted(maps.Keys(moving)) {
		if r, ok := f.o.Running[name]; ok {
			lines = append(lines, []string{"running", name, quoted(r.Command)})
			if len(r.Restart) > 0 {
				lines = append(lines, []string{"again", name, quoted(r.Restart)})
			}
		}
	}
	var text strings.Builder
	for _, words := range lines {
		fmt.Fprintln(&text, strings.Join(words, "\t"))
	}
	return strings.TrimSuffix(text.String(), "\n")
}

// checkRunning refuses a command that is none, or could not stand on a line.
func checkRunning(name string, r Running) error {
	if len(r.Command) == 0 {
		return fmt.Errorf("running version of %s: no command", name)
	}
	for _, word := range append(append([]string{}, r.Command...), r.Restart...) {
		if strings.ContainsFunc(word, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return fmt.Errorf("running version of %s: %q has control characters", name, word)
		}
	}
	return nil
}

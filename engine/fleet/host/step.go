package host

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// Policy is what may be done to hosts. Its zero value keeps configuration files,
// holds what it moved, and restarts a host that asks for it.
type Policy struct {
	// MinFree is how many megabytes stay free beside what a step takes, 100 when
	// it is 0.
	MinFree int
	// NewConffiles takes a package's new configuration file where the host's was
	// edited, instead of keeping that.
	NewConffiles bool
	// NoHold leaves packages that were moved to whoever else moves them, instead of
	// holding them in the package manager.
	NoHold bool
	// NoRestart never restarts a host, whatever its packages ask for.
	NoRestart bool
	// Hooks are the site's, and belong to a step.
	Hooks []Hook
	// Running says by package how a service tells its version.
	Running map[string]Running
}

// Hook is run as part of a host's job: snapshot and drain before anything is moved,
// undrain when the host is well again. It may be run again where nobody knows whether
// it came to its end.
type Hook struct {
	Name    string        // snapshot, drain or undrain
	Command []string      // run on the host, as root
	Tasks   string        // instead of a command: a file of tasks that the door carries out (Tasker)
	Timeout time.Duration // whole seconds
}

// Running is how the version of a running service is found out, which need not be
// the one on disk.
type Running struct {
	Command []string // prints the version on its first line
	Restart []string // tried where that is not the one on disk; may be empty
}

// Check refuses a command that is none, or could not stand on a line.
func (p Policy) Check() error {
	for _, h := range p.Hooks {
		if (len(h.Command) == 0) == (h.Tasks == "") || h.Timeout < time.Second || slices.ContainsFunc(h.Command, control) {
			return fmt.Errorf("hook %s: it needs a command without control characters or a file of tasks, and a second or more", h.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Running)) {
		r := p.Running[name]
		if len(r.Command) == 0 {
			return fmt.Errorf("running version of %s: no command", name)
		}
		for _, word := range append(slices.Clone(r.Command), r.Restart...) {
			if control(word) {
				return fmt.Errorf("running version of %s: %q has control characters", name, word)
			}
		}
	}
	return nil
}

func control(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

const alnum = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// ValidName is narrower than any package manager's grammar where that could be
// taken for an option, a path or a shell's word.
func ValidName(s string) bool { return made(s, alnum+"_", alnum+"+._-") }

// validVersion holds a version to its type's grammar, and to characters that no
// package manager takes for anything else.
func validVersion(t version.Type, s string) bool {
	return made(s, alnum, alnum+"+._-~:^") && version.Check(t, s) == nil
}

func made(s, first, rest string) bool {
	return s != "" && len(s) <= 256 && strings.IndexByte(first, s[0]) >= 0 && strings.Trim(s, rest) == ""
}

// Managed are the types whose package managers Program speaks to.
var Managed = []version.Type{version.Deb, version.RPM, version.APK}

// admit checks a step before any host is asked.
func (c *Carrier) admit(s fleet.Step) error {
	if s.Key == "" || s.Host == "" || len(s.Packages) == 0 {
		return invalid("a step needs a key, a host and packages")
	}
	if control(s.Key) {
		return invalid("the key %q has control characters", s.Key)
	}
	for _, p := range s.Packages {
		switch {
		case !slices.Contains(c.types, p.Type):
			return invalid("package %q: the fleet %s moves packages of the types %q, not %q%s", p.Name, c.name, c.types, p.Type, elsewhere(p.Type))
		case p.Type != s.Packages[0].Type:
			return invalid("package %q is of type %q, and %q of %q; a step moves packages of one", s.Packages[0].Name, s.Packages[0].Type, p.Name, p.Type)
		case !ValidName(p.Name):
			return invalid("%q is not the name of a package", p.Name)
		case p.From != "" && !validVersion(p.Type, p.From), p.To != "" && !validVersion(p.Type, p.To):
			return invalid("package %q: %q or %q is not a version of the type %s", p.Name, p.From, p.To, p.Type)
		case p.Type == version.Windows && !update(p.Name):
			return invalid("%q is not the number of an update of Windows, as KB5034441 is", p.Name)
		case p.Type == version.Windows && len(c.o.Hooks) > 0:
			return invalid("package %q: hooks are not run on hosts of Windows; declare a fleet without them for these", p.Name)
		case p.From == p.To:
			return invalid("package %q is to move from %q to itself", p.Name, p.From)
		}
	}
	return nil
}

// elsewhere says which fleet moves what another does not.
func elsewhere(t version.Type) string {
	if t == version.Windows {
		return "; updates of Windows are installed by the fleet ansible"
	}
	return ""
}

// update says whether a name is that of an update of Windows.
func update(name string) bool {
	digits, ok := strings.CutPrefix(name, "KB")
	return ok && made(digits, "0123456789", "0123456789")
}

func invalid(format string, args ...any) error {
	return &fleet.Error{Code: "invalid", Message: fmt.Sprintf(format, args...)}
}

// inTime says why a step cannot be begun at this time, nil where it can.
func inTime(now time.Time, s fleet.Step) error {
	switch {
	case s.NotBefore.After(now):
		return &fleet.Error{Code: "refused", Message: "not_before has not come", Retryable: true}
	case !s.NotAfter.IsZero() && now.After(s.NotAfter):
		return Refuse("it is past not_after")
	}
	return nil
}

// Refuse is the answer to a step that a host is not fit for.
func Refuse(format string, args ...any) error {
	return &fleet.Error{Code: "refused", Message: fmt.Sprintf(format, args...)}
}

// Name is a job's folder on its host, of a step that is an apply or a rollback.
func Name(op, key string) string {
	sum := sha256.Sum256([]byte(key))
	return op + "-" + hex.EncodeToString(sum[:16])
}

// ID tells a job from those of other hosts.
func ID(host inventory.HostID, name string) string { return string(host) + "/" + name }

// Split reads a job's id; ok is false for what is none.
func Split(id string) (host inventory.HostID, name string, ok bool) {
	h, name, _ := strings.Cut(id, "/")
	op, sum, _ := strings.Cut(name, "-")
	raw, err := hex.DecodeString(sum)
	ok = (op == "apply" || op == "rollback") && err == nil && len(raw) == 16 && inventory.HostID(h).Valid()
	return inventory.HostID(h), name, ok
}

// Move is a package on its way; "-" stands for not installed.
type Move struct{ Name, From, To string }

// Moves are a step's packages. An rpm's epoch is said where it has one, which 0 is not.
func Moves(packages []fleet.Package) []Move {
	word := func(t version.Type, v string) string {
		if t == version.RPM {
			v = strings.TrimPrefix(v, "0:")
		}
		return cmp.Or(v, "-")
	}
	list := make([]Move, len(packages))
	for i, p := range packages {
		list[i] = Move{p.Name, word(p.Type, p.From), word(p.Type, p.To)}
	}
	return list
}

// Question is the words with which a host is asked what is to be known before a
// job is begun.
func Question(job, op string, t version.Type, list []Move) []string {
	words := []string{"check", job, op, string(t)}
	for _, m := range list {
		words = append(words, m.Name, m.From, m.To)
	}
	return words
}

// request is what a host keeps of a step.
func (p Policy) request(w Work) string {
	reboot, conffiles, hold := w.Reboot, "keep", "yes"
	if p.NoRestart {
		reboot = "never"
	}
	if p.NewConffiles {
		conffiles = "new"
	}
	if p.NoHold {
		hold = "no"
	}
	lines := [][]string{{"op", w.Op}, {"key", w.Key}, {"host", string(w.Host)}, {"type", string(w.Packages[0].Type)}, {"reboot", reboot}, {"conffiles", conffiles}, {"hold", hold}}
	for _, h := range p.Hooks {
		line := []string{"hook", h.Name, strconv.Itoa(int(h.Timeout.Seconds()))}
		if h.Tasks == "" {
			line = append(line, Quote(h.Command))
		}
		lines = append(lines, line)
	}
	if w.Pending {
		lines = append(lines, []string{"pending"})
	}
	if w.Undoes != "" {
		lines = append(lines, []string{"undoes", w.Undoes})
	}
	moving := map[string]bool{}
	add := func(word string, list []Move) {
		for _, m := range list {
			moving[m.Name] = true
			lines = append(lines, []string{word, m.Name, m.From, m.To})
		}
	}
	add("move", w.Moves)
	add("with", w.Along)
	for _, name := range slices.Sorted(maps.Keys(moving)) {
		if r, ok := p.Running[name]; ok {
			lines = append(lines, []string{"running", name, Quote(r.Command)})
			if len(r.Restart) > 0 {
				lines = append(lines, []string{"again", name, Quote(r.Restart)})
			}
		}
	}
	var text strings.Builder
	for _, words := range lines {
		fmt.Fprintln(&text, strings.Join(words, "\t"))
	}
	return strings.TrimSuffix(text.String(), "\n")
}

// dryRun is the answer to a step that would have begun.
func dryRun(now time.Time, w Weighed) Answer {
	detail := "dry run: nothing was moved"
	for i, m := range w.Along {
		detail += []string{"; with it would come ", ", "}[min(i, 1)] + m.Name + " " + m.To
	}
	at := strconv.FormatInt(now.Unix(), 10)
	return Answer{{"state", "succeeded"}, {"at", at}, {"finished", at}, {"detail", detail}}
}

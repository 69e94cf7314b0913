// Package cases are nights on a rig's hosts, which every fleet of package host is
// held to, whatever its door, and every package manager.
package cases

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/host"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/testdata/rig"
)

// Open opens the fleet anew, as a later process would, with options changed.
type Open func(t *testing.T, change func(*host.Options)) *host.Carrier

// Test tries all of them, on hosts of one kind, of which there are two at least.
func Test(t *testing.T, r *rig.Rig, k Kind, open Open) {
	for _, c := range []struct {
		name string
		try  func(n *night)
		long bool // as Kind.Long says
	}{
		{"refusals", refusals, false},
		{"held", held, false},
		{"held again", heldThroughKill, true},
		{"restarts", restarts, true},
		{"kept out", keptOut, true},
		{"hooks", hooks, false},
		{"hooks cut", hooksThroughKill, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.long {
				k.Long(t)
			}
			c.try(&night{t, r.For(t), open, k})
		})
	}
}

// Step moves one package of a host, given in Debian's versions as "shopd 1.0-1 1.1-1".
func Step(id, what string) fleet.Step {
	k, words := Of(id), strings.Fields(what)
	return fleet.Step{Key: "night/" + id + "/" + what, Host: inventory.HostID(id), Reboot: "if-needed", NotAfter: time.Now().Add(time.Hour),
		Packages: []fleet.Package{{Type: k.packages, Name: words[0], From: k.Version(words[0], words[1]), To: k.Version(words[0], words[2])}}}
}

// Has says what a host has otherwise than shopd, libfoo and barkeep in these versions of
// Debian's, all whole, and that shopd running; "" where it is so.
func Has(r *rig.Rig, id, shopd, libfoo, barkeep string) string {
	k := Of(id)
	got := strings.Join(strings.Fields(r.Inside(id, "sh", "-c", k.versions+" barkeep libfoo shopd; shopd running")), " ")
	if want := strings.Join([]string{k.Version("barkeep", barkeep), k.Version("libfoo", libfoo), shopd, shopd}, " "); got != want {
		return fmt.Sprintf("%s has %q, want %q", id, got, want)
	}
	return ""
}

// Back is the rollback of a step.
func Back(s fleet.Step) fleet.Step {
	p := s.Packages[0]
	p.From, p.To = p.To, p.From
	s.Packages, s.Key = []fleet.Package{p}, s.Key+"/rollback"
	return s
}

// night is one of them under way.
type night struct {
	*testing.T
	rig  *rig.Rig
	open Open
	Kind
}

func ids(names []string) []inventory.HostID {
	list := make([]inventory.HostID, len(names))
	for i, name := range names {
		list[i] = inventory.HostID(name)
	}
	return list
}

func plain(*host.Options) {}

// apply opens the fleet and takes a step.
func (n *night) apply(s fleet.Step, change func(*host.Options)) (fleet.Job, error) {
	n.Helper()
	return n.open(n.T, change).Apply(n.Context(), time.Now(), s)
}

// moves is a step that succeeds.
func (n *night) moves(id, what string) fleet.Job {
	n.Helper()
	return n.ends(fleet.Succeeded, "")(n.apply(Step(id, what), plain))
}

// back takes a step back.
func (n *night) back(s fleet.Step, change func(*host.Options)) (fleet.Job, error) {
	n.Helper()
	return n.open(n.T, change).Rollback(n.Context(), time.Now(), Back(s))
}

// ends checks how a job ended, and what it says of itself.
func (n *night) ends(state fleet.State, detail string) func(fleet.Job, error) fleet.Job {
	return func(j fleet.Job, err error) fleet.Job {
		n.Helper()
		if err != nil || j.State != state || !strings.Contains(j.Detail, detail) {
			n.Fatalf("job is %+v, %v, want it %s with %q", j, err, state, detail)
		}
		return j
	}
}

// denied checks that a step was answered with an error.
func (n *night) denied(code, message string) func(fleet.Job, error) {
	return func(j fleet.Job, err error) {
		n.Helper()
		e := (*fleet.Error)(nil)
		if !errors.As(err, &e) || e.Code != code || !strings.Contains(e.Message, message) {
			n.Fatalf("step was answered %+v, %v, want %s with %q", j, err, code, message)
		}
	}
}

// prints checks what a shell in a host prints.
func (n *night) prints(id, want, script string) {
	n.Helper()
	if got := strings.Join(strings.Fields(n.rig.Inside(id, "sh", "-c", script)), " "); got != want {
		n.Fatalf("%s: %s prints %q, want %q", id, script, got, want)
	}
}

// cut takes a step, and does something to its host once a condition holds there. What
// came of the step does not matter.
func (n *night) cut(s fleet.Step, change func(*host.Options), once string, do func(id string)) {
	n.Helper()
	ctx, cancel := context.WithCancel(n.Context())
	f := n.open(n.T, change)
	var wg sync.WaitGroup
	wg.Go(func() { f.Apply(ctx, time.Now(), s) })
	n.rig.Inside(string(s.Host), "sh", "-c", "for i in $(seq 600); do { "+once+"; } && exit; sleep 0.1; done; exit 1")
	do(string(s.Host))
	cancel()
	wg.Wait()
	f.Close()
}

// has checks which version of one package is there.
func (n *night) has(id, name, v string) {
	n.Helper()
	n.prints(id, n.Version(name, v), n.versions+" "+name)
}

// holds checks which packages are held.
func (n *night) holds(id, want string) {
	n.Helper()
	n.prints(id, want, n.held)
}

// kill ends all that works on jobs in a host: shells, package managers, but no
// service and not sshd.
func (n *night) kill(id string) {
	n.Helper()
	n.rig.Inside(id, "sh", "-c", killed)
}

const killed = `for p in /proc/[0-9]*; do case $(cat $p/comm) in apt-get|dpkg|barkeep.postins|dnf|zypper|rpm|sleep|timeout) kill -9 ${p#/proc/} ;;
  sh|python3) [ ${p#/proc/} = $$ ] || tr '\0' ' ' <$p/cmdline | grep -q 'shopd' || kill -9 ${p#/proc/} ;; esac; done 2>/dev/null; true`

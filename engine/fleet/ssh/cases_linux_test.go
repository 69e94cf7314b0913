package ssh_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/host"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/ssh"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/testdata/rig"
	"github.com/ringmaster-dev/ringmaster/testdata/rig/cases"
)

// night is a test with a fleet over a rig's hosts.
type night struct {
	t   *testing.T
	rig *rig.Rig
	f   *host.Carrier
}

func opened(t *testing.T, r *rig.Rig, o ssh.Options) *night {
	t.Helper()
	f, err := ssh.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return &night{t, r, f}
}

// done checks that a job came to a state, and what it says of itself.
func (n *night) done(j fleet.Job, err error, state fleet.State, detail string) fleet.Job {
	n.t.Helper()
	if err != nil || j.State != state || !strings.Contains(j.Detail, detail) {
		n.t.Fatalf("job is %+v, %v, want it %s with %q", j, err, state, detail)
	}
	return j
}

// denied checks that a step was answered with an error.
func (n *night) denied(j fleet.Job, err error, code, message string) {
	n.t.Helper()
	e := (*fleet.Error)(nil)
	if !errors.As(err, &e) || e.Code != code || !strings.Contains(e.Message, message) {
		n.t.Fatalf("step was answered %+v, %v, want %s with %q", j, err, code, message)
	}
}

func (n *night) apply(s fleet.Step) (fleet.Job, error) {
	return n.f.Apply(n.t.Context(), time.Now(), s)
}

func (n *night) rollback(s fleet.Step) (fleet.Job, error) {
	return n.f.Rollback(n.t.Context(), time.Now(), cases.Back(s))
}

// has checks the package manager's word, and that of the service that runs, asked in the
// host, in Debian's versions.
func (n *night) has(host, shopd, libfoo, barkeep string) {
	n.t.Helper()
	if wrong := cases.Has(n.rig, host, shopd, libfoo, barkeep); wrong != "" {
		n.t.Fatal(wrong)
	}
}

// prints checks what a shell in a host prints.
func (n *night) prints(host, want, script string) {
	n.t.Helper()
	if got := n.rig.Inside(host, "sh", "-c", script); got != want {
		n.t.Errorf("%s: %s prints %q, want %q", host, script, got, want)
	}
}

// of is the night in a subtest.
func (n *night) of(t *testing.T) *night { return &night{t, n.rig.For(t), n.f} }

// during applies a step to barkeep 1.2, and does something once its work has begun on the host.
func (n *night) during(ctx context.Context, s fleet.Step, do func()) (fleet.Job, error) {
	n.t.Helper()
	return n.whileAt(string(s.Host), func() (fleet.Job, error) { return n.f.Apply(ctx, time.Now(), s) }, do)
}

// whileAt moves barkeep to 1.2, and does something while that one's script runs, which
// takes 6 seconds.
func (n *night) whileAt(host string, move func() (fleet.Job, error), do func()) (fleet.Job, error) {
	n.t.Helper()
	var j fleet.Job
	var err error
	var wg sync.WaitGroup
	wg.Go(func() { j, err = move() })
	n.rig.Inside(host, "sh", "-c", "for i in $(seq 300); do "+cases.Of(host).Scripted+" && exit; sleep 0.1; done; exit 1")
	do()
	wg.Wait()
	return j, err
}

func TestCanaryThenAll(t *testing.T) {
	r := rig.Up(t)
	r.Fresh("h01", "h02", "h03", "h04")
	n := opened(t, r, options(t, r))
	s := cases.Step("h01", "shopd 1.0-1 1.1-1")
	j, err := n.apply(s)
	if j = n.done(j, err, fleet.Succeeded, ""); !j.Rebooted || j.Packages["shopd"] != "1.1-1" || j.Packages["libfoo"] != "2.1" {
		t.Errorf("job is %+v, want shopd and libfoo moved and the host restarted, as libfoo asked", j)
	}
	n.has("h01", "1.1-1", "2.1", "1.0")
	n.has("h02", "1.0-1", "2.0", "1.0")
	var wg sync.WaitGroup
	for _, h := range []string{"h02", "h03", "h04"} {
		wg.Go(func() {
			if j, err := n.apply(cases.Step(h, "shopd 1.0-1 1.1-1")); err != nil || j.State != fleet.Succeeded {
				t.Errorf("apply to %s is %+v, %v", h, j, err)
			}
		})
	}
	wg.Wait()
	for _, h := range []string{"h02", "h03", "h04"} {
		n.has(h, "1.1-1", "2.1", "1.0")
	}
	t.Run("a second run changes nothing", func(t *testing.T) {
		n := &night{t, r, n.f}
		boot := r.Inside("h01", "cat", "/proc/sys/kernel/random/boot_id")
		again, err := n.apply(s)
		if n.done(again, err, fleet.Succeeded, ""); !again.Finished.Equal(j.Finished) || again.ID != j.ID {
			t.Errorf("the same key is answered %+v, and was %+v", again, j)
		}
		s.Key += "/2"
		again, err = n.apply(s)
		n.denied(again, err, "refused", "shopd is at 1.1-1, not at 1.0-1")
		if b := r.Inside("h01", "cat", "/proc/sys/kernel/random/boot_id"); b != boot {
			t.Error("the host was restarted")
		}
	})
	t.Run("and back, with what came along, without the repository", func(t *testing.T) {
		n := &night{t, r, n.f}
		r.Inside("h01", "sh", "-c", "rm -rf /etc/apt/sources.list.d/* /var/lib/apt/lists/*")
		j, err := n.rollback(cases.Step("h01", "shopd 1.0-1 1.1-1"))
		n.done(j, err, fleet.Succeeded, "")
		n.has("h01", "1.0-1", "2.0", "1.0")
		if auto := r.Inside("h01", "apt-mark", "showmanual", "libfoo"); auto != "libfoo" {
			t.Errorf("showmanual libfoo prints %q; the rig installs it by hand, and it stays so", auto)
		}
	})
}

func TestFailedInstallIsRepaired(t *testing.T) {
	r := rig.Up(t)
	r.Fresh("h01")
	n := opened(t, r, options(t, r))
	s := cases.Step("h01", "shopd 1.0-1 1.3-1")
	j, err := n.apply(s)
	n.done(j, err, fleet.Failed, "shopd is at 1.3-1 (iF), not at 1.3-1; ")
	n.done(j, err, fleet.Failed, "cannot migrate the basket store")
	found, err := n.f.Installed(t.Context(), time.Now(), []inventory.HostID{"h01"}, []string{"shopd", "barkeep"})
	if _, told := found["h01"]["shopd"]; err != nil || told || found["h01"]["barkeep"] != "1.0" {
		t.Errorf("Installed() = %v, %v, want nothing said of what is half done", found, err)
	}
	other, err := n.apply(cases.Step("h01", "barkeep 1.0 1.1"))
	n.denied(other, err, "refused", "packages are left half done: shopd (iF)")
	j, err = n.rollback(s)
	n.done(j, err, fleet.Succeeded, "")
	n.has("h01", "1.0-1", "2.0", "1.0")
	j, err = n.apply(s) // the first answer, and nothing moves
	n.done(j, err, fleet.Failed, "cannot migrate")
	n.has("h01", "1.0-1", "2.0", "1.0")
}

// Who may not do it, and who is not who it should be.
func TestStrangers(t *testing.T) {
	r := rig.Up(t)
	r.Fresh("h05")
	for _, tc := range []struct {
		name          string
		code, message string
		change        func(*ssh.Options)
	}{
		{name: "a user who is not root", code: "refused", message: "declare become = true",
			change: func(o *ssh.Options) {
				o.User, o.Certificate, o.Key = "deploy", read(t, r, "user-cert.pub"), read(t, r, "user")
			}},
		{name: "a host that is not who it should be", code: "unreachable", message: "somebody else may be answering",
			change: func(o *ssh.Options) {
				o.Host = func(id inventory.HostID) (inventory.Host, bool) {
					return inventory.Host{ID: id, Facts: &inventory.Facts{Host: id, Address: r.Hosts["h06"]}}, true
				}
			}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := options(t, r)
			tc.change(&o)
			n := opened(t, r, o)
			j, err := n.apply(cases.Step("h05", "barkeep 1.0 1.1"))
			n.denied(j, err, tc.code, tc.message)
			n.has("h05", "1.0-1", "2.0", "1.0")
		})
	}
}

// What goes wrong in the middle of an install ends by itself, and whoever asks
// later with the same key is told.
func TestCutOff(t *testing.T) {
	cases.Each(t, cases.Kinds, func(t *testing.T, r *rig.Rig, k cases.Kind) {
		h := k.Letter + "02"
		for _, tc := range []struct {
			name string
			cut  func(r *rig.Rig, cancel func())
		}{
			{"the link", func(r *rig.Rig, _ func()) { r.Fault(h, "drop") }},
			{"sshd", func(r *rig.Rig, _ func()) { r.Fault(h, "kill") }},
			{"the run", func(_ *rig.Rig, cancel func()) { cancel() }},
			{"the host", func(r *rig.Rig, _ func()) { r.Restart(h) }},
		} {
			t.Run(tc.name, func(t *testing.T) {
				r := r.For(t)
				r.Fresh(h)
				n := opened(t, r, options(t, r))
				s := cases.Step(h, "barkeep 1.0 1.2")
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				j, err := n.during(ctx, s, func() { tc.cut(r, cancel) })
				if tc.name != "the host" || j.State != fleet.Succeeded { // that may be back in time to be asked
					n.done(j, err, fleet.Running, "")
				}
				r.Fault(h, "clear")
				j, err = opened(t, r, options(t, r)).apply(s)
				n.done(j, err, fleet.Succeeded, "")
				n.has(h, "1.0-1", "2.0", "1.2")
				if got := r.Inside(h, "sh", "-c", k.Once); got != "1" {
					t.Errorf("%s prints %q, want barkeep 1.2 installed once", k.Once, got)
				}
			})
		}
	})
}

func TestUnreachable(t *testing.T) {
	r := rig.Up(t)
	r.Fresh("h03", "h04")
	n := opened(t, r, options(t, r))
	for _, fault := range []string{"drop", "kill"} {
		r.Fault("h03", fault)
		j, err := n.apply(cases.Step("h03", "barkeep 1.0 1.1"))
		n.denied(j, err, "unreachable", "reaching h03")
		found, err := n.f.Installed(t.Context(), time.Now(), []inventory.HostID{"h03", "h04"}, []string{"barkeep"})
		if _, told := found["h03"]; err != nil || told || found["h04"]["barkeep"] != "1.0" {
			t.Errorf("Installed() = %v, %v, want h04 alone", found, err)
		}
		r.Fault("h03", "clear")
		n.has("h03", "1.0-1", "2.0", "1.0")
	}
	t.Run("slow is not unreachable", func(t *testing.T) {
		n := &night{t, r, n.f}
		r.Fault("h03", "slow")
		j, err := n.apply(cases.Step("h03", "barkeep 1.0 1.1"))
		n.done(j, err, fleet.Succeeded, "")
		r.Fault("h03", "clear")
	})
	t.Run("a restart that does not come back", func(t *testing.T) {
		o := options(t, r)
		o.Restart = 3 * time.Second
		n := opened(t, r, o)
		r.Fault("h04", "lost")
		s := cases.Step("h04", "shopd 1.0-1 1.1-1")
		j, err := n.apply(s)
		n.denied(j, err, "unreachable", "h04 was restarted after the packages were moved, and is not back 3s later")
		r.Fault("h04", "clear")
		j, err = n.apply(s)
		if n.done(j, err, fleet.Succeeded, ""); !j.Rebooted {
			t.Errorf("job is %+v, want it to have been restarted", j)
		}
		n.has("h04", "1.1-1", "2.1", "1.0")
	})
}

func TestWhatRuns(t *testing.T) {
	r := rig.Up(t)
	r.Fresh("h02", "h03")
	t.Run("another version than is on disk", func(t *testing.T) {
		o := options(t, r)
		o.NoRestart = true
		o.Running = map[string]host.Running{"shopd": {Command: []string{"echo", "it's 1.0-1"}}}
		n := opened(t, r, o)
		s := cases.Step("h02", "shopd 1.0-1 1.1-1")
		j, err := n.apply(s)
		n.done(j, err, fleet.Failed, "shopd is at 1.1-1 on disk, and it's 1.0-1 runs")
	})
	t.Run("is restarted where that is declared", func(t *testing.T) {
		o := options(t, r)
		o.NoRestart = true
		o.Running = map[string]host.Running{"barkeep": {Command: []string{"cat", "/run/barkeep"}, Restart: []string{"sh", "-c", "echo 1.1 >/run/barkeep"}}}
		n := opened(t, r, o)
		j, err := n.apply(cases.Step("h03", "barkeep 1.0 1.1"))
		n.done(j, err, fleet.Succeeded, "")
	})
	t.Run("an edited configuration file stays", func(t *testing.T) {
		n := opened(t, r, options(t, r))
		r.Inside("h03", "sh", "-c", "echo mine >/etc/barkeep.conf")
		j, err := n.apply(cases.Step("h03", "barkeep 1.1 1.3"))
		if n.done(j, err, fleet.Succeeded, ""); j.Packages["barlib"] != "1.0" {
			t.Errorf("job is %+v, want barlib installed with it", j)
		}
		if got := r.Inside("h03", "cat", "/etc/barkeep.conf"); got != "mine" {
			t.Errorf("barkeep.conf is %q", got)
		}
		j, err = n.rollback(cases.Step("h03", "barkeep 1.1 1.3"))
		n.done(j, err, fleet.Succeeded, "")
		if got := r.Inside("h03", "sh", "-c", "dpkg-query -W barlib 2>/dev/null || echo gone"); got != "gone" {
			t.Errorf("barlib came with barkeep 1.3 and is still there: %s", got)
		}
	})
}

// Real sshd, real ssh-keygen: a certificate instead of a key, sudo instead of
// root, by way of another host, and host keys that a certificate vouches for.
func TestWaysIn(t *testing.T) {
	r := rig.Up(t)
	r.Fresh("h01", "h02")
	o := options(t, r)
	o.User, o.Become, o.Jump = "deploy", true, "root@"+r.Hosts["h01"]
	o.Key, o.Certificate = read(t, r, "user"), read(t, r, "user-cert.pub")
	o.KnownHosts = []byte("@cert-authority h02 " + string(read(t, r, "ca.pub")))
	t.Run("nobody vouches for the jump host", func(t *testing.T) {
		n := opened(t, r, o)
		j, err := n.apply(cases.Step("h02", "barkeep 1.0 1.1"))
		n.denied(j, err, "unreachable", "known_hosts has no key for "+r.Hosts["h01"])
	})
	o.KnownHosts = append(o.KnownHosts, read(t, r, "known_hosts")...)
	n := opened(t, r, o)
	j, err := n.apply(cases.Step("h02", "barkeep 1.0 1.1"))
	n.done(j, err, fleet.Succeeded, "")
	n.has("h02", "1.0-1", "2.0", "1.1")
	if from := r.Inside("h02", "sh", "-c", "ls /var/lib/ringmaster/*/result | wc -l"); from != "1" {
		t.Errorf("the host keeps %s results, want 1", from)
	}
}

package ansible_test

import (
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/testdata/rig/cases"
)

// Hosts of both managers in one run of Ansible: a good update with a restart and back
// without the repository, a package whose script fails, and one that brings another.
func TestRPMNight(t *testing.T) {
	r := up(t, "d", "z")
	r.Fresh("d01", "d02", "z01", "z02")
	o := options(t, r)
	o.Running = nil // nobody says that the service is down
	f := opened(t, o)
	all := func(steps []fleet.Step, do func(s fleet.Step) (fleet.Job, error), check func(s fleet.Step, j fleet.Job, err error)) {
		t.Helper()
		together(len(steps), func(i int) func() {
			j, err := do(steps[i])
			return func() { check(steps[i], j, err) }
		})
	}
	apply := func(s fleet.Step) (fleet.Job, error) { return f.Apply(t.Context(), time.Now(), s) }
	rollback := func(s fleet.Step) (fleet.Job, error) { return f.Rollback(t.Context(), time.Now(), cases.Back(s)) }
	good := []fleet.Step{cases.Step("d01", "shopd 1.0-1 1.1-1"), cases.Step("z01", "shopd 1.0-1 1.1-1")}
	bad := []fleet.Step{cases.Step("d02", "shopd 1.0-1 1.3-1"), cases.Step("z02", "shopd 1.0-1 1.3-1")}
	all(append(good, bad...), apply, func(s fleet.Step, j fleet.Job, err error) {
		if s.Packages[0].To == "1.3-1" {
			done(t, j, err, fleet.Failed, "cannot migrate the basket store")
			return
		}
		if done(t, j, err, fleet.Succeeded, ""); !j.Rebooted || j.Packages["libfoo"] != "1:2.1-1" {
			t.Errorf("job is %+v, want libfoo moved and the host restarted, as it asked", j)
		}
		has(t, r, string(s.Host), "1.1-1", "2.1", "1.0")
	})
	for _, h := range r.Names() {
		r.Inside(h, "sh", "-c", "rm -rf /etc/yum.repos.d/* /etc/zypp/repos.d/* /var/cache/dnf /var/cache/zypp")
	}
	all(append(good, bad...), rollback, func(s fleet.Step, j fleet.Job, err error) {
		done(t, j, err, fleet.Succeeded, "")
		has(t, r, string(s.Host), "1.0-1", "2.0", "1.0")
	})
	r.Fresh("d01", "z01")
	more := []fleet.Step{cases.Step("d01", "barkeep 1.0 1.3"), cases.Step("z01", "barkeep 1.0 1.3")}
	all(more, apply, func(s fleet.Step, j fleet.Job, err error) {
		if done(t, j, err, fleet.Succeeded, ""); j.Packages["barlib"] != "1.0-1" {
			t.Errorf("job is %+v, want barlib installed with it", j)
		}
	})
	all(more, rollback, func(s fleet.Step, j fleet.Job, err error) {
		done(t, j, err, fleet.Succeeded, "")
		if got := r.Inside(string(s.Host), "sh", "-c", "rpm -q barlib || true"); got != "package barlib is not installed" {
			t.Errorf("barlib came with barkeep 1.3-1, and is still there: %s", got)
		}
	})
}

// together does n things at once, and then what each says is to be looked at.
func together(n int, do func(i int) (look func())) {
	looks := make([]chan func(), n)
	for i := range n {
		looks[i] = make(chan func(), 1)
		go func() { looks[i] <- do(i) }()
	}
	for i := range n {
		(<-looks[i])()
	}
}

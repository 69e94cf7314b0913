package ansible_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/ansible"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/host"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/testdata/rig"
	"github.com/ringmaster-dev/ringmaster/testdata/rig/cases"
)

func opened(t *testing.T, o ansible.Options) *host.Carrier {
	t.Helper()
	f, err := ansible.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func done(t *testing.T, j fleet.Job, err error, state fleet.State, detail string) {
	t.Helper()
	if err != nil || j.State != state || !strings.Contains(j.Detail, detail) {
		t.Fatalf("job is %+v, %v, want it %s with %q", j, err, state, detail)
	}
}

func denied(t *testing.T, j fleet.Job, err error, code, message string) {
	t.Helper()
	e := (*fleet.Error)(nil)
	if !errors.As(err, &e) || e.Code != code || !strings.Contains(e.Message, message) {
		t.Fatalf("step was answered %+v, %v, want %s with %q", j, err, code, message)
	}
}

// has checks the package manager's word, and that of the service that runs, asked in the
// host, in Debian's versions.
func has(t *testing.T, r *rig.Rig, id, shopd, libfoo, barkeep string) {
	t.Helper()
	if wrong := cases.Has(r, id, shopd, libfoo, barkeep); wrong != "" {
		t.Fatal(wrong)
	}
}

// Hosts at once, in one run of Ansible: a good update with a restart, one that fails,
// one that is refused, and one on a host that is cut off.
func TestOneNight(t *testing.T) {
	r := up(t)
	r.Fresh("h01", "h02", "h03", "h04")
	f := opened(t, options(t, r))
	r.Fault("h03", "diskfull")
	r.Fault("h04", "drop")
	steps := []fleet.Step{cases.Step("h01", "shopd 1.0-1 1.1-1"), cases.Step("h02", "shopd 1.0-1 1.3-1"), cases.Step("h03", "barkeep 1.0 1.1"), cases.Step("h04", "barkeep 1.0 1.1")}
	jobs, errs := make([]fleet.Job, len(steps)), make([]error, len(steps))
	var wg sync.WaitGroup
	for i, s := range steps {
		wg.Go(func() { jobs[i], errs[i] = f.Apply(t.Context(), time.Now(), s) })
	}
	wg.Wait()
	done(t, jobs[0], errs[0], fleet.Succeeded, "")
	if !jobs[0].Rebooted || jobs[0].Packages["libfoo"] != "2.1" {
		t.Errorf("job is %+v, want libfoo moved and the host restarted, as it asked", jobs[0])
	}
	has(t, r, "h01", "1.1-1", "2.1", "1.0")
	done(t, jobs[1], errs[1], fleet.Failed, "cannot migrate the basket store")
	denied(t, jobs[2], errs[2], "refused", "No usable temporary directory found") // Ansible itself needs one
	denied(t, jobs[3], errs[3], "unreachable", "reaching h04")
	r.Fault("h03", "clear")
	r.Fault("h04", "clear")

	found, err := f.Installed(t.Context(), time.Now(), []inventory.HostID{"h01", "h02", "h04"}, []string{"shopd"})
	if _, told := found["h02"]["shopd"]; err != nil || told || found["h01"]["shopd"] != "1.1-1" || found["h04"]["shopd"] != "1.0-1" {
		t.Errorf("Installed() = %v, %v, want nothing said of what is half done", found, err)
	}
	for i := range 2 {
		wg.Go(func() { jobs[i], errs[i] = f.Rollback(t.Context(), time.Now(), cases.Back(steps[i])) })
	}
	for i := 2; i < 4; i++ {
		wg.Go(func() { jobs[i], errs[i] = f.Apply(t.Context(), time.Now(), steps[i]) })
	}
	wg.Wait()
	for i := range jobs {
		done(t, jobs[i], errs[i], fleet.Succeeded, "")
	}
	for _, id := range []string{"h01", "h02"} {
		has(t, r, id, "1.0-1", "2.0", "1.0")
	}
	for _, id := range []string{"h03", "h04"} {
		has(t, r, id, "1.0-1", "2.0", "1.1")
	}
	j, err := f.Apply(t.Context(), time.Now(), cases.Step("h03", "shopd 1.0-1 1.5-1"))
	denied(t, j, err, "refused", "the package manager would also remove barkeep")
}

// An install goes on when what asked for it is cut off or ended, and whoever asks
// later with the same key is told.
func TestCutOff(t *testing.T) {
	r := up(t)
	for _, tc := range []struct {
		name string
		cut  func(f *host.Carrier)
	}{
		{"the link", func(*host.Carrier) { r.Fault("h04", "drop") }},
		{"the run", func(f *host.Carrier) { f.Close() }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r.Fresh("h04")
			o := options(t, r)
			o.Timeout = 40 * time.Second // Ansible itself asks again and again whether the install is over
			f := opened(t, o)
			s := cases.Step("h04", "barkeep 1.0 1.2")
			var j fleet.Job
			var err error
			var wg sync.WaitGroup
			wg.Go(func() { j, err = f.Apply(context.Background(), time.Now(), s) })
			r.Inside("h04", "sh", "-c", "for i in $(seq 600); do "+cases.Of("h04").Scripted+" && exit; sleep 0.1; done; exit 1")
			tc.cut(f)
			wg.Wait()
			done(t, j, err, fleet.Running, "")
			r.Fault("h04", "clear")
			j, err = opened(t, options(t, r)).Apply(t.Context(), time.Now(), s)
			done(t, j, err, fleet.Succeeded, "")
			has(t, r, "h04", "1.0-1", "2.0", "1.2")
			if got := r.Inside("h04", "sh", "-c", cases.Of("h04").Once); got != "1" {
				t.Errorf("dpkg finished barkeep 1.2 %s times, want once", got)
			}
		})
	}
}

// Another run that comes while one is at it, long after it began and before the package
// manager has its lock, leaves the install alone, begins nothing else there, and is told
// the same.
func TestTwoRuns(t *testing.T) {
	const h = "h04"
	r := up(t)
	r.Fresh(h)
	r.Inside(h, "sh", "-c", `touch /var/tmp/wait; mv /usr/bin/apt-get /usr/bin/apt-get.real; cat >/usr/bin/apt-get <<'END'
#!/bin/sh
case " $* " in *" -s "* | *" download "*) ;; *" install "*) : >/var/tmp/waits; while [ -e /var/tmp/wait ]; do sleep 0.1; done ;; esac
exec apt-get.real "$@"
END
chmod 755 /usr/bin/apt-get`)
	f, other := opened(t, options(t, r)), opened(t, options(t, r))
	s := cases.Step(h, "barkeep 1.0 1.1")
	var j fleet.Job
	var err error
	var wg sync.WaitGroup
	wg.Go(func() { j, err = f.Apply(t.Context(), time.Now(), s) })
	r.Inside(h, "sh", "-c", "for i in $(seq 600); do [ ! -e /var/tmp/waits ] || break; sleep 0.1; done; touch -d '-1 hour' /var/lib/ringmaster/apply-*/phase")
	got, wrong := other.Status(t.Context(), time.Now(), []string{host.ID(h, host.Name("apply", s.Key))})
	if wrong != nil || got[0].State != fleet.Running {
		t.Errorf("another run is told %+v, %v, want it running", got, wrong)
	}
	more, wrong := other.Apply(t.Context(), time.Now(), cases.Step(h, "shopd 1.0-1 1.1-1"))
	denied(t, more, wrong, "busy", "another job of ringmaster is at work on the host")
	r.Inside(h, "rm", "/var/tmp/wait")
	wg.Wait()
	done(t, j, err, fleet.Succeeded, "")
	j, err = other.Apply(t.Context(), time.Now(), s)
	done(t, j, err, fleet.Succeeded, "")
	has(t, r, h, "1.0-1", "2.0", "1.1")
}

func TestLost(t *testing.T) {
	r := up(t)
	r.Fresh("h02")
	o := options(t, r)
	o.Restart = 8 * time.Second
	f := opened(t, o)
	r.Fault("h02", "lost")
	s := cases.Step("h02", "shopd 1.0-1 1.1-1")
	j, err := f.Apply(t.Context(), time.Now(), s)
	denied(t, j, err, "unreachable", "h02 was restarted after the packages were moved, and is not back 8s later")
	r.Fault("h02", "clear")
	j, err = f.Apply(t.Context(), time.Now(), s)
	if done(t, j, err, fleet.Succeeded, ""); !j.Rebooted {
		t.Errorf("job is %+v, want it to have been restarted", j)
	}
	has(t, r, "h02", "1.1-1", "2.1", "1.0")
}

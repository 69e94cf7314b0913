package ansible_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/ansible"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/host"
	"github.com/ringmaster-dev/ringmaster/testdata/rig"
	"github.com/ringmaster-dev/ringmaster/testdata/rig/cases"
)

const balancer = "h06"

// balanced are options with hooks of the site's tasks, which tell another host, the
// load balancer. It says no, or takes its time, where a file there says so.
func balanced(t *testing.T, r *rig.Rig, limit time.Duration) ansible.Options {
	t.Helper()
	o := options(t, r)
	const tasks = `- name: The balancer is told
  ansible.builtin.shell: echo "{{ ringmaster_hook }} {{ ringmaster_op }} {{ inventory_hostname }} {{ ringmaster_packages }}" >>/var/tmp/told
  delegate_to: ` + balancer + `
- name: It may take its time
  ansible.builtin.shell: "[ ! -e /var/tmp/slow-{{ ringmaster_hook }} ] || sleep 100"
  delegate_to: ` + balancer + `
- name: What fails here is settled here
  block:
    - ansible.builtin.command: "false"
  rescue:
    - ansible.builtin.command: "true"
- name: The balancer agrees
  ansible.builtin.command: test ! -e /var/tmp/bad-{{ ringmaster_hook }}
  delegate_to: ` + balancer + "\n"
	if err := os.WriteFile(filepath.Join(o.Dir, "balancer.yml"), []byte(tasks), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"snapshot", "drain", "undrain"} {
		o.Hooks = append(o.Hooks, host.Hook{Name: name, Tasks: "balancer.yml", Timeout: limit})
	}
	return o
}

// toldBalancer checks what the balancer was told since it was last asked.
func toldBalancer(t *testing.T, r *rig.Rig, want string) {
	t.Helper()
	if got := strings.Join(strings.Fields(r.Inside(balancer, "sh", "-c", "cut -d' ' -f1 /var/tmp/told; rm -f /var/tmp/told")), " "); got != want {
		t.Errorf("the balancer was told %q, want %q", got, want)
	}
}

// until waits for a condition in a host.
func until(t *testing.T, r *rig.Rig, id, condition string) {
	t.Helper()
	r.Inside(id, "sh", "-c", "for i in $(seq 900); do { "+condition+"; } && exit; sleep 0.1; done; exit 1")
}

// Hooks of the site's tasks have their place around a step, and what they come to is heeded.
func TestTasks(t *testing.T) {
	const h = "h05"
	r := up(t)
	r.Fresh(h, balancer)
	f := opened(t, balanced(t, r, 2*time.Minute))
	j, err := f.Apply(t.Context(), time.Now(), cases.Step(h, "libfoo 2.0 2.1"))
	if done(t, j, err, fleet.Succeeded, "snapshot was carried out; drain was carried out; undrain was carried out; drain was carried out; the host was restarted; undrain was carried out"); !j.Rebooted {
		t.Errorf("job is %+v, want a restart", j)
	}
	if got := r.Inside(balancer, "sh", "-c", "grep ^drain /var/tmp/told | head -n 1"); got != "drain apply h05 libfoo=2.1" {
		t.Errorf("a drain is told %q", got)
	}
	toldBalancer(t, r, "snapshot drain undrain drain undrain") // in its traffic until it is its turn

	r.Inside(balancer, "touch", "/var/tmp/bad-drain")
	j, err = f.Apply(t.Context(), time.Now(), cases.Step(h, "barkeep 1.0 1.1"))
	denied(t, j, err, "refused", "nothing was moved: snapshot was carried out; drain failed: The balancer agrees: non-zero return code; undrain was carried out")
	toldBalancer(t, r, "snapshot drain undrain")
	has(t, r, h, "1.0-1", "2.1", "1.0")
}

// A host that failed stays drained, and has its traffic when it is back.
func TestTasksBack(t *testing.T) {
	const h = "h05"
	r := up(t)
	r.Fresh(h, balancer)
	f := opened(t, balanced(t, r, 2*time.Minute))
	broken := cases.Step(h, "shopd 1.0-1 1.3-1")
	j, err := f.Apply(t.Context(), time.Now(), broken)
	done(t, j, err, fleet.Failed, "it stays drained")
	toldBalancer(t, r, "snapshot drain")
	r.Inside(balancer, "touch", "/var/tmp/bad-drain") // what is broken goes back all the same
	j, err = f.Rollback(t.Context(), time.Now(), cases.Back(broken))
	done(t, j, err, fleet.Succeeded, "undrain was carried out; drain failed: The balancer agrees: non-zero return code; the host was restarted; undrain was carried out")
	toldBalancer(t, r, "drain undrain drain undrain") // libfoo, which came along, had asked for a restart
}

// A host that is well gets its traffic, whatever ends the run or keeps Ansible from the
// balancer: a later run has it done, and nothing is moved twice.
func TestTasksCut(t *testing.T) {
	const h = "h05"
	s := cases.Step(h, "barkeep 1.0 1.2")
	for _, tc := range []struct {
		name  string
		begin string // a condition in the balancer, or else in the host, for what goes wrong
		on    string
		slow  string
		wrong func(r *rig.Rig, f *host.Carrier)
		first fleet.State
		told  string
	}{
		{"killed as it is undrained", "grep -qs ^undrain /var/tmp/told", balancer, "undrain", func(_ *rig.Rig, f *host.Carrier) { f.Close() }, fleet.Running, "snapshot drain undrain undrain"},
		{"a balancer out of reach", "dpkg-query -W -f '${db:Status-Abbrev}' barkeep | grep -q iF", h, "none", func(r *rig.Rig, _ *host.Carrier) { r.Fault(balancer, "drop") }, fleet.Running, "snapshot drain undrain"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := up(t)
			r.Fresh(h, balancer)
			r.Inside(balancer, "touch", "/var/tmp/slow-"+tc.slow)
			o := balanced(t, r, 2*time.Minute)
			f := opened(t, o)
			var j fleet.Job
			var err error
			var wg sync.WaitGroup
			wg.Go(func() { j, err = f.Apply(t.Context(), time.Now(), s) })
			until(t, r, tc.on, tc.begin)
			tc.wrong(r, f)
			wg.Wait()
			done(t, j, err, tc.first, "")
			r.Fault(balancer, "clear")
			r.Inside(balancer, "rm", "/var/tmp/slow-"+tc.slow)

			next := opened(t, o)
			known, err := next.Status(t.Context(), time.Now(), []string{j.ID})
			if err != nil || known[0].State != fleet.Unknown {
				t.Errorf("Status() = %+v, %v, want nothing known until the step is taken again", known, err)
			}
			j, err = next.Apply(t.Context(), time.Now(), s)
			done(t, j, err, fleet.Succeeded, "undrain was carried out")
			toldBalancer(t, r, tc.told)
			if log := r.Inside(h, "sh", "-c", "grep -c ' status installed barkeep:all 1.2' /var/log/dpkg.log"); log != "1" {
				t.Errorf("dpkg finished barkeep 1.2 %s times, want once", log)
			}
		})
	}
}

// A run that is killed as a host is drained has moved nothing; the next gives the host
// its traffic, and the one after that begins anew.
func TestTasksKilledInDrain(t *testing.T) {
	const h = "h05"
	r := up(t)
	r.Fresh(h, balancer)
	r.Inside(balancer, "touch", "/var/tmp/slow-drain")
	o := balanced(t, r, 30*time.Second)
	f := opened(t, o)
	s := cases.Step(h, "barkeep 1.0 1.1")
	var wg sync.WaitGroup
	wg.Go(func() { f.Apply(t.Context(), time.Now(), s) })
	until(t, r, balancer, "grep -qs ^drain /var/tmp/told")
	f.Close()
	wg.Wait()
	r.Inside(balancer, "rm", "/var/tmp/slow-drain")
	next := opened(t, o)
	j, err := next.Apply(t.Context(), time.Now(), cases.Step(h, "shopd 1.0-1 1.1-1"))
	denied(t, j, err, "busy", "another job of ringmaster is at work on the host") // who began it may still be at it
	j, err = next.Apply(t.Context(), time.Now(), s)
	denied(t, j, err, "refused", "it was cut off, and nothing was moved: snapshot was carried out; undrain was carried out")
	toldBalancer(t, r, "snapshot drain undrain")
	j, err = next.Apply(t.Context(), time.Now(), s)
	done(t, j, err, fleet.Succeeded, "")
	toldBalancer(t, r, "snapshot drain undrain")
}

// A drain whose job is gone when it ends, as another run has settled it meanwhile, is undone.
func TestLateDrain(t *testing.T) {
	const h = "h05"
	r := up(t)
	r.Fresh(h, balancer)
	r.Inside(balancer, "touch", "/var/tmp/bad-drain")
	f := opened(t, balanced(t, r, 2*time.Minute))
	var j fleet.Job
	var err error
	var wg sync.WaitGroup
	wg.Go(func() { j, err = f.Apply(t.Context(), time.Now(), cases.Step(h, "barkeep 1.0 1.1")) })
	until(t, r, balancer, "grep -qs ^drain /var/tmp/told")
	r.Inside(h, "sh", "-c", "rm -r /var/lib/ringmaster/apply-*")
	wg.Wait()
	if err == nil && j.State != fleet.Unknown {
		t.Errorf("Apply() = %+v, want nothing known of the job", j)
	}
	toldBalancer(t, r, "snapshot drain undrain")
	has(t, r, h, "1.0-1", "2.0", "1.0")
}

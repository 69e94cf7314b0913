// Package ansible is a fleet of hosts that Ansible reaches: by the site's own
// inventory, ansible.cfg, ssh_config, vault and become, which are left as they
// are. What is added is a playbook (plays/) that names its hosts, how many at a time,
// and a callback that tells as JSON what came of each task.
//
// Steps that are asked for at the same time share a run. A host keeps its jobs as
// with the fleet ssh, and is asked and judged by the same words (package host):
// the same key gets the same answer from either.
package ansible

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/host"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// Options say how Ansible is run and what may be done to hosts. The zero value
// runs ansible-playbook with the inventory that its own configuration names.
type Options struct {
	// Command is ansible-playbook and what the site adds to it: its inventory, a
	// vault's password file.
	Command []string
	// Dir is the estate's folder, from which it is run. The caller sees to it that
	// what the command names there is as the protected branch has it.
	Dir string
	// Env are variables that it starts with, as NAME=value.
	Env []string
	// Log is given the lines that Ansible writes besides, long runs of them shortened;
	// nil passes them over.
	Log func(line string)
	// Options are those of every fleet of hosts; as many are worked on at a time as
	// Ansible has forks.
	host.Options
}

// door is how words get to hosts by Ansible.
type door struct {
	o      Options
	ctx    context.Context // of all runs
	cancel context.CancelFunc
	runs   sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	waiting map[string]*batch // by play, until the next run takes them
}

// Open checks the options. Nothing is started yet.
func Open(o Options) (*host.Carrier, error) {
	if len(o.Command) == 0 {
		o.Command = []string{"ansible-playbook"}
	}
	if err := o.Policy.Check(); err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = func(string) {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	return host.New("ansible", append(slices.Clone(host.Managed), version.Windows), &door{o: o, ctx: ctx, cancel: cancel, waiting: map[string]*batch{}}, o.Options), nil
}

// Ask runs a verb of the host's program (plays/ask.yml). It waits no longer than for a
// step: Ansible's plugins may wait without end.
func (d *door) Ask(ctx context.Context, at inventory.HostID, words []string) (host.Answer, error) {
	limit := cmp.Or(d.o.Timeout, 30*time.Minute)
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	a, err := d.send(within, "ask.yml", &errand{host: at, vars: struct {
		Words []string `json:"words"`
	}{words}})
	if err != nil && ctx.Err() == nil && within.Err() != nil {
		return nil, &fleet.Error{Code: "unreachable", Retryable: true, Message: fmt.Sprintf("asking %s: Ansible has not answered within %s", at, limit)}
	}
	return a, err
}

// Carry plays a step.
func (d *door) Carry(ctx context.Context, w host.Work) (host.Answer, error) {
	return d.send(ctx, playOf(w), &errand{host: w.Host, vars: d.step(w)})
}

// Tasks carries out a hook (plays/hook.yml).
func (d *door) Tasks(ctx context.Context, at inventory.HostID, job string, h host.Hook, packages string) (host.Answer, error) {
	op, _, _ := strings.Cut(job, "-")
	return d.send(ctx, "hook.yml", &errand{host: at, limit: h.Timeout, vars: struct {
		Tasks    string `json:"tasks"`
		Hook     string `json:"hook"`
		Op       string `json:"op"`
		Packages string `json:"packages"`
		Job      string `json:"job"`
	}{filepath.Join(d.o.Dir, filepath.FromSlash(h.Tasks)), h.Name, op, packages, job}})
}

// playOf is the play that moves a step's packages.
func playOf(w host.Work) string {
	switch t := w.Packages[0].Type; {
	case t == version.RPM:
		return w.Facts.First("manager") + ".yml"
	case t == version.Deb && w.Op == "rollback":
		return "deb_back.yml"
	default:
		return string(t) + ".yml"
	}
}

// step is what a play is told of a host.
type step struct {
	Job       string   `json:"job"`
	Op        string   `json:"op"`
	Request   string   `json:"request"`
	Targets   []string `json:"targets"`
	Automatic []string `json:"automatic"`
	Conffiles string   `json:"conffiles"`
	// of Windows, whose restart is a task
	Reboot  string `json:"reboot"`
	Restart int    `json:"restart"` // how many seconds it is waited for
}

func (d *door) step(w host.Work) step {
	v := step{Job: w.Job, Op: w.Op, Targets: w.Facts.Values("target"), Automatic: w.Facts.Values("automatic"), Conffiles: "force-confold",
		Reboot: w.Reboot, Restart: int(cmp.Or(d.o.Restart, 10*time.Minute).Seconds()), Request: "by\tansible\n" + w.Request}
	if w.Packages[0].Type == version.Windows {
		v.Request = "at\t" + w.Facts.First("now") + "\n" + v.Request + "\n" // nobody there adds it
	}
	if d.o.NoRestart {
		v.Reboot = "never"
	}
	if d.o.NewConffiles {
		v.Conffiles = "force-confnew"
	}
	if w.Op == "rollback" && len(w.Along) > 0 {
		v.Targets = append(v.Targets, w.Facts.Values("along")...)
	}
	if v.Automatic == nil {
		v.Automatic = []string{}
	}
	return v
}

// Close ends the runs of Ansible that there are. What they have begun on hosts is
// settled by whoever asks next.
func (d *door) Close() error {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.cancel()
	d.runs.Wait()
	return nil
}

// Package exec is a fleet that a site writes for itself: a command that reads
// requests as JSON lines on its standard input and answers on its standard
// output.
//
// The command is started once per run and is not trusted to behave. Whatever it
// does (dies, writes something that is no answer, answers twice, never answers,
// stops reading), each request ends in an answer or an error within its
// timeout, and a broken conversation ends the process. What the plugin did
// before it broke is unknown; keys and the op "installed" are how a caller
// finds out.
//
// A plugin inherits PATH, HOME, LANG and the variables that the estate
// declares, and never a forge's token: see CheckEnv. It runs as the same user
// as ringmaster, so a token worth protecting belongs into another job, as the
// three phases of execute allow.
package exec

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// Options say what to start and how long to wait for it. The zero value of all
// but Command works.
type Options struct {
	// Command is the program and its arguments. A program with a slash in its
	// name that is not absolute lies in Dir; one without is looked up in PATH.
	Command []string
	// Dir is the estate's folder, and the plugin's working directory. The
	// caller sees to it that it holds the files of the protected branch.
	Dir string
	// Env names the variables the plugin inherits besides PATH, HOME and LANG.
	Env []string
	// Engine is the version that hello tells the plugin.
	Engine string
	// Timeout is how long a request may take, 60 s when it is 0.
	Timeout time.Duration
	// Grace is how long a plugin may take to end once its input is closed, 10 s
	// when it is 0. Then its process group is killed.
	Grace time.Duration
	// Log is given each line of the plugin's standard error, without its end.
	Log func(line string)
	// LookupEnv reads a variable of this process; os.LookupEnv when it is nil.
	LookupEnv func(name string) (string, bool)
}

// Fleet is a running plugin. Its methods may be called from several goroutines.
type Fleet struct {
	session *session
	engine  string

	hello sync.Mutex // held while the plugin is asked for its caps
	mu    sync.Mutex
	caps  *fleet.Caps // nil before hello
}

// Open starts the plugin. Nothing is asked of it yet: Hello comes first.
func Open(o Options) (*Fleet, error) {
	if o.Timeout == 0 {
		o.Timeout = 60 * time.Second
	}
	if o.Grace == 0 {
		o.Grace = 10 * time.Second
	}
	s, err := start(o)
	if err != nil {
		return nil, err
	}
	return &Fleet{session: s, engine: o.Engine}, nil
}

// knownOps are the ops of version 1; others that a plugin offers are passed over.
var knownOps = []string{"apply", "rollback", "status", "probe", "installed", "cancel"}

// Hello asks the plugin what it can do, once; later calls return the same.
func (f *Fleet) Hello(ctx context.Context, now time.Time) (fleet.Caps, error) {
	f.hello.Lock()
	defer f.hello.Unlock()
	if caps := f.known(); caps != nil {
		return *caps, nil
	}
	r, err := f.session.ask(ctx, request{V: 1, Op: "hello", Now: stamp(now), Engine: f.engine})
	if err != nil {
		return fleet.Caps{}, err
	}
	caps, err := r.caps()
	if err != nil {
		f.session.break_(err)
		return fleet.Caps{}, err
	}
	f.session.widen(caps.MaxBatch)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.caps = &caps
	return caps, nil
}

func (f *Fleet) known() *fleet.Caps {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.caps
}

// offers returns the caps, or why the op cannot be asked for.
func (f *Fleet) offers(op string) (fleet.Caps, error) {
	caps := f.known()
	switch {
	case caps == nil:
		return fleet.Caps{}, &fleet.Error{Code: "invalid", Message: fmt.Sprintf("%s was asked before hello", op)}
	case !slices.Contains(caps.Ops, op):
		return fleet.Caps{}, &fleet.Error{Code: "invalid", Message: fmt.Sprintf("the plugin %q does not offer %s", caps.Plugin, op)}
	}
	return *caps, nil
}

// Apply moves packages on one host. A step that the plugin could not honour (a
// dry run it does not know of, a not_before that it does not wait for) is
// refused here and never reaches it.
func (f *Fleet) Apply(ctx context.Context, now time.Time, s fleet.Step) (fleet.Job, error) {
	return f.move(ctx, now, "apply", s)
}

// Rollback moves packages back.
func (f *Fleet) Rollback(ctx context.Context, now time.Time, s fleet.Step) (fleet.Job, error) {
	return f.move(ctx, now, "rollback", s)
}

func (f *Fleet) move(ctx context.Context, now time.Time, op string, s fleet.Step) (fleet.Job, error) {
	caps, err := f.offers(op)
	if err != nil {
		return fleet.Job{}, err
	}
	if err := admits(caps, now, s); err != nil {
		return fleet.Job{}, err
	}
	r, err := f.session.ask(ctx, moving(op, now, s))
	if err != nil {
		return fleet.Job{}, err
	}
	return r.job(op, caps)
}

// admits says whether a plugin with these caps may be handed the step.
func admits(caps fleet.Caps, now time.Time, s fleet.Step) error {
	switch {
	case s.Key == "" || s.Host == "" || len(s.Packages) == 0:
		return &fleet.Error{Code: "invalid", Message: "a step needs a key, a host and packages"}
	case s.DryRun && !caps.DryRun:
		return &fleet.Error{Code: "invalid", Message: fmt.Sprintf("the plugin %q knows no dry run", caps.Plugin)}
	case s.NotBefore.After(now) && !caps.Schedules:
		return &fleet.Error{Code: "refused", Retryable: true,
			Message: fmt.Sprintf("not before %s, and the plugin %q keeps no schedule", stamp(s.NotBefore), caps.Plugin)}
	}
	return nil
}

// Status reports jobs in the order asked. One that the plugin leaves out is
// Unknown.
func (f *Fleet) Status(ctx context.Context, now time.Time, jobs []string) ([]fleet.Job, error) {
	return f.jobs(ctx, now, "status", jobs)
}

// Cancel asks for jobs to be given up.
func (f *Fleet) Cancel(ctx context.Context, now time.Time, jobs []string) ([]fleet.Job, error) {
	return f.jobs(ctx, now, "cancel", jobs)
}

func (f *Fleet) jobs(ctx context.Context, now time.Time, op string, jobs []string) ([]fleet.Job, error) {
	if _, err := f.offers(op); err != nil {
		return nil, err
	}
	var all []fleet.Job
	for part := range slices.Chunk(jobs, 500) {
		r, err := f.session.ask(ctx, request{Op: op, Now: stamp(now), Jobs: part})
		if err != nil {
			return nil, err
		}
		list, err := r.jobs(op, part)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return all, nil
}

// Installed says which versions hosts have now. Hosts and packages that the
// plugin leaves out are left out here: absent is not "not installed".
func (f *Fleet) Installed(ctx context.Context, now time.Time, hosts []inventory.HostID, packages []string) (map[inventory.HostID]map[string]string, error) {
	if _, err := f.offers("installed"); err != nil {
		return nil, err
	}
	found := map[inventory.HostID]map[string]string{}
	for part := range slices.Chunk(hosts, 500) {
		r, err := f.session.ask(ctx, request{Op: "installed", Now: stamp(now), Hosts: part, Names: packages})
		if err != nil {
			return nil, err
		}
		if err := r.installed(part, packages, found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// Future asks what a later version of the protocol might: a request with a
// member, and one with an op, that version 1 does not have. The first must be
// answered as without it, the second refused; anything else is the error
// returned. It is for conformance.
func (f *Fleet) Future(ctx context.Context, now time.Time) error {
	if _, err := f.offers("status"); err == nil {
		if _, err := f.session.ask(ctx, request{Op: "status", Now: stamp(now), Jobs: []string{"none"}, Future: true}); err != nil {
			return fmt.Errorf("a request with an unknown member: %w", err)
		}
	}
	_, err := f.session.ask(ctx, request{Op: "ringmaster_future", Now: stamp(now)})
	if err == nil {
		return errors.New("an unknown op was answered ok, want it refused")
	}
	select {
	case <-f.session.dead:
		return fmt.Errorf("an unknown op ended the conversation: %w", err)
	default:
		return nil
	}
}

// Close closes the plugin's standard input and waits for it to end; after the
// grace its process group is killed. Requests still unanswered fail. It may be
// called twice.
func (f *Fleet) Close() error { return f.session.close() }

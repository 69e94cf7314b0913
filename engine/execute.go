package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
	"github.com/ringmaster-dev/ringmaster/engine/rollout"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

// Executor is what execute needs beyond Env: how fleets, health sources and workloads
// are opened, and how to wait for a job.
type Executor struct {
	*Env
	OpenFleet    func(ctx context.Context, f ring.Fleet, w World) (fleet.Fleet, error)
	OpenHealth   func(ctx context.Context, h ring.Health, f fleet.Fleet, w World) (telemetry.Source, error)
	OpenWorkload func(l ring.Workload, w World) (telemetry.Workload, error)
	// Wait returns after d, or false when it will not wait at all: jobs that are
	// not over are then looked at by a later run.
	Wait func(ctx context.Context, d time.Duration) bool
	// Lasted is how long the run has lasted; nil where time is simulated.
	Lasted func() time.Duration
	taken  sync.Map // keys of steps that a fleet took in this run
	// Told is called for every line that was committed, in order; nil tells nobody.
	Told func(outcome.Line)
}

// World is what a fleet of this estate may know: the commit's files, its hosts
// as the ledgers left them, and what was done before.
type World struct {
	Files repo.FS
	Dir   string // the estate's folder, for commands that it names
	Hosts []inventory.Host
	Past  []Done
	Now   time.Time
}

// Done is a change that a fleet made before, rebuilt from ledgers: what makes a
// simulated fleet remember.
type Done struct {
	Key      string
	Host     inventory.HostID
	Patch    plan.PatchID
	Packages []fleet.Package
	At       time.Time
	Rollback bool
	Failed   bool
}

// Refusal is a plan that lies on the base branch and is not carried out.
type Refusal struct {
	Plan string
	Why  string
}

// Executed is what a run did.
type Executed struct {
	Lines    []outcome.Line
	Refused  []Refusal // plans that are not confirmed: nothing of them runs
	Held     []string  // patches or hosts that are held, in words
	Wake     time.Time // when something may be due next
	For      string    // what may be due then
	Open     int       // merged plans that are not over
	Standing bool      // something is denied, held or rolled back
}

// rounds is how often intend, apply and record follow one another in a run:
// what one round makes possible the next one does, unless the run has lasted too long
// to begin anything.
const rounds = 1000

// Execute advances every merged plan by what may be done at Env.At, and tells the
// forge of it. Doing it again does nothing again.
func (x *Executor) Execute(ctx context.Context) (*Executed, error) {
	done := &Executed{}
	for range rounds {
		moved, broken, err := x.round(ctx, done)
		if err != nil {
			return done, errors.Join(broken, err)
		}
		if broken != nil || !moved || x.Lasted != nil && x.Lasted() >= longest {
			x.Show(ctx, done)
			return done, broken
		}
	}
	return done, fmt.Errorf("executing: still not at rest after %d rounds", rounds)
}

// round does each phase once. What of apply is broken keeps nothing else from being
// recorded.
func (x *Executor) round(ctx context.Context, done *Executed) (moved bool, broken, err error) {
	intended, err := x.Intend(ctx, done)
	if err != nil {
		return false, nil, err
	}
	results, broken := x.Apply(ctx, 0, 1)
	recorded, err := x.Record(ctx, results, done)
	return intended+recorded > 0, broken, err
}

// tip is the base branch as one phase sees it: the commit, its estate, and the
// plans that may run.
type tip struct {
	branch  string
	commit  repo.Hash
	est     *estate.Estate
	decider *decider
	fixes   map[plan.PatchID]fixOf
	live    []*live                    // most urgent first
	begun   map[inventory.HostID]*live // hosts on which this step begins something
	refused []Refusal
}

// live is a confirmed plan with its ledger.
type live struct {
	deed
	progress  *rollout.Progress
	approvals []outcome.Approval // as the forge tells them
}

// look reads the base branch, of which every commit must have a right to be
// there, and confirms its plans, at the present time alone.
func (x *Executor) look(ctx context.Context) (*tip, error) {
	t, err := x.survey(ctx, func(commit repo.Hash) error { return x.trusted(ctx, commit, "executed") })
	if err != nil {
		return nil, err
	}
	if err := x.inTime(ctx, t); err != nil {
		return nil, err
	}
	return t, x.confirmed(ctx, t)
}

// survey reads the base branch and everything that was done by it. Allowed is
// asked about the branch's commit before anything is decided on it: whoever broke
// a ledger is named before the ledger is.
func (x *Executor) survey(ctx context.Context, allowed func(repo.Hash) error) (*tip, error) {
	branch, commit, err := x.base(ctx)
	if err != nil {
		return nil, err
	}
	est, err := x.read(commit)
	if err != nil {
		return nil, err
	}
	if err := allowed(commit); err != nil {
		return nil, err
	}
	d, err := newDecider(est, x.basis(commit, x.At))
	if err != nil {
		return nil, err
	}
	return &tip{branch: branch, commit: commit, est: est, decider: d, fixes: fixes(est.Advisories), begun: map[inventory.HostID]*live{}}, nil
}

// confirmed adds the plans that the forge confirms, and those that it does not.
// Plans that are complete are left out.
func (x *Executor) confirmed(ctx context.Context, t *tip) error {
	d := t.decider
	for _, done := range d.deeds {
		g, err := rollout.Read(done.plan, done.lines)
		if err != nil {
			return err
		}
		switch {
		case g.Complete:
			continue
		case done.gone:
			if why := d.hanging(done, g); why != "" {
				t.refused = append(t.refused, Refusal{done.plan.ID, why})
			}
			continue
		}
		approvals, why, err := x.confirm(ctx, t, done)
		switch {
		case err != nil:
			return fmt.Errorf("confirming plan %s: %w", done.plan.ID, err)
		case why != "":
			t.refused = append(t.refused, Refusal{done.plan.ID, why})
		default:
			t.live = append(t.live, &live{done, g, approvals})
		}
	}
	slices.SortStableFunc(t.live, func(a, b *live) int { return urgency(a.plan, b.plan) })
	t.disturb()
	return nil
}

// disturb tells every plan what the others rolled back on its hosts.
func (t *tip) disturb() {
	for _, from := range t.live {
		for host, at := range from.progress.Undone {
			for _, to := range t.live {
				to.progress.Disturb(host, at)
			}
		}
	}
}

// newest is when the newest change on a host that still soaks was applied, in
// whatever plan.
func (t *tip) newest(host inventory.HostID) time.Time {
	var last time.Time
	for _, l := range t.live {
		if at := l.progress.Newest(host); at.After(last) {
			last = at
		}
	}
	return last
}

// skew is how far a run's clock may be off (Trust 6).
const skew = 5 * time.Minute

// inTime refuses a clock that is not now, or that lies before the ledgers' last
// line. Others may have written since a run began that lasts.
func (x *Executor) inTime(ctx context.Context, t *tip) error {
	for _, d := range t.decider.deeds {
		if n := len(d.lines); n > 0 && x.At.Add(x.lasted(t)).Before(d.lines[n-1].At) {
			return fmt.Errorf("--at %s is before the last outcome of plan %s (%s); time does not run backwards",
				x.At.Format(time.RFC3339), d.plan.ID, d.lines[n-1].At.Format(time.RFC3339))
		}
	}
	if t.est.Settings.Clock == "given" || x.told.timely {
		return nil // a run that began in time may last
	}
	now, err := x.Forge.Now(ctx)
	if err != nil {
		return fmt.Errorf("asking the forge for the time: %w", err)
	}
	who := "the forge's clock"
	if now.IsZero() {
		now, who = x.Clock, "this machine's clock"
	}
	if d := x.At.Sub(now).Abs(); d > skew {
		return fmt.Errorf("--at %s is %s away from %s; an estate with clock = \"wall\" executes only at the present time, within %s",
			x.At.Format(time.RFC3339), d.Round(time.Second), who, skew)
	}
	x.told.timely = true
	return nil
}

// commit puts new ledgers on the base branch. It returns repo.ErrMoved where
// another run was first.
func (x *Executor) commit(ctx context.Context, t *tip, changes map[string][]byte, message string) error {
	_, err := x.advance(ctx, t.branch, repo.Next{Base: t.commit, Changes: changes, Message: message + "\n\nrun " + x.Run})
	return err
}

// contended is how often a phase reads again after losing the branch.
const contended = 20

// contest runs a phase's step until it is not overtaken by another run.
func contest(what string, step func() error) error {
	var err error
	for range contended {
		if err = step(); !errors.Is(err, repo.ErrMoved) {
			return err
		}
	}
	return fmt.Errorf("%s: other runs were first %d times in a row; the next run tries again: %w", what, contended, err)
}

func (x *Executor) tell(lines []outcome.Line) {
	for _, l := range lines {
		x.Log.WithField("plan", l.Plan).WithField("ring", l.Ring).WithField("wave", l.Wave).WithField("host", l.Host).
			WithField("patch", l.Patch).Debug(l.Event)
		if x.Told != nil {
			x.Told(l)
		}
	}
}

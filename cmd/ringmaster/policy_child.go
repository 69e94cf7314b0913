package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
)

// Policies that nobody has reviewed yet, those of a working tree or a pull
// request, are evaluated in a process of their own: this program again, with the
// same words, under limits. OPA has none on memory, and some of what Rego can ask
// for cannot be interrupted. A process can.
//
// plan, check, execute and audit evaluate what was merged. They do it in their
// own process, where a watchdog ends the run when one evaluation takes longer
// than stuckAfter. In both, what was too much is told with the rule or the test
// that it was in, and nothing is decided on it: when such a limit strikes depends
// on the machine, so it must not become an answer. The limits that may are counts,
// in engine/policy.

// limits are those of a process that evaluates policies.
type limits struct {
	memory   int           // megabytes, 0 none
	patience time.Duration // without one step of an evaluation
}

// The limits unless somebody says otherwise.
const (
	memoryMB   = 1024
	patience   = 30 * time.Second
	stuckAfter = 2 * time.Minute
	look       = 20 * time.Millisecond // how often a watchdog looks
)

// self is how this program is started again, "" where it cannot be: then
// everything runs in one process. main sets it.
var self string

// childMark says in the environment of a process that it is the child, and how
// it says where it is: the number of a file, 0 none.
const childMark = "RINGMASTER_POLICY_CHILD"

// contained lets a verb do its work in a child under limits.
func (a *app) contained(cmd *cobra.Command) *cobra.Command {
	run := cmd.RunE
	var l limits
	cmd.Flags().IntVar(&l.memory, "memory", memoryMB, "how many `MB` evaluating the policies may take; it happens in a process of its own")
	cmd.Flags().DurationVar(&l.patience, "patience", patience, "how long one step of a policy may take")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch mark := a.getenv(childMark); {
		case l.memory < 64 || l.patience < time.Millisecond:
			return usage("--memory %d --patience %s; expected at least 64 MB and 1ms", l.memory, l.patience)
		case mark != "":
			restrict(l)
			w := &watchdog{limits: l, say: beats(mark), strike: a.struck}
			go w.watch()
			return run(cmd, args)
		case self == "":
			return run(cmd, args)
		}
		return a.contain(cmd.Context(), l)
	}
	return cmd
}

// contain runs the child and answers as it does. A child that dies of its limits
// is a fault where it was last.
func (a *app) contain(ctx context.Context, l limits) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	child := exec.CommandContext(ctx, self)
	child.Args = append([]string{os.Args[0]}, a.args...)
	cries := &cries{out: a.err}
	child.Stdin, child.Stdout, child.Stderr = a.in, under(a.out), cries
	last, err := a.start(child, l, cancel)
	if err != nil {
		return fmt.Errorf("starting a process for the policies: %w", err)
	}
	err = child.Wait()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &exit):
		return fmt.Errorf("waiting for the process of the policies: %w", err)
	case !cries.fatal() && exit.ExitCode() >= 0:
		return exitCode(exit.ExitCode())
	}
	place, why := last(), "it ended unexpectedly"
	if cries.fatal() {
		why = fmt.Sprintf("it takes more than %d MB of memory, or calls itself too deeply (%s)", l.memory, cries.why())
	} else if place.late {
		why = fmt.Sprintf("one step takes longer than %s", l.patience)
	}
	return a.struckAt(place.place, why)
}

// exitCode is a run that ends as its child did, which has said all.
type exitCode int

func (e exitCode) Error() string {
	return "the process of the policies ended with " + strconv.Itoa(int(e))
}

// struck tells of a limit in this process and ends it.
func (a *app) struck(place, why string) {
	os.Exit(a.exit(a.struckAt(place, why)))
}

// struckAt prints a limit that was reached, as a fault at its place.
func (a *app) struckAt(place, why string) error {
	f := estate.Fault{File: "policies", Message: why + "; evaluating it was given up"}
	if file, row, ok := strings.Cut(place, ":"); ok {
		if n, err := strconv.Atoi(row); err == nil {
			f.File, f.Line = file, n
		}
	}
	if f.Line == 0 && place != "" {
		f.Message = place + ": " + f.Message
	}
	return a.printFaults([]estate.Fault{f}, &usageError{errors.New("the policies are out of bounds; in policy test and policy replay, --memory and --patience set them")})
}

// watchdog looks at what is evaluated, and strikes when a limit is reached.
type watchdog struct {
	limits
	say    func(place string) // at every look; nil: nobody listens
	strike func(place, why string)
}

// sight is an evaluation as it was when it last did something.
type sight struct {
	steps int64
	since time.Time
}

func (w *watchdog) watch() {
	seen := map[int64]sight{}
	for range time.Tick(look) {
		now := time.Now()
		list := policy.Running()
		place := ""
		for _, e := range list {
			place = e.Place
			s, known := seen[e.ID]
			if !known || s.steps != e.Steps {
				seen[e.ID] = sight{e.Steps, now}
			} else if now.Sub(s.since) > w.patience {
				w.strike(place, named(e)+fmt.Sprintf("one step takes longer than %s", w.patience))
				return
			}
		}
		if w.memory > 0 && overfull(uint64(w.memory)<<20) {
			why := fmt.Sprintf("it takes more than %d MB of memory", w.memory)
			if len(list) > 0 {
				why = named(list[len(list)-1]) + why
			}
			w.strike(place, why)
			return
		}
		if w.say != nil {
			w.say(place)
		}
		if len(seen) > 1<<12 {
			clear(seen)
		}
	}
}

func named(e policy.Evaluation) string {
	if e.Rule == "" {
		return ""
	}
	return e.Rule + ": "
}

// overfull says that a process is at the end of its memory: what is alive leaves
// the collector no room, or what it has from the machine is nearly all.
func overfull(limit uint64) bool {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64() > limit/10*6 || s[1].Value.Uint64()-s[2].Value.Uint64() > limit/20*19
}

// restrict sets this process's limits: softly what the collector can do, hard
// what the system can.
func restrict(l limits) {
	debug.SetMemoryLimit(int64(l.memory) << 20 / 10 * 8)
	debug.SetMaxStack(128 << 20)
	hardLimit(uint64(l.memory)<<20 + 256<<20)
}

// trusted watches the evaluations of merged policies, in every verb but those
// that are contained.
func (a *app) trusted() {
	if self == "" || a.getenv(childMark) != "" {
		return
	}
	w := &watchdog{limits: limits{patience: stuckAfter}, strike: a.struck}
	go w.watch()
}

// cries passes on what a child says on stderr up to the words with which Go's
// runtime dies: pages about goroutines help nobody.
type cries struct {
	mu   sync.Mutex
	out  io.Writer
	last []byte // of what was said when it died
	dead bool
}

func (c *cries) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.dead {
		at := -1
		for _, words := range []string{"fatal error: ", "runtime: ", "panic: ", "SIGABRT: "} {
			if i := bytes.Index(p, []byte(words)); i >= 0 && (at < 0 || i < at) && (i == 0 || p[i-1] == '\n') {
				at = i
			}
		}
		if at < 0 {
			_, err := c.out.Write(p)
			return len(p), err
		}
		c.dead = true
		if _, err := c.out.Write(p[:at]); err != nil {
			return len(p), err
		}
		c.last = append(c.last, p[at:]...)
	} else if len(c.last) < 1<<12 {
		c.last = append(c.last, p...)
	}
	return len(p), nil
}

func (c *cries) fatal() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dead
}

// why is the line with which it died.
func (c *cries) why() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	first, _, _ := strings.Cut(string(c.last), "\n")
	return line(first)
}

// lastSeen is where a child was when it was last heard of.
type lastSeen struct {
	place string
	late  bool // it was not heard of for too long
}

// hearing keeps what a child says about where it is, and ends one that says
// nothing for longer than its own watchdog would have waited.
type hearing struct {
	place atomic.Pointer[string]
	late  atomic.Bool
}

func (h *hearing) listen(r io.Reader, patience time.Duration, end func()) {
	timer := time.AfterFunc(patience+10*time.Second, func() { h.late.Store(true); end() })
	defer timer.Stop()
	buf := make([]byte, 1<<12)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			timer.Reset(patience + 10*time.Second)
			lines := strings.Split(strings.TrimRight(string(buf[:n]), "\n"), "\n")
			if p := lines[len(lines)-1]; p != "" {
				h.place.Store(&p)
			}
		}
		if err != nil {
			return
		}
	}
}

func (h *hearing) last() lastSeen {
	l := lastSeen{late: h.late.Load()}
	if p := h.place.Load(); p != nil {
		l.place = *p
	}
	return l
}

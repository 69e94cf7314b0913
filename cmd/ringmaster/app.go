package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// streams are where a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// app is one run of the command: its streams, environment, clock and flags.
type app struct {
	streams
	args   []string // as they were given
	getenv func(string) string
	clock  time.Time // the machine's, read once at start
	log    *logrus.Logger
	pause  func(context.Context, time.Duration) bool // lets time pass
	lasted func() time.Duration                      // how much has passed since the start; nil where it is simulated

	dir       string
	at        string
	format    string
	logLevel  string
	logFormat string
}

// run runs the command and returns its exit code.
func run(ctx context.Context, args []string, s streams, getenv func(string) string, clock time.Time) int {
	began := time.Now()
	return paced(ctx, args, s, getenv, clock, wait, func() time.Duration { return time.Since(began) })
}

// paced is run with the functions that let time pass and tell how much has.
func paced(ctx context.Context, args []string, s streams, getenv func(string) string, clock time.Time, pause func(context.Context, time.Duration) bool, lasted func() time.Duration) int {
	raw := s.err
	s.err = &unheard{w: s.err}
	a := &app{streams: s, args: args, getenv: getenv, clock: clock.UTC().Truncate(time.Second), log: logrus.New(), pause: pause, lasted: lasted}
	a.log.SetOutput(raw) // log formats see to themselves
	root := a.root()
	root.SetArgs(args)
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	return a.exit(root.ExecuteContext(ctx))
}

// root is the command with all its verbs.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "ringmaster",
		Short: "Deployment plans for patches, as pull requests: decided by policy, explained, carried out ring by ring",
		Long: `ringmaster reads an estate (inventory, rings and policies in Git), matches
advisories to hosts, weighs what deploying may break against what waiting may
cost, and writes deployment plans that people review and merge. Merged plans
run ring by ring and are rolled back when health says so.

Begin with: ringmaster demo

Exit codes: 0 done; 1 failed, or what was checked does not hold; 2 wrong usage
or an invalid estate; 3 done, but something is denied, held or rolled back.`,
		Version:       engine.Version,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return a.prepare(cmd)
		},
	}
	f := root.PersistentFlags()
	f.StringVarP(&a.dir, "dir", "C", "", "the estate's `folder` (default: found upward from here)")
	f.StringVar(&a.at, "at", "", "the time to decide for, as `RFC 3339` (default: now)")
	f.StringVar(&a.format, "format", "text", "text | json | markdown (validate, check and policy test also github | sarif)")
	f.StringVar(&a.logLevel, "log-level", "info", "error | warn | info | debug")
	f.StringVar(&a.logFormat, "log-format", "text", "text | json | github")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &usageError{fmt.Errorf("%w; see `%s --help`", err, cmd.CommandPath())}
	})
	root.AddCommand(a.demo(), a.init(), a.validate(), a.importing(), a.discover(), a.feeds(), a.plan(), a.check(), a.pr(), a.comments(), a.execute(),
		a.learn(), a.review(), a.status(), a.override(), a.stop(), a.audit(), a.policy(), a.fleet(), a.preflight(), a.model())
	explainArgs(root)
	return root
}

// explainArgs makes wrong arguments of every verb wrong usage that says what
// would be right: a verb of verbs, such as pr, is nothing by itself.
func explainArgs(cmd *cobra.Command) {
	for _, c := range cmd.Commands() {
		explainArgs(c)
	}
	if cmd.HasSubCommands() {
		var verbs []string
		for _, c := range cmd.Commands() {
			verbs = append(verbs, c.Name())
		}
		cmd.Args = cobra.ArbitraryArgs
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && !cmd.HasParent() {
				return cmd.Help()
			}
			if len(args) == 0 {
				return usage("%s does nothing by itself; expected one of %s", cmd.CommandPath(), strings.Join(verbs, ", "))
			}
			return usage("unknown verb %q of %s; %s", args[0], cmd.CommandPath(), hclfile.Expected(args[0], verbs))
		}
		return
	}
	check := cmd.Args
	if check == nil {
		return
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		switch err := check(cmd, args); {
		case err == nil:
			return nil
		case len(args) == 0:
			return usage("%s needs more words; expected `%s`", cmd.CommandPath(), cmd.UseLine())
		default:
			return usage("%s does not go with %q; expected `%s`", cmd.CommandPath(), strings.Join(args, " "), cmd.UseLine())
		}
	}
}

// usageError is a wrong call of the command.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

func usage(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// prepare sets up what the global flags say.
func (a *app) prepare(cmd *cobra.Command) error {
	level, err := logrus.ParseLevel(a.logLevel)
	if err != nil {
		return usage("--log-level %q; expected one of error, warn, info, debug", a.logLevel)
	}
	a.log.SetLevel(level)
	switch a.logFormat {
	case "text":
		a.log.SetOutput(a.err)
		a.log.SetFormatter(&lineFormatter{color: a.color(a.err)})
	case "json":
		a.log.SetFormatter(&jsonFormatter{})
	case "github":
		a.log.SetFormatter(&githubFormatter{})
	default:
		return usage("--log-format %q; expected one of text, json, github", a.logFormat)
	}
	a.trusted()
	formats := []string{"text", "json", "markdown"}
	if cmd.Annotations["formats"] != "" {
		formats = append(formats, strings.Fields(cmd.Annotations["formats"])...)
	}
	for _, f := range formats {
		if f == a.format {
			if f != "github" { // which is commands for the runner
				a.out = &unheard{w: a.out, json: f == "json" || f == "sarif"}
			}
			return nil
		}
	}
	return usage("--format %q; expected one of %s", a.format, strings.Join(formats, ", "))
}

// now is the run's only clock: --at, or the machine's at start.
func (a *app) now() (time.Time, error) {
	if a.at == "" {
		return a.clock, nil
	}
	t, err := time.Parse(time.RFC3339, a.at)
	if err != nil {
		return time.Time{}, usage("--at %q is not an RFC 3339 time such as 2026-03-02T09:00:00Z", a.at)
	}
	return t.UTC().Truncate(time.Second), nil
}

// errHeld is what makes a run end with 3.
var errHeld = errors.New("something is denied, held or rolled back")

// errFailed is what makes a run end with 1 after its result was printed.
var errFailed = errors.New("what was checked does not hold")

// The exit codes.
const (
	exitDone    = 0
	exitFailed  = 1 // also: what was checked does not hold
	exitInvalid = 2 // wrong usage, or an invalid estate
	exitHeld    = 3
)

// exit prints an error and turns it into an exit code.
func (a *app) exit(err error) int {
	var faults *engine.FaultsError
	var wrong *usageError
	var denied *engine.Denied
	var child exitCode
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &child):
		return int(child)
	case errors.Is(err, errHeld):
		return exitHeld
	case errors.Is(err, errFailed):
		return exitFailed
	case errors.As(err, &faults):
		fmt.Fprintln(a.err, plain(faults.Error()))
		fmt.Fprintf(a.err, "ringmaster: the estate is invalid: %s\n", count(len(faults.Faults), "fault"))
		return exitInvalid
	case errors.As(err, &wrong):
		fmt.Fprintln(a.err, "ringmaster:", plain(err.Error()))
		return exitInvalid
	case errors.As(err, &denied):
		fmt.Fprintln(a.err, "ringmaster:", plain(err.Error()))
		return exitHeld
	}
	fmt.Fprintln(a.err, "ringmaster:", plain(err.Error()))
	if hint := hintFor(err); hint != "" {
		fmt.Fprintln(a.err, "ringmaster: hint:", hint)
	}
	return exitFailed
}

// hintFor says what to do next about errors that people meet often.
func hintFor(err error) string {
	switch {
	case errors.Is(err, repo.ErrNoRepo):
		return "`ringmaster init` makes an estate here, `ringmaster demo` shows one at work"
	case errors.Is(err, repo.ErrDirty):
		return "commit or undo your edits of those files first"
	case errors.Is(err, repo.ErrMoved):
		return "another run was first; run this again"
	case errors.Is(err, forge.ErrDown), errors.Is(err, repo.ErrDown):
		return "nothing is lost: what was begun goes on, and the next run, when it answers again, takes up the rest"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "the disk of the clone is full; make room and run this again: what is committed stays, and what was begun is found"
	}
	return ""
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// color says whether a stream is a terminal that wants colour.
func (a *app) color(w io.Writer) bool {
	f, ok := under(w).(*os.File)
	return ok && a.getenv("NO_COLOR") == "" && a.getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}

// width is how wide a stream's lines may be.
func (a *app) width(w io.Writer) int {
	if f, ok := under(w).(*os.File); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 40 {
			return n
		}
	}
	return 100
}

// runName names this run in ledgers: the forge's own run where there is one.
func (a *app) runName() string {
	if id := a.getenv("GITHUB_RUN_ID"); id != "" {
		return id + "-" + a.getenv("GITHUB_RUN_ATTEMPT")
	}
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// printFaults prints faults in the format asked for and returns the error that
// the run ends with, nil when there are none.
func (a *app) printFaults(faults []estate.Fault, end error) error {
	if err := writeFaults(a.out, a.format, faults); err != nil {
		return err
	}
	if len(faults) == 0 {
		return nil
	}
	return end
}

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

func (a *app) execute() *cobra.Command {
	var phase, shard, results string
	cmd := &cobra.Command{
		Use: "execute", Short: "advances every merged plan by what may be done now; doing it twice does nothing twice", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withEnv(cmd, func(e *engine.Env) error {
				unlock, free, err := lockRun(e.Repo.GitDir())
				if err != nil {
					return err
				}
				if !free {
					a.log.Warn("another run is executing in this clone; this one leaves everything to it")
					return nil
				}
				defer unlock()
				if half := a.halfForge(); half != "" {
					a.log.Warn("lacking: " + half)
				}
				if err := e.Repo.Recover(); err != nil {
					return err
				}
				x := a.executor(e)
				x.Told = a.tellLine
				return a.phase(cmd, x, phase, shard, results)
			})
		},
	}
	cmd.Flags().StringVar(&phase, "phase", "", "intend | apply | record: one phase alone, as a workflow's jobs run them")
	cmd.Flags().StringVar(&shard, "shard", "1/1", "apply: this job's share, as `I/N`")
	cmd.Flags().StringVar(&results, "results", "", "apply writes its results into this `folder`, record reads them there")
	return cmd
}

func (a *app) phase(cmd *cobra.Command, x *engine.Executor, phase, shard, dir string) error {
	ctx := cmd.Context()
	if (phase == "apply" || phase == "record") && dir == "" {
		return usage("--phase %s needs --results DIR", phase)
	}
	done := &engine.Executed{}
	switch phase {
	case "":
		got, err := x.Execute(ctx)
		if err != nil {
			return err
		}
		done = got
	case "intend":
		if _, err := x.Intend(ctx, done); err != nil {
			return err
		}
		x.Show(ctx, done)
	case "apply":
		i, n, err := parseShard(shard)
		if err != nil {
			return err
		}
		list, err := x.Apply(ctx, i-1, n)
		if werr := writeResults(dir, i, n, list); err == nil {
			err = werr
		}
		if err == nil && a.format == "text" {
			fmt.Fprintf(a.out, "%s\n", count(len(list), "result"))
		}
		return err
	case "record":
		list, err := readResults(dir)
		if err != nil {
			return err
		}
		if _, err := x.Record(ctx, list, done); err != nil {
			return err
		}
		if len(list) > 0 { // else it looked at no plan
			x.Show(ctx, done)
		}
	default:
		return usage("--phase %q; expected one of intend, apply, record", phase)
	}
	return a.executed(done, phase)
}

// executed says how a run ended.
func (a *app) executed(done *engine.Executed, phase string) error {
	for _, r := range done.Refused {
		a.log.Warnf("plan %s is not carried out: %s", r.Plan, r.Why)
	}
	if a.format == "text" {
		for _, h := range done.Held {
			fmt.Fprintln(a.out, "held:", line(h))
		}
		switch {
		case len(done.Lines) == 0 && phase == "intend":
			fmt.Fprintln(a.out, "nothing new begins")
		case len(done.Lines) == 0 && phase == "record":
			fmt.Fprintln(a.out, "there is nothing new to record")
		case len(done.Lines) == 0 && done.Wake.IsZero():
			fmt.Fprintln(a.out, nothingDue(done))
		case !done.Wake.IsZero():
			fmt.Fprintln(a.out, "next due:", done.Wake.Format(time.RFC3339))
			fmt.Fprintln(a.out, " ", line(done.For))
		}
		if slices.ContainsFunc(done.Lines, unwell) {
			fmt.Fprintln(a.out, "next: mend what went wrong above; `ringmaster plan --open` then plans what is left, without what is quarantined")
		}
	}
	if done.Standing || len(done.Refused) > 0 || len(done.Held) > 0 {
		return errHeld
	}
	return nil
}

// whole is how a plan ends of which every change is healthy.
var whole = regexp.MustCompile(`^[0-9]+ healthy$`)

// unwell says whether a line ends a plan of which not all is healthy.
func unwell(l outcome.Line) bool { return l.Event == outcome.Completed && !whole.MatchString(l.Detail) }

// nothingDue says so, and what would make it otherwise.
func nothingDue(done *engine.Executed) string {
	switch {
	case done.Open == 0:
		return "nothing is due: no merged plan is under way"
	case len(done.Held) > 0:
		return "nothing is due: what is held above waits for people"
	}
	return fmt.Sprintf("nothing is due: %s under way, each at rest until its hosts' fleet answers", count(done.Open, "plan"))
}

// tellLine prints a committed line.
func (a *app) tellLine(l outcome.Line) {
	if a.format == "json" {
		data, err := plan.Canonical(l)
		if err == nil {
			a.out.Write(append(data, '\n'))
		}
		return
	}
	fmt.Fprintln(a.out, lineText(l, a.color(a.out)))
}

// lineText is an outcome line as a person reads it.
func lineText(l outcome.Line, color bool) string {
	event := fmt.Sprintf("%-11s", strings.ReplaceAll(string(l.Event), "_", " "))
	if c := eventColor(l.Event); color && c != "" {
		event = c + event + "\x1b[0m"
	}
	where := l.Ring
	if l.Host != "" {
		where = fmt.Sprintf("%s/%d %s", l.Ring, l.Wave, l.Host)
	}
	text := fmt.Sprintf("%s %-22s %s", event, where, l.Patch)
	if l.Patch == "" {
		text = fmt.Sprintf("%s %s", event, l.Plan)
	}
	if l.Detail != "" {
		text += "  " + line(l.Detail)
	}
	return text
}

func eventColor(e outcome.Event) string {
	switch e {
	case outcome.Healthy, outcome.Promoted, outcome.Completed:
		return "\x1b[32m"
	case outcome.Failed, outcome.Degraded, outcome.RolledBack:
		return "\x1b[31m"
	case outcome.Held, outcome.Skipped, outcome.Unreachable:
		return "\x1b[33m"
	}
	return ""
}

func parseShard(s string) (i, n int, err error) {
	x, y, ok := strings.Cut(s, "/")
	i, err1 := strconv.Atoi(x)
	n, err2 := strconv.Atoi(y)
	if !ok || err1 != nil || err2 != nil || i < 1 || i > n || n > 1000 {
		return 0, 0, usage("--shard %q; expected I/N, as 1/4", s)
	}
	return i, n, nil
}

// writeResults writes a shard's results, one JSON line each.
func writeResults(dir string, i, n int, list []engine.Result) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var data []byte
	for _, r := range list {
		line, err := plan.Canonical(r)
		if err != nil {
			return err
		}
		data = append(append(data, line...), '\n')
	}
	name := filepath.Join(dir, fmt.Sprintf("results-%d-of-%d.jsonl", i, n))
	if err := os.WriteFile(name+".part", data, 0o644); err != nil {
		return err
	}
	return os.Rename(name+".part", name)
}

// readResults reads the results of every shard. A lost shard is no fault: what
// it did is found out by the next run.
func readResults(dir string) ([]engine.Result, error) {
	names, err := filepath.Glob(filepath.Join(dir, "results-*.jsonl"))
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var list []engine.Result
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		for n, line := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
			if line == "" {
				continue
			}
			var r engine.Result
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", name, n+1, err)
			}
			list = append(list, r)
		}
	}
	return list, nil
}

//go:build unix

package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/testdata/plugin/reference"
)

// chaosRounds is how often runs are killed, or meet: RINGMASTER_CHAOS, else few.
func chaosRounds(t testing.TB, few int) int {
	t.Helper()
	text := os.Getenv("RINGMASTER_CHAOS")
	if text == "" {
		return few
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("RINGMASTER_CHAOS is %q; expected a number of rounds, as 50", text)
	}
	return n
}

// seldom skips what takes long, unless there is to be much.
func seldom(t *testing.T, usual bool) {
	t.Helper()
	if chaosRounds(t, 0) == 0 && !usual {
		t.Skip("takes long; set RINGMASTER_CHAOS to a number of rounds")
	}
}

// Runs of execute are killed at random moments, with or without their plugin,
// and the plan still ends as if nobody had been: no host moved twice, no
// outcome lost.
func TestKilled(t *testing.T) {
	healthy := map[outcome.Event]int{outcome.Healthy: 24}
	tests := []struct {
		name   string
		plugin []string
		delay  string // of each of the plugin's answers
		alone  bool   // the plugin always lives on
		few    int    // kills by default, 0: only when there are to be many
		want   map[outcome.Event]int
	}{
		{"keys", nil, "3ms", false, 2, healthy},
		{"looking", []string{"-forget-keys"}, "3ms", false, 0, healthy},
		{"bad", []string{"-misbehave", "sick=*"}, "3ms", false, 1, map[outcome.Event]int{outcome.RolledBack: 6}},
		{"orphan", []string{"-forget-keys"}, "40ms", true, 0, healthy},
		{"blind", []string{"-ops", "apply,rollback,status,probe"}, "3ms", false, 0, healthy},
		{"slow", []string{"-accept", "1s"}, "3ms", false, 0, healthy},
		{"failing", []string{"-misbehave", "fail=office-08"}, "3ms", false, 0, map[outcome.Event]int{outcome.Healthy: 4, outcome.RolledBack: 2}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			k := &killer{rng: rand.New(rand.NewPCG(7, uint64(len(test.name)))), only: test.alone, left: chaosRounds(t, test.few)}
			seldom(t, test.few > 0)
			first := newWorld(t, append(test.plugin, "-misbehave", "delay="+test.delay)...)
			want := k.rehearse(first.copied(t))
			for k.left > 0 {
				k.trial(first.copied(t), want)
				if t.Failed() {
					return
				}
			}
			got := map[outcome.Event]int{}
			for _, e := range want {
				got[e]++
			}
			if !gocmp.Equal(got, test.want) {
				t.Errorf("changes end as %v, want %v", got, test.want)
			}
			t.Logf("%s; changes end as %v; %.1f s", k, got, time.Since(began).Seconds())
		})
	}
}

// killer kills runs.
type killer struct {
	rng                        *rand.Rand
	only                       bool          // the plugin is never killed
	left                       int           // how many are still to be killed
	long                       time.Duration // that a run takes at most when it is left alone
	killed, alone, late        int
	intended, installed, plans int
}

func (k *killer) String() string {
	return fmt.Sprintf("%d plans, %d runs killed (%d of them without their plugin, %d with open intents), %d ended first, %d real moves",
		k.plans, k.killed, k.alone, k.intended, k.late, k.installed)
}

// rehearse runs a plan to its end undisturbed, and returns how changes end.
func (k *killer) rehearse(w *world) map[string]outcome.Event {
	w.t.Helper()
	at := chaosAt
	for {
		began := time.Now()
		next, ok := due(w.run(at, "execute"))
		k.long = max(k.long, time.Since(began))
		if !ok {
			break
		}
		at = next
	}
	w.checkRest(at)
	_, lines := w.ledger()
	checkLedger(w.t, lines, w.moved())
	if events(lines)[outcome.Completed] != 1 {
		w.t.Fatalf("undisturbed, the plan does not complete: %v", events(lines))
	}
	return ends(lines)
}

// trial runs a plan to its end, killing runs on the way.
func (k *killer) trial(w *world, want map[string]outcome.Event) {
	w.t.Helper()
	k.plans++
	at := chaosAt
	for range 40 {
		for kills := k.rng.IntN(3); kills > 0 && k.left > 0; kills-- {
			k.kill(w, at)
			at = at.Add(time.Duration(k.rng.IntN(3)) * time.Minute)
		}
		next, ok := due(w.run(at, "execute"))
		if !ok {
			break
		}
		at = next
	}
	w.checkRest(at)
	_, lines := w.ledger()
	moved := w.moved()
	k.installed += len(moved)
	checkLedger(w.t, lines, moved)
	if n := events(lines)[outcome.Completed]; n != 1 {
		w.t.Errorf("completed %d times, want once", n)
	}
	if d := gocmp.Diff(want, ends(lines)); d != "" {
		w.t.Errorf("changes end undisturbed (-) and disturbed (+):\n%s", d)
	}
	if w.t.Failed() {
		for _, l := range lines {
			w.t.Log(l.At.Format("15:04"), l.Run, lineText(l, false))
		}
	}
}

// kill starts a run and kills it at a random moment: by the clock, or soon
// after an intent was committed or something was installed.
func (k *killer) kill(w *world, at time.Time) {
	w.t.Helper()
	alone := k.rng.IntN(2) == 0 || k.only
	if !k.stop(w, at, alone, k.moment(w)) {
		k.late++
		return
	}
	k.left--
	k.killed++
	if alone {
		k.alone++
	}
	if _, lines := w.ledger(); open(lines) {
		k.intended++
	}
}

// stop starts a run and kills it when the moment has come, alone or with its
// plugin. It is false where the run had ended by itself.
func (k *killer) stop(w *world, at time.Time, alone bool, moment func(ended chan error)) bool {
	w.t.Helper()
	cmd, out := w.command(at, "execute")
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	moment(ended)
	if !alone {
		for _, pid := range children(cmd.Process.Pid) {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	<-ended
	if code := cmd.ProcessState.ExitCode(); !killed(cmd) && code != exitDone && code != exitHeld {
		w.t.Errorf("execute ended with %d before it was killed:\n%s", code, out)
	}
	return killed(cmd)
}

func killed(cmd *osexec.Cmd) bool {
	s, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && s.Signaled() && s.Signal() == syscall.SIGKILL
}

// open says whether an intent has no result.
func open(lines []outcome.Line) bool {
	waits := map[string]bool{}
	for _, l := range lines {
		if l.Key != "" {
			waits[l.Key] = l.Event == outcome.Intended
		}
	}
	for _, w := range waits {
		if w {
			return true
		}
	}
	return false
}

// moment chooses when to kill and returns what waits for it, unless the run
// ends before.
func (k *killer) moment(w *world) func(ended chan error) {
	step := time.Duration(k.rng.Int64N(int64(30 * time.Millisecond)))
	switch k.rng.IntN(3) {
	case 0:
		return after(time.Duration(k.rng.Int64N(int64(k.long))))
	case 1:
		main := filepath.Join(w.dir(), ".git", "refs", "heads", "main")
		was, _ := os.ReadFile(main)
		return k.when(step, func() bool {
			is, _ := os.ReadFile(main)
			return !bytes.Equal(was, is)
		})
	}
	n := len(w.moved()) + 1 + k.rng.IntN(6)
	return k.when(step/3, func() bool {
		list, _ := reference.ReadJournal(w.state())
		return len(list) >= n
	})
}

func after(d time.Duration) func(chan error) {
	return func(ended chan error) {
		select {
		case err := <-ended:
			ended <- err
		case <-time.After(d):
		}
	}
}

// when waits until it is so, and then a step more.
func (k *killer) when(step time.Duration, so func() bool) func(chan error) {
	return func(ended chan error) {
		for !so() {
			select {
			case err := <-ended:
				ended <- err
				return
			case <-time.After(time.Millisecond):
			}
		}
		after(step)(ended)
	}
}

// children are a process's, where the system tells: nowhere but on Linux, so
// that elsewhere the plugin always lives on.
func children(pid int) []int {
	names, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	var list []int
	for _, name := range names {
		data, _ := os.ReadFile(name)
		for _, text := range strings.Fields(string(data)) {
			if n, err := strconv.Atoi(text); err == nil {
				list = append(list, n)
			}
		}
	}
	return list
}

package exec_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	osexec "os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/exec"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/fleettest"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/testdata/plugin/reference"
)

// TestMain runs the reference plugin when this binary is started as one, so
// that no second program has to be built.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "plugin" {
		os.Exit(reference.Main(os.Args[2:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

var now = time.Date(2026, 3, 3, 23, 0, 0, 0, time.UTC)

var heron = fleet.Package{Type: "generic", Name: "heron-web", From: "4.2.1", To: "4.2.2", Patch: "generic:heron-web@4.2.2"}

func options(t *testing.T, dir string, args ...string) exec.Options {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := append([]string{self, "plugin", "-state", dir, "-hosts", "web-1,web-2,web-3"}, args...)
	return exec.Options{Command: command, Dir: dir, Engine: "test", Timeout: time.Minute, Grace: 5 * time.Second}
}

// opened is a plugin that has said hello.
func opened(t *testing.T, o exec.Options) *exec.Fleet {
	t.Helper()
	f, err := exec.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if _, err := f.Hello(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	return f
}

func step(host inventory.HostID, key string) fleet.Step {
	return fleet.Step{Key: key, Host: host, Packages: []fleet.Package{heron}, NotBefore: now, NotAfter: now.Add(time.Hour)}
}

func fixture(open func() (fleet.Fleet, error)) fleettest.Fixture {
	return fleettest.Fixture{Open: open, Hosts: []inventory.HostID{"web-1", "web-2", "web-3"}, Package: heron, Now: now}
}

func TestPromises(t *testing.T) {
	for name, args := range map[string][]string{
		"at once":       nil,
		"later":         {"-accept", "3m"},
		"one at a time": {"-batch", "1"},
		"slow":          {"-misbehave", "delay=2ms"},
		"few ops":       {"-ops", "apply,status"},
		"no installed":  {"-ops", "apply,rollback,status"},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t, t.TempDir(), args...)
			fleettest.Test(t, fixture(func() (fleet.Fleet, error) { return exec.Open(o) }))
		})
	}
}

func TestConformNamesWhatIsBroken(t *testing.T) {
	for _, tc := range []struct {
		name   string
		plugin []string
		want   []string
	}{
		{"forgets keys", []string{"-forget-keys"}, []string{
			"ok    apply moves the package\n", "FAIL  a key seen before gets its first answer: ", "ok    status of a job nobody made is unknown\n"}},
		{"does not know when it is too late", []string{"-misbehave", "late=*"}, []string{
			"FAIL  a step that arrives past its not_after is refused, and nothing moves: a step an hour past its not_after was carried out, want it refused\n",
			"ok    a key seen before gets its first answer past its not_after too\n", "1 of 23 promises"}},
		{"does so later", []string{"-misbehave", "late=*", "-accept", "3m"}, []string{
			"FAIL  a step that arrives past its not_after is refused, and nothing moves: a step an hour past its not_after was carried out, want it refused\n"}},
		{"fails without a reason", []string{"-misbehave", "late=*", "-misbehave", "fail=web-1"}, []string{
			`FAIL  a step that arrives past its not_after is refused, and nothing moves: a step an hour past its not_after came to state "failed" ()`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := options(t, t.TempDir(), tc.plugin...)
			var out strings.Builder
			err := fleettest.Conform(t.Context(), &out, fixture(func() (fleet.Fleet, error) { return exec.Open(o) }))
			if err == nil || !strings.Contains(err.Error(), "promises are not kept") {
				t.Fatalf("Conform() = %v, want some promises broken", err)
			}
			said := out.String() + err.Error()
			for _, want := range tc.want {
				if !strings.Contains(said, want) {
					t.Errorf("Conform() printed\n%s\nwithout %q", said, want)
				}
			}
		})
	}
}

func TestHello(t *testing.T) {
	f := opened(t, options(t, t.TempDir()))
	got, err := f.Hello(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	want := fleet.Caps{Plugin: "reference", Ops: []string{"apply", "rollback", "status", "probe", "installed", "cancel"}, MaxBatch: 8, DryRun: true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Hello() (-want +got):\n%s", diff)
	}
}

// code asserts that err is a fleet error of that code and returns it.
func code(t *testing.T, err error, want string) *fleet.Error {
	t.Helper()
	e := (*fleet.Error)(nil)
	if !errors.As(err, &e) || e.Code != want {
		t.Fatalf("got %v, want a fleet error with code %q", err, want)
	}
	return e
}

func TestRefusedBeforeItIsAsked(t *testing.T) {
	dir := t.TempDir()
	f, err := exec.Open(options(t, dir, "-ops", "apply"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, err = f.Apply(t.Context(), now, step("web-1", "k1"))
	code(t, err, "invalid")
	if _, err := f.Hello(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	early := step("web-1", "k1")
	early.NotBefore = now.Add(time.Minute)
	_, err = f.Apply(t.Context(), now, early)
	if e := code(t, err, "refused"); !e.Retryable {
		t.Errorf("a step before its time is not retryable: %v", e)
	}
	_, err = f.Rollback(t.Context(), now, step("web-1", "k1"))
	code(t, err, "invalid")
	_, err = f.Probe().Measure(t.Context(), now, []inventory.HostID{"web-1"}, now, now)
	code(t, err, "invalid")
	if entries, err := reference.ReadJournal(dir); err != nil || len(entries) != 0 {
		t.Errorf("journal = %v, %v, want nothing done", entries, err)
	}
}

// Each way a plugin can break the conversation gives a clear error to the
// request it struck and to all later ones, and never a hang.
func TestBrokenPlugin(t *testing.T) {
	for _, tc := range []struct {
		misdeed, want string
	}{
		{"die=2", "the plugin ended (exit status 3) with 1 requests unanswered; its last words: \"plugin: dying as asked\""},
		{"lose=1", "the plugin ended (exit status 4) with 1 requests unanswered"},
		{"cut=2", "the plugin ended (exit status 5) with 1 requests unanswered"},
		{"garbage=2", "the plugin broke the protocol: \"Traceback (most recent call last):\" is not a reply"},
		{"stranger=2", "the plugin broke the protocol: answered request 9999, which was never asked"},
		{"long=2", "the plugin broke the protocol: a line is longer than 16777216 bytes"},
	} {
		t.Run(tc.misdeed, func(t *testing.T) {
			f := opened(t, options(t, t.TempDir(), "-misbehave", tc.misdeed))
			_, err := f.Apply(t.Context(), now, step("web-1", "k1"))
			e := code(t, err, "internal")
			if !strings.Contains(e.Message, tc.want) || !e.Retryable {
				t.Errorf("Apply() = %+v, want retryable and %q", e, tc.want)
			}
			_, err = f.Apply(t.Context(), now, step("web-2", "k2"))
			if again := code(t, err, "internal"); again.Message != e.Message {
				t.Errorf("a later Apply() = %q, want the reason %q again", again.Message, e.Message)
			}
		})
	}
}

func TestAnsweredTwice(t *testing.T) {
	f := opened(t, options(t, t.TempDir(), "-misbehave", "twice=2"))
	if _, err := f.Apply(t.Context(), now, step("web-1", "k1")); err != nil {
		t.Fatal(err)
	}
	var err error
	for err == nil { // the second answer may come after the next request
		_, err = f.Status(t.Context(), now, []string{"x"})
	}
	if e := code(t, err, "internal"); !strings.Contains(e.Message, "answered request 2 twice") {
		t.Errorf("got %q, want it to say that request 2 was answered twice", e.Message)
	}
}

func TestNeverAnswers(t *testing.T) {
	o := options(t, t.TempDir(), "-batch", "2", "-misbehave", "mute=2")
	f := opened(t, o)
	f.SetTimeout(100 * time.Millisecond)
	_, err := f.Apply(t.Context(), now, step("web-1", "k1"))
	e := code(t, err, "internal")
	if !strings.Contains(e.Message, "gave no answer to apply within 100ms") || !e.Retryable {
		t.Errorf("Apply() = %+v", e)
	}
	f.SetTimeout(time.Minute)
	if _, err := f.Apply(t.Context(), now, step("web-2", "k2")); err != nil {
		t.Errorf("the other slot is free, yet Apply() = %v", err)
	}
}

func TestDeaf(t *testing.T) {
	o := options(t, t.TempDir(), "-batch", "2", "-misbehave", "deaf=2")
	o.Grace = 100 * time.Millisecond
	f := opened(t, o)
	f.SetTimeout(100 * time.Millisecond)
	big := step("web-1", "k1")
	big.Labels = map[string]string{"more than a pipe holds": strings.Repeat("x", 1<<20)}
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if _, err := f.Apply(t.Context(), now, big); err == nil {
				t.Error("a plugin that does not read took a step")
			}
		})
	}
	wg.Wait()
	_, err := f.Apply(t.Context(), now, big)
	if e := code(t, err, "internal"); !strings.Contains(e.Message, "left 2 of 2 requests unanswered") {
		t.Errorf("got %q", e.Message)
	}
}

func TestCallerGivesUp(t *testing.T) {
	f := opened(t, options(t, t.TempDir(), "-misbehave", "mute=2"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Apply(ctx, now, step("web-1", "k1")); !errors.Is(err, context.Canceled) {
		t.Errorf("Apply() = %v, want it canceled", err)
	}
}

func TestMaxBatch(t *testing.T) {
	// Reply 3 is kept until the next is written: with a batch of 2 there is a
	// next one only if two requests may be under way.
	f := opened(t, options(t, t.TempDir(), "-batch", "2", "-misbehave", "swap=2"))
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			host := inventory.HostID(fmt.Sprintf("web-%d", i%3+1))
			if _, err := f.Installed(t.Context(), now, []inventory.HostID{host}, []string{"heron-web"}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestErrorsPassThrough(t *testing.T) {
	f := opened(t, options(t, t.TempDir(), "-misbehave", "unreachable=web-1", "-misbehave", "refuse=web-2", "-misbehave", "fail=web-3"))
	_, err := f.Apply(t.Context(), now, step("web-1", "k1"))
	if e := code(t, err, "unreachable"); !e.Retryable {
		t.Errorf("unreachable is not retryable: %v", e)
	}
	_, err = f.Apply(t.Context(), now, step("web-2", "k2"))
	code(t, err, "refused")
	if j, err := f.Apply(t.Context(), now, step("web-3", "k3")); err != nil || j.State != fleet.Failed {
		t.Errorf("Apply() = %+v, %v, want it failed", j, err)
	}
	got, err := f.Installed(t.Context(), now, []inventory.HostID{"web-1", "web-2", "web-3"}, []string{"heron-web"})
	want := map[inventory.HostID]map[string]string{"web-2": {"heron-web": "4.2.1"}, "web-3": {"heron-web": "4.2.1"}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("Installed() err %v (-want +got):\n%s", err, diff)
	}
}

// Killed between the work and the answer, the plugin is asked again by a later
// run with the same key: the host is changed once.
func TestLostAnswerIsNotDoneTwice(t *testing.T) {
	dir := t.TempDir()
	f := opened(t, options(t, dir, "-misbehave", "lose=1"))
	_, err := f.Apply(t.Context(), now, step("web-1", "k1"))
	code(t, err, "internal")
	later := opened(t, options(t, dir))
	if j, err := later.Apply(t.Context(), now, step("web-1", "k1")); err != nil || j.State != fleet.Succeeded {
		t.Errorf("Apply() in a later run = %+v, %v", j, err)
	}
	entries, err := reference.ReadJournal(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("journal has %d entries, %v, want one install", len(entries), err)
	}
}

func TestTwoProcessesOneKey(t *testing.T) {
	dir := t.TempDir()
	a, b := opened(t, options(t, dir)), opened(t, options(t, dir))
	var wg sync.WaitGroup
	for i := range 30 {
		for _, f := range []*exec.Fleet{a, b} {
			wg.Go(func() { f.Apply(t.Context(), now, step("web-1", fmt.Sprintf("k%d", i%3))) })
		}
	}
	wg.Wait()
	entries, err := reference.ReadJournal(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("journal has %d entries, %v, want one install", len(entries), err)
	}
}

func TestSickHostShowsInTelemetry(t *testing.T) {
	f := opened(t, options(t, t.TempDir(), "-misbehave", "sick=web-1"))
	if _, err := f.Apply(t.Context(), now, step("web-1", "k1")); err != nil {
		t.Fatal(err)
	}
	hosts := []inventory.HostID{"web-1", "web-2", "nowhere"}
	series, err := f.Probe().Measure(t.Context(), now.Add(time.Hour), hosts, now.Add(-time.Hour), now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	points := series["web-1"]["error_ratio"]
	if len(series) != 2 || len(points) != 121 || points[0].V > 0.01 || points[120].V < 0.3 {
		t.Errorf("Measure() of %d hosts gave %d points from %v to %v", len(series), len(points), points[0], points[len(points)-1])
	}
}

// The example in Python keeps the promises too, where there is a Python.
func TestExample(t *testing.T) {
	python, err := osexec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 here")
	}
	home := t.TempDir()
	o := exec.Options{Command: []string{python, "-I", "-S", "../../../testdata/plugin/example.py"}, LookupEnv: func(name string) (string, bool) {
		if name == "HOME" {
			return home, true
		}
		return os.LookupEnv(name)
	}}
	f := fixture(func() (fleet.Fleet, error) { return exec.Open(o) })
	f.Hosts = f.Hosts[:2]
	fleettest.Test(t, f)
}

//go:build unix

package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
	"github.com/ringmaster-dev/ringmaster/testdata/plugin/reference"
)

// chaosAt is when a merged plan first runs.
var chaosAt = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// chaosFrom is what every host has at first.
var chaosFrom = map[string]string{"osprey-agent": "2.3.0", "heron-web": "4.2.1"}

// world is a folder with an estate, whose one plan is merged, and the state of
// its plugin.
type world struct {
	t    *testing.T
	base string
}

func (w *world) dir() string   { return filepath.Join(w.base, "estate") }
func (w *world) state() string { return filepath.Join(w.base, "state") }

// chaosHosts are the estate's hosts.
func chaosHosts() []string {
	var list []string
	for n := range 12 {
		list = append(list, fmt.Sprintf("office-%02d", n+1))
	}
	return list
}

// newWorld is an estate of 12 hosts, two rings and two updates, whose plan is
// merged, carried out by the reference plugin with these further arguments.
func newWorld(t *testing.T, plugin ...string) *world {
	t.Helper()
	template.once.Do(func() { template.files = mergedEstate(t) })
	if template.files == nil {
		t.Fatal("the estate could not be made; see the test before")
	}
	w := &world{t: t, base: t.TempDir()}
	if err := os.CopyFS(w.dir(), template.files); err != nil {
		t.Fatal(err)
	}
	refplugin, err := osexec.LookPath("refplugin")
	if err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("#!/bin/sh\nexec '%s' -state ../state -hosts %s -package osprey-agent=2.3.0,heron-web=4.2.1 %s\n",
		refplugin, strings.Join(chaosHosts(), ","), strings.ReplaceAll(strings.Join(plugin, " "), "*", "'*'"))
	if err := os.WriteFile(filepath.Join(w.base, "plugin"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return w
}

// template is the estate's folder, made once for all tests.
var template struct {
	once  sync.Once
	files fs.FS
}

// unplannedEstate makes the estate, without a plan or a plugin.
func unplannedEstate(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, base: t.TempDir()}
	w.must(chaosAt.Add(-time.Hour), "init", w.dir())
	for name, text := range chaosFiles() {
		file := filepath.Join(w.dir(), filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{".github", "inventory/feeds.hcl"} {
		if err := os.RemoveAll(filepath.Join(w.dir(), name)); err != nil {
			t.Fatal(err)
		}
	}
	r := w.open()
	if err := gitCommit(r, "hosts and updates"); err != nil {
		t.Fatal(err)
	}
	r.Close()
	return w
}

// mergedEstate makes the estate and merges its plan.
func mergedEstate(t *testing.T) fs.FS {
	t.Helper()
	w := unplannedEstate(t)
	w.must(chaosAt, "plan", "--open")
	w.must(chaosAt, "pr", "approve", "--by", "fred")
	w.must(chaosAt, "pr", "merge", "--by", "olivia")
	files := fstest.MapFS{}
	err := fs.WalkDir(os.DirFS(w.dir()), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(w.dir(), filepath.FromSlash(name)))
		files[name] = &fstest.MapFile{Data: data, Mode: 0o644}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func chaosFiles() map[string]string {
	var facts strings.Builder
	for _, h := range chaosHosts() {
		fmt.Fprintf(&facts, `{"at":"2026-03-02T07:00:00Z","disk_free_mb":21000,"disk_mb":40000,"drift":false,"exposed":false,"host":%q,"labels":{"role":"office"},"mem_free_mb":3000,"mem_mb":8192,"os":{"arch":"amd64","id":"debian","version":"12"},"packages":[{"name":"heron-web","type":"generic","vendor":"Heron","version":"4.2.1"},{"name":"osprey-agent","type":"generic","vendor":"Osprey","version":"2.3.0"}],"reboot_pending":false,"source":"test","uptime_s":3456000}`+"\n", h)
	}
	const patch = `{"schema":"ringmaster/patch/v1","id":%q,"vendor":%q,"type":"generic","package":%q,"from":%q,"to":%q,"kind":"security","published":"2026-02-27T09:00:00Z","size_bytes":4200000,"reboot":false,"components":["tls"],"cves":[{"id":"CVE-2026-10088","cvss":"CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:L/I:L/A:N"}],"known_issues":[],"reports":0}` + "\n"
	return map[string]string{
		"inventory/facts/hosts.jsonl": facts.String(),
		"inventory/patches/patches.jsonl": fmt.Sprintf(patch, "OSP-88", "Osprey", "osprey-agent", "2.3.0", "2.3.1") +
			fmt.Sprintf(patch, "HER-12", "Heron", "heron-web", "4.2.1", "4.2.2"),
		"inventory/estate.hcl": `
estate "acme" {
  timezone = "UTC"
  clock    = "given"
  owners   = ["owners"]
  teams    = { owners = ["olivia", "omar"], team-office = ["fred"] }
}

tier "production" {
  rank           = 1
  risk_tolerance = 0.1
  autonomy       = "recommend"
}

tier "development" {
  rank           = 2
  risk_tolerance = 0.9
  autonomy       = "autonomous"
}
`,
		"inventory/services.hcl": `
service "intranet" {
  tier          = "development"
  owner         = "team-office"
  hosts         = ["office-*"]
  exposure      = "internal"
  min_available = "30%"
}
`,
		"rings/rings.hcl": `
ring "canary" {
  order = 1
  share = "25%"
  soak  = "30m"
}

ring "broad" {
  order        = 2
  soak         = "30m"
  max_failures = 1
}
`,
		"rings/fleet.hcl": `
fleet "exec" {
  command  = ["../plugin"]
  parallel = 5
}

health "exec" {}
`,
	}
}

// copied is the same world in another folder.
func (w *world) copied(t *testing.T) *world {
	t.Helper()
	c := &world{t: t, base: t.TempDir()}
	if err := os.CopyFS(c.base, os.DirFS(w.base)); err != nil {
		t.Fatal(err)
	}
	return c
}

func (w *world) open() *repo.Repo {
	w.t.Helper()
	r, err := repo.Open(w.dir())
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// command is a run of the real program, in a process group of its own.
func (w *world) command(at time.Time, args ...string) (*osexec.Cmd, *bytes.Buffer) {
	w.t.Helper()
	bin, err := osexec.LookPath("ringmaster")
	if err != nil {
		w.t.Fatal(err)
	}
	cmd := osexec.Command(bin, append([]string{"--at", at.Format(time.RFC3339)}, args...)...)
	if args[0] != "init" {
		cmd.Dir = w.dir()
	}
	cmd.Env = []string{"HOME=" + w.base, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.Getenv("TMPDIR")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out := &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.WaitDelay = 5 * time.Second
	return cmd, out
}

// run runs it to its end: 0, or 3 for something held or rolled back.
func (w *world) run(at time.Time, args ...string) string {
	w.t.Helper()
	cmd, out := w.command(at, args...)
	if err := cmd.Run(); err != nil && cmd.ProcessState.ExitCode() != exitHeld {
		w.t.Fatalf("ringmaster %v at %s: %v\n%s", args, at.Format(time.RFC3339), err, out)
	}
	return out.String()
}

func (w *world) must(at time.Time, args ...string) string {
	w.t.Helper()
	cmd, out := w.command(at, args...)
	if err := cmd.Run(); err != nil {
		w.t.Fatalf("ringmaster %v: %v\n%s", args, err, out)
	}
	return out.String()
}

// due reads when something is due next out of what execute said.
func due(out string) (time.Time, bool) {
	for line := range strings.Lines(out) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "next due: "); ok {
			at, err := time.Parse(time.RFC3339, text)
			return at, err == nil
		}
	}
	return time.Time{}, false
}

// finish runs execute at each time that something is due until nothing is.
func (w *world) finish(at time.Time) time.Time {
	w.t.Helper()
	for range 40 {
		out := w.run(at, "execute")
		next, ok := due(out)
		if !ok {
			return at
		}
		at = next
	}
	w.t.Fatalf("the plan is not over after 40 runs, at %s", at.Format(time.RFC3339))
	return at
}

// ledger is the one plan with its lines, read from the protected branch; a
// chain that does not hold is fatal.
func (w *world) ledger() (*plan.Plan, []outcome.Line) {
	w.t.Helper()
	r := w.open()
	defer r.Close()
	return ledgerOf(w.t, r)
}

func ledgerOf(t *testing.T, r *repo.Repo) (*plan.Plan, []outcome.Line) {
	t.Helper()
	h, err := r.Ref("refs/heads/main")
	if err != nil {
		t.Fatal(err)
	}
	files, err := commitFiles(r, h)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range files {
		if filepath.Base(name) != "plan.json" {
			continue
		}
		p, err := plan.Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := outcome.Parse(files[outcome.Path(p.ID)], p.Digest)
		if err != nil {
			t.Fatalf("the chain of %s does not hold: %v", p.ID, err)
		}
		return p, lines
	}
	t.Fatal("no plan lies on main")
	return nil, nil
}

// events counts a ledger's events.
func events(lines []outcome.Line) map[outcome.Event]int {
	n := map[outcome.Event]int{}
	for _, l := range lines {
		n[l.Event]++
	}
	return n
}

// moved are the plugin's real installs and removals.
func (w *world) moved() []reference.Entry {
	w.t.Helper()
	list, err := reference.ReadJournal(w.state())
	if err != nil {
		w.t.Fatal(err)
	}
	return slices.DeleteFunc(list, func(e reference.Entry) bool { return e.Event != "moved" })
}

// checkLedger checks that a ledger and what really happened are the same: each
// intent has one result, each key is intended once, and nothing was moved twice
// or without an intent. It returns the versions that hosts have.
func checkLedger(t *testing.T, lines []outcome.Line, moved []reference.Entry) map[string]string {
	t.Helper()
	intents, results := map[string]int{}, map[string]outcome.Event{}
	told := map[string]string{}
	for _, l := range lines {
		switch l.Event {
		case outcome.Intended:
			intents[l.Key]++
		case outcome.Applied, outcome.RolledBack, outcome.Failed, outcome.Skipped, outcome.Unreachable:
			if e, ok := results[l.Key]; ok {
				t.Errorf("%s: %s was recorded after %s", l.Key, l.Event, e)
			}
			results[l.Key] = l.Event
		}
		if l.Event == outcome.Applied || l.Event == outcome.RolledBack {
			_, name, _, _ := l.Patch.Parts()
			told[string(l.Host)+" "+name] = l.To
		}
	}
	for key, n := range intents {
		if n != 1 || results[key] == "" {
			t.Errorf("%s: intended %d times, result %q; want once, and one", key, n, results[key])
		}
	}
	done, versions := map[string]int{}, map[string]string{}
	for slot, version := range told {
		if version == chaosFrom[slot[strings.IndexByte(slot, ' ')+1:]] {
			versions[slot] = version // what never moved need not be moved back
		}
	}
	for _, e := range moved {
		if done[e.Key]++; done[e.Key] > 1 {
			t.Errorf("%s: moved %d times", e.Key, done[e.Key])
		}
		if r := results[e.Key]; intents[e.Key] == 0 || r != outcome.Applied && r != outcome.RolledBack {
			t.Errorf("%s: moved, and the ledger says %q after %d intents", e.Key, r, intents[e.Key])
		}
		for _, m := range e.Packages {
			versions[e.Host+" "+m.Name] = m.To
		}
	}
	if d := gocmp.Diff(told, versions); d != "" {
		t.Errorf("versions by the ledger (-) and on the hosts (+):\n%s", d)
	}
	return versions
}

// checkRest checks that the repository is as if nobody had ever been killed.
func (w *world) checkRest(at time.Time) {
	w.t.Helper()
	r := w.open()
	defer r.Close()
	head, err := r.Head()
	if err != nil || head.Branch != "main" {
		w.t.Fatalf("Head() = %+v, %v; want main", head, err)
	}
	want, err := commitFiles(r, head.Commit)
	if err != nil {
		w.t.Fatal(err)
	}
	got, err := workFiles(w.dir())
	if err != nil {
		w.t.Fatal(err)
	}
	if d := gocmp.Diff(want, got); d != "" {
		w.t.Errorf("files by HEAD (-) and on disk (+):\n%s", d)
	}
	if dirty, err := r.Dirty(slices.Sorted(maps.Keys(want))); err != nil || len(dirty) > 0 {
		w.t.Errorf("Dirty() = %q, %v; want none", dirty, err)
	}
	for _, left := range leftovers(w.t, r.GitDir()) {
		w.t.Errorf("%s was left behind", left)
	}
	w.must(at, "audit", "verify")
}

// leftovers are files in .git that only a run under way may have.
func leftovers(t *testing.T, git string) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(git, func(name string, e os.DirEntry, err error) error {
		base := filepath.Base(name)
		if err == nil && (strings.HasSuffix(base, ".lock") && base != "ringmaster.lock" || base == "pending" || strings.HasSuffix(base, ".claim")) {
			list = append(list, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// ends is how each change ended, by host and patch.
func ends(lines []outcome.Line) map[string]outcome.Event {
	list := map[string]outcome.Event{}
	for _, l := range lines {
		if l.Host != "" {
			list[fmt.Sprintf("%s %s", l.Host, cmp.Or(l.Patch, plan.PatchID("-")))] = l.Event
		}
	}
	return list
}

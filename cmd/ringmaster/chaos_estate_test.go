//go:build unix

package main

import (
	"bytes"
	"fmt"
	"io/fs"
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

	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// chaosAt is when a merged plan first runs.
var chaosAt = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// chaosFrom is what every host has at first.
var chaosFrom = map[string]string{"osprey-agent": "2.3.0", "heron-web": "4.2.1"}

// world is a folder with an estate, whose one plan is merged, and the state of
// its plugin.
type world struct {
	t       testing.TB
	base    string
	through []string // what runs are started by, where not at once
	wall    bool     // the machine's clock is its clock
}

func (w *world) dir() string { return filepath.Join(w.base, "estate") }

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
	script := fmt.Sprintf("#!/bin/sh\nexec '%s' -state ../state -hosts %s -package osprey-agent=2.3.0,heron-web=4.2.1 %s\n",
		refplugin(t), strings.Join(chaosHosts(), ","), strings.ReplaceAll(strings.Join(plugin, " "), "*", "'*'"))
	if err := os.WriteFile(filepath.Join(w.base, "plugin"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return w
}

// refplugin is the reference plugin's program. Where Go can build it, it is one of
// its own: this test's binary does as well, but brings all of the engine along,
// and takes ten times as long to start.
func refplugin(t *testing.T) string {
	t.Helper()
	whole, err := osexec.LookPath("refplugin")
	if err != nil {
		t.Fatal(err)
	}
	small := filepath.Join(filepath.Dir(whole), "smallplugin") // a folder that goes with the tests
	built.Do(func() {
		if out, err := osexec.Command("go", "build", "-o", small, "../../testdata/plugin").CombinedOutput(); err != nil {
			t.Logf("the plugin is run from this binary: %v\n%s", err, out)
		}
	})
	if _, err := os.Stat(small); err != nil {
		return whole
	}
	return small
}

var built sync.Once

// template is the estate's folder, made once for all tests.
var template struct {
	once  sync.Once
	files fs.FS
}

// unplannedEstate makes the estate, without a plan or a plugin.
func unplannedEstate(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, base: t.TempDir()}
	w.estate(chaosFiles())
	r := w.open()
	if err := gitCommit(r, "hosts and updates"); err != nil {
		t.Fatal(err)
	}
	r.Close()
	return w
}

// estate writes a starter estate with these files in it, and commits nothing.
func (w *world) estate(files map[string]string) {
	w.t.Helper()
	w.must(chaosAt.Add(-time.Hour), "init", w.dir())
	for name, text := range files {
		file := filepath.Join(w.dir(), filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			w.t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			w.t.Fatal(err)
		}
	}
	for _, name := range append(spared(w.t, w.dir()), ".github", "inventory/feeds.hcl") {
		if err := os.RemoveAll(filepath.Join(w.dir(), name)); err != nil {
			w.t.Fatal(err)
		}
	}
}

// spared are the folders of policies that no run under chaos rests on, unless
// there is to be much of it: compiling the whole library is most of what a run
// costs that has little to do.
func spared(t testing.TB, dir string) []string {
	t.Helper()
	if chaosRounds(t, 0) > 0 {
		return nil
	}
	list, err := os.ReadDir(filepath.Join(dir, "policies"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		if e.IsDir() && !slices.Contains([]string{"approvals", "deadlines", "freeze", "people", "risk", "soak"}, e.Name()) {
			names = append(names, filepath.Join("policies", e.Name()))
		}
	}
	return names
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

// rewrite commits a file with one text in the place of another.
func (w *world) rewrite(name, old, new string) {
	w.t.Helper()
	file := filepath.Join(w.dir(), filepath.FromSlash(name))
	data, err := os.ReadFile(file)
	if err != nil || !bytes.Contains(data, []byte(old)) {
		w.t.Fatalf("%s holds no %q: %v", name, old, err)
	}
	if err := os.WriteFile(file, bytes.Replace(data, []byte(old), []byte(new), 1), 0o644); err != nil {
		w.t.Fatal(err)
	}
	r := w.open()
	defer r.Close()
	if err := gitCommit(r, "edit "+name); err != nil {
		w.t.Fatal(err)
	}
}

// copied is the same world in another folder.
func (w *world) copied(t *testing.T) *world {
	t.Helper()
	c := &world{t: t, base: t.TempDir(), through: w.through}
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
	words := append(slices.Clone(w.through), bin, "--at", at.Format(time.RFC3339))
	cmd := osexec.Command(words[0], append(words[1:], args...)...)
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

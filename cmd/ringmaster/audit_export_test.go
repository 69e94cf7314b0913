package main

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// exporting is run with the attacks of TestTrust, on the same prepared estate.
var exporting = []attack{{"export is checked with git and sha256sum alone", done, func(w *site) {
	s := &stranger{t: w.t, dir: filepath.Join(w.t.TempDir(), "evidence"), repo: filepath.Join(w.t.TempDir(), "repo")}
	if missing := s.look("sh", "git", "sha256sum", "awk", "sed"); missing != "" {
		w.t.Skipf("there is no %s here", missing)
	}
	dir := s.dir
	w.says(0, []string{"1 plan recomputed", "wrote " + dir}, "audit", "export", "--bundle", dir)
	w.says(1, []string{dir + " is not empty; name a new folder"}, "audit", "export", dir)
	again := filepath.Join(w.t.TempDir(), "again")
	w.want(0, "audit", "export", "--bundle", again)
	s.whole = contents(w.t, dir)
	if diff := cmp.Diff(s.whole, contents(w.t, again)); diff != "" {
		w.t.Errorf("two exports of one history differ: %s", diff)
	}
	s.clone()
	if got := s.check(all); got != "" {
		w.t.Fatalf("the commands of README.md say\n%s", got)
	}
	s.attacks()
}}}

// contents are the files of a folder.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, name))
		files[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// stranger has an export, its bundle and no ringmaster.
type stranger struct {
	t     *testing.T
	dir   string
	repo  string
	path  string // where its programs are: not those of this test, which has a small git of its own
	whole map[string]string
}

// look finds programs, and names one that is not there.
func (s *stranger) look(programs ...string) string {
	var dirs []string
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if _, err := os.Stat(filepath.Join(dir, "ringmaster")); err != nil {
			dirs = append(dirs, dir)
		}
	}
	s.path = strings.Join(dirs, string(filepath.ListSeparator))
	for _, program := range programs {
		found := false
		for _, dir := range dirs {
			_, err := os.Stat(filepath.Join(dir, program))
			found = found || err == nil
		}
		if !found {
			return program
		}
	}
	return ""
}

// sh runs a script where the export is.
func (s *stranger) sh(script string) (string, error) {
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir, cmd.Env = s.dir, append(os.Environ(), "REPO="+s.repo, "PATH="+s.path)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (s *stranger) clone() {
	s.t.Helper()
	if out, err := s.sh(`git clone -q --mirror history.bundle "$REPO" && git -C "$REPO" fsck --full --strict`); err != nil {
		s.t.Fatalf("cloning the bundle: %v\n%s", err, out)
	}
}

// The blocks of commands in README.md.
const (
	all = iota
	sums
	digests
	earlier
	chains
	rules
	branch
	merges
	ledgers
)

// check runs a block of commands of README.md and returns what it prints.
func (s *stranger) check(block int) string {
	s.t.Helper()
	var script strings.Builder
	for i, text := range strings.Split(s.whole["README.md"], "```sh\n") {
		if code, _, _ := strings.Cut(text, "```"); i > 0 && (block == all || block == i) {
			script.WriteString(code)
		}
	}
	out, err := s.sh(script.String())
	if _, failed := err.(*exec.ExitError); err != nil && !failed {
		s.t.Fatal(err)
	}
	return out
}

// attacks changes single bytes of the export, writes the sums anew where a
// forger would, and expects the commands to tell.
func (s *stranger) attacks() {
	ledger := s.whole[ledgerFile]
	last := ledger[strings.LastIndexByte(strings.TrimSuffix(ledger, "\n"), '\n')+1:]
	digest := strings.Split(s.whole["plans.tsv"], "\t")[1]
	policies := "policies/" + strings.Split(s.whole["plans.tsv"], "\t")[2] + "/policies/risk/data.json"
	for _, a := range []struct {
		name, file, old, new string
		by                   int // the block that tells; but for the first, the sums are right again
		want                 string
	}{
		{"a byte of a ledger", ledgerFile, `"healthy"`, `"Healthy"`, sums, ledgerFile + ": FAILED"},
		{"a byte of a ledger, and its sum", ledgerFile, `"healthy"`, `"Healthy"`, chains, ledgerFile + ": something was changed before: "},
		{"a ledger's last line, which no other names", ledgerFile, last, strings.Replace(last, `"completed"`, `"Completed"`, 1), ledgers, ledgerFile + ": another one lies on the branch"},
		{"a ledger's last line is missing", ledgerFile, last, "", ledgers, ledgerFile + ": another one lies on the branch"},
		{"a byte of an approval", approvalsFile, `"by":"fred"`, `"by":"free"`, ledgers, approvalsFile + ": another one lies on the branch"},
		{"a byte of a plan", planFile, `"count":1`, `"count":0`, digests, "plan standard-main-1: its digest is sha256:"},
		{"a plan's digest, there and in the list", "plans.tsv", digest, "sha256:" + strings.Repeat("0", 64), digests, "plan standard-main-1: its digest is sha256:"},
		{"a byte of a plan that was merged", planFile, `"count":1`, `"count":0`, merges, "plan standard-main-1: another one was merged"},
		{"a policy that did not lie there", policies, `0.5`, `0.6`, merges, " is not what lay at commit "},
		{"a byte of a policy", policies, `0.5`, `0.6`, rules, ": its digest is "},
		{"a byte of the branch", "commits.txt", "\t", " ", branch, "commits.txt differ"},
		{"a file is missing", "reviews.tsv", "", "", sums, "reviews.tsv: FAILED open or read"},
	} {
		text := s.whole[a.file]
		if a.old != "" && !strings.Contains(text, a.old) {
			s.t.Errorf("%s: %s holds no %q", a.name, a.file, a.old)
			continue
		}
		s.write(a.file, strings.Replace(text, a.old, a.new, 1))
		if a.old == "" {
			os.Remove(filepath.Join(s.dir, a.file))
		}
		if a.by != sums {
			s.write("SHA256SUMS", strings.Replace(s.whole["SHA256SUMS"], sum(text), sum(strings.Replace(text, a.old, a.new, 1)), 1))
		}
		if got := s.check(a.by); !strings.Contains(got, a.want) {
			s.t.Errorf("%s: the commands of README.md say\n%s\nwant %q in it", a.name, got, a.want)
		}
		s.write(a.file, text)
		s.write("SHA256SUMS", s.whole["SHA256SUMS"])
	}
	if err := os.MkdirAll(filepath.Join(s.dir, "approved", "0"), 0o755); err != nil {
		s.t.Fatal(err)
	}
	s.write("approved/0/plan.json", s.whole[planFile])
	if got := s.check(earlier); got != "" {
		s.t.Errorf("of a version that was approved the commands say %q", got)
	}
	s.write("approved/0/plan.json", strings.Replace(s.whole[planFile], `"count":1`, `"count":0`, 1))
	if got, want := s.check(earlier), "approved/0/plan.json: no approval names it\n"; got != want {
		s.t.Errorf("of a version that nobody approved the commands say %q, want %q", got, want)
	}
}

func (s *stranger) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func sum(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }

package ansible

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Ansible reads every play, and ansible-lint finds nothing but what is meant: commands
// that change hosts, and hosts that go on by themselves.
func TestPlays(t *testing.T) {
	dir := t.TempDir()
	sub, err := fs.Sub(plays, "plays")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, sub); err != nil {
		t.Fatal(err)
	}
	list, err := filepath.Glob(filepath.Join(dir, "*.yml"))
	if err != nil || len(list) < 5 {
		t.Fatalf("the plays are %q, %v", list, err)
	}
	run := func(t *testing.T, name string, args ...string) (string, error) {
		t.Helper()
		if _, err := exec.LookPath(name); err != nil {
			t.Skip("needs Debian's packages ansible and ansible-lint: ", err)
		}
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "HOME="+dir, "ANSIBLE_NOCOLOR=1")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	for _, play := range list {
		name := filepath.Base(play)
		if name == "ask_windows.yml" {
			continue // tasks of ask.yml
		}
		t.Run(name, func(t *testing.T) {
			out, err := run(t, "ansible-playbook", "--syntax-check", "-i", "localhost,", play)
			if strings.Contains(out, "missing collection") {
				t.Skip("needs Debian's package ansible, for its collections: ", out)
			}
			if err != nil {
				t.Errorf("ansible-playbook --syntax-check: %v\n%s", err, out)
			}
		})
	}
	t.Run("lint", func(t *testing.T) {
		args := append([]string{"--offline", "-q", "--nocolor", "-x", "no-changed-when,run-once,no-handler,jinja[invalid]"}, list...)
		if out, err := run(t, "ansible-lint", args...); err != nil {
			t.Errorf("ansible-lint: %v\n%s", err, out)
		}
	})
}

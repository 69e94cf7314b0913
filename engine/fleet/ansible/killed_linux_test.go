package ansible

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// site is a folder with the callback, a play of a strategy for hosts that are this machine, and a task of
// its own that does with its worker what Python says.
func site(t *testing.T, strategy string, hosts int, python string) (run *exec.Cmd, told *bytes.Buffer) {
	t.Helper()
	if _, err := exec.LookPath("ansible-playbook"); err != nil {
		t.Skip("needs ansible-core: ", err)
	}
	dir := t.TempDir()
	callback, err := fs.ReadFile(plays, "plays/callback_plugins/ringmaster.py")
	if err != nil {
		t.Fatal(err)
	}
	var inventory strings.Builder
	for i := range hosts {
		fmt.Fprintf(&inventory, "web-%d ansible_connection=local\n", i+1)
	}
	for name, text := range map[string]string{
		"callback_plugins/ringmaster.py": string(callback),
		"play.yml":                       "- hosts: all\n  strategy: " + strategy + "\n  gather_facts: false\n  tasks: [{act: {}}, {act: {}}]\n",
		"hosts":                          inventory.String(),
		"action_plugins/act.py": "import os, signal, time\nfrom ansible.plugins.action import ActionBase\nfrom ansible.utils.display import Display\n\n\n" +
			"class ActionModule(ActionBase):\n    def run(self, tmp=None, task_vars=None):\n        host = task_vars['inventory_hostname']\n        " + strings.ReplaceAll(python, "\n", "\n        ") + "\n        return {'stdout': 'end'}\n",
	} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	run, told = exec.Command("ansible-playbook", "-i", "hosts", "play.yml"), &bytes.Buffer{}
	run.Dir, run.Stdout, run.Stderr, run.WaitDelay = dir, told, told, time.Second
	run.Env = append(os.Environ(), "HOME="+dir, "ANSIBLE_STDOUT_CALLBACK=ringmaster", "ANSIBLE_NOCOLOR=1", "RINGMASTER_RESULTS="+filepath.Join(dir, "results"))
	return run, told
}

// A run of Ansible's ends when a worker was killed, which Ansible alone may wait for without
// end: under the strategy free, and where the worker held the lock of their queue.
func TestWorkerKilled(t *testing.T) {
	t.Parallel()
	killed, locked := "if host == 'web-2':\n    os.kill(os.getpid(), signal.SIGKILL)\ntime.sleep(2)", "if host == 'web-2':\n    Display()._final_q._wlock.acquire()\n    os.kill(os.getpid(), signal.SIGKILL)\ntime.sleep(2)"
	slow := "if host == 'web-2' and not os.path.exists('slow'):\n    open('slow', 'w').close()\n    time.sleep(25)"
	judge := map[string]func(*testing.T){} // of runs that go on at the same time
	for name, tc := range map[string]struct {
		strategy, python string
		forks            string
		code             int
		told             string
	}{
		"free":           {"free", killed, "5", 250, "the run would not end without it"},
		"free, a lock":   {"free", locked, "5", 250, "the run would not end without it"},
		"free, one fork": {"free", killed, "1", 250, "the run would not end without it"}, // another takes its place
		"linear":         {"linear", killed, "5", 1, "dead state"},                       // Ansible's own word
		"linear, a lock": {"linear", locked, "5", 250, "the run would not end without it"},
		"a slow host":    {"free", slow, "5", 0, ""},
	} {
		run, told := site(t, tc.strategy, 3, tc.python)
		run.Args = append(run.Args, "--forks", tc.forks)
		if err := run.Start(); err != nil {
			t.Fatal(err)
		}
		endless := time.AfterFunc(2*time.Minute, func() { run.Process.Kill() })
		ended := make(chan error, 1)
		go func() { ended <- run.Wait() }()
		judge[name] = func(t *testing.T) {
			err := <-ended
			if !endless.Stop() || run.ProcessState.ExitCode() != tc.code || !strings.Contains(told.String(), tc.told) {
				t.Errorf("Ansible ended with %v, want %d by itself, and %q:\n%s", err, tc.code, tc.told, told)
			}
		}
	}
	for name, f := range judge {
		t.Run(name, f)
	}
}

// When Ansible is killed its workers end too, and do not go on to sleep for ever.
func TestWorkersTied(t *testing.T) {
	t.Parallel()
	run, told := site(t, "free", 1, "os.rename(open(host, 'w').write(str(os.getpid())) and host, 'worker')\ntime.sleep(600)")
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	defer run.Wait()
	defer run.Process.Kill()
	worker := 0
	within(t, time.Minute, "a worker begins", func() bool {
		text, _ := os.ReadFile(filepath.Join(run.Dir, "worker"))
		worker, _ = strconv.Atoi(string(text))
		return worker > 0
	})
	if err := syscall.Kill(worker, 0); err != nil {
		t.Fatalf("the worker is not there: %v\n%s", err, told)
	}
	run.Process.Kill()
	run.Process.Wait()
	within(t, 10*time.Second, "the worker ends", func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", worker))
		return err != nil || strings.Contains(string(stat), ") Z ") // whoever inherits it may not have looked
	})
}

// within waits until something is so.
func within(t *testing.T, limit time.Duration, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(limit); !so(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("it is not so after %s that %s", limit, what)
		}
	}
}

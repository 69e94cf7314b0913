package rig

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Only is the rig with these hosts alone, for one test or a part of one.
func (r *Rig) Only(t testing.TB, hosts ...string) *Rig {
	few := &Rig{t: t, program: r.program, Hosts: map[string]string{}, Folder: r.Folder}
	for _, h := range hosts {
		few.Hosts[h] = r.Hosts[h]
	}
	return few
}

// Prometheus is the address, in the rig's network, of one that looks at every
// host's service each second. Series have the label host.
func (r *Rig) Prometheus() string {
	r.t.Helper()
	return strings.TrimSpace(r.run("prom"))
}

// Until waits until PromQL that comes to one number is true of it.
func (r *Rig) Until(expr string, within time.Duration) {
	r.t.Helper()
	url, said := r.Prometheus(), ""
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		said = r.run("exec", "promtool", "query", "instant", url, "("+expr+") or vector(0)")
		if value, _, ok := strings.Cut(strings.TrimPrefix(said, "{} => "), " @"); ok && value != "0" {
			return
		}
	}
	r.t.Fatalf("%s is not so within %s: %s", expr, within, said)
}

// Load gives hosts traffic until the test is over, of so many requests a second.
func (r *Rig) Load(rate int) {
	r.t.Helper()
	load := exec.Command(r.program, append([]string{"load", "1200", strconv.Itoa(rate)}, r.Names()...)...)
	if err := load.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		load.Process.Kill()
		load.Wait()
	})
}

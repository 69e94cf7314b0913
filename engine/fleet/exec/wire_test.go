package exec

import (
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

func TestEnvironment(t *testing.T) {
	vars := map[string]string{"PATH": "/bin", "HOME": "/h", "LANG": "C", "SECRET": "s", "VAULT_ADDR": "https://v",
		"GITHUB_TOKEN": "hush-hush-hush", "COPY": "Bearer hush-hush-hush", "PAT": "ghp_0123", "AWS_REGION": "eu"}
	lookup := func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
	for _, tc := range []struct {
		env  []string
		want []string
		err  string
	}{
		{nil, []string{"PATH=/bin", "HOME=/h", "LANG=C"}, ""},
		{[]string{"VAULT_ADDR", "UNSET"}, []string{"PATH=/bin", "HOME=/h", "LANG=C", "VAULT_ADDR=https://v"}, ""},
		{[]string{"GITHUB_TOKEN"}, nil, `env "GITHUB_TOKEN" holds a forge's token`},
		{[]string{"github_token"}, nil, `env "github_token" holds a forge's token`},
		{[]string{"RINGMASTER_GITHUB_TOKEN"}, nil, `holds a forge's token`},
		{[]string{"GH_ENTERPRISE_TOKEN"}, nil, `holds a forge's token`},
		{[]string{"ACTIONS_ID_TOKEN_REQUEST_TOKEN"}, nil, `holds a forge's token`},
		{[]string{"COPY"}, nil, `env "COPY" holds a forge's token`},
		{[]string{"PAT"}, nil, `env "PAT" holds a forge's token`},
		{[]string{"A=B"}, nil, `env "A=B" is not the name of a variable`},
		{[]string{"GITHUB_REPOSITORY"}, []string{"PATH=/bin", "HOME=/h", "LANG=C"}, ""},
	} {
		got, err := Environment(tc.env, lookup)
		if tc.err != "" {
			if err == nil || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("Environment(%q) = %v, want %q", tc.env, err, tc.err)
			}
			continue
		}
		if diff := cmp.Diff(tc.want, got); err != nil || diff != "" {
			t.Errorf("Environment(%q) = %v (-want +got):\n%s", tc.env, err, diff)
		}
	}
}

func TestProgramLiesInTheEstate(t *testing.T) {
	dir := t.TempDir()
	for command, want := range map[string]string{
		"./fleet.py":  filepath.Join(dir, "fleet.py"),
		"bin/fleet":   filepath.Join(dir, "bin/fleet"),
		"/opt/fleet":  "/opt/fleet",
		"ansible-run": "ansible-run",
	} {
		if got, err := program(Options{Command: []string{command}, Dir: dir}); err != nil || got != want {
			t.Errorf("program(%q) = %q, %v, want %q", command, got, err, want)
		}
	}
	if _, err := Open(Options{}); err == nil {
		t.Error("a fleet without a command was opened")
	}
	if _, err := Open(Options{Command: []string{"./nothing"}, Dir: dir}); err == nil || !strings.Contains(err.Error(), `starting the plugin "./nothing"`) {
		t.Errorf("Open() = %v, want it to name the plugin", err)
	}
}

// A command that the estate holds is started with the declared variables alone.
func TestPluginSeesOnlyWhatIsDeclared(t *testing.T) {
	sh, err := os.Stat("/bin/sh")
	if err != nil || sh.IsDir() {
		t.Skip("no /bin/sh here")
	}
	dir := t.TempDir()
	script := "#!/bin/sh\nread line\nenv | cut -d= -f1 | grep -v -e '^PWD$' -e '^SHLVL$' -e '^_$' -e '^OLDPWD$' >&2\necho '{\"v\":1,\"id\":1,\"ok\":true,\"caps\":{\"ops\":[\"apply\",\"dance\"]},\"new\":1}'\nread line\n"
	if err := os.WriteFile(filepath.Join(dir, "fleet.sh"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GITHUB_TOKEN", "hush-hush-hush")
	t.Setenv("VAULT_ADDR", "https://v")
	t.Setenv("OTHER", "x")
	var log []string
	f, err := Open(Options{Command: []string{"./fleet.sh"}, Dir: dir, Env: []string{"VAULT_ADDR"}, Log: func(line string) { log = append(log, line) }})
	if err != nil {
		t.Fatal(err)
	}
	caps, err := f.Hello(t.Context(), time.Now())
	if diff := cmp.Diff(fleet.Caps{Ops: []string{"apply"}, MaxBatch: 1}, caps); err != nil || diff != "" {
		t.Errorf("Hello() = %v (-want +got):\n%s", err, diff)
	}
	f.Close() // the log is complete afterwards
	for _, name := range log {
		if !slices.Contains([]string{"PATH", "HOME", "LANG", "VAULT_ADDR"}, name) {
			t.Errorf("the plugin inherited %q", name)
		}
	}
	if !slices.Contains(log, "VAULT_ADDR") {
		t.Errorf("the plugin's environment was %q, want VAULT_ADDR in it", log)
	}
}

func TestRequestLines(t *testing.T) {
	at := time.Date(2026, 3, 3, 23, 0, 0, 5, time.UTC)
	heron := []fleet.Package{{Type: "generic", Name: "heron-web", From: "4.2.1", To: "4.2.2", Patch: "HER-1312"}}
	hosts := []inventory.HostID{"web-7"}
	for _, tc := range []struct {
		r    request
		want string
	}{
		{request{V: 1, ID: 1, Op: "hello", Now: stamp(at), Engine: "1.2.0"}, `{"v":1,"id":1,"op":"hello","now":"2026-03-03T23:00:00Z","engine":"1.2.0"}`},
		{moving("apply", at, fleet.Step{Key: "k", Host: "web-7", Packages: heron, Reboot: "never", Reason: "not for apply"}),
			`{"id":0,"op":"apply","now":"2026-03-03T23:00:00Z","key":"k","host":"web-7","packages":[{"type":"generic","name":"heron-web","from":"4.2.1","to":"4.2.2","patch":"HER-1312"}],"reboot":"never","dry_run":false}`},
		{request{ID: 6, Op: "installed", Now: stamp(at), Hosts: hosts, Names: []string{"heron-web"}},
			`{"id":6,"op":"installed","now":"2026-03-03T23:00:00Z","hosts":["web-7"],"packages":["heron-web"]}`},
	} {
		line, err := tc.r.line()
		if got := strings.TrimSuffix(string(line), "\n"); err != nil || got != tc.want {
			t.Errorf("line() = %s, %v, want %s", got, err, tc.want)
		}
	}
}

func TestValue(t *testing.T) {
	for text, want := range map[string]float64{"1.5": 1.5, "null": math.NaN(), `"NaN"`: math.NaN(), `"+Inf"`: math.Inf(1), `"-Infinity"`: math.Inf(-1)} {
		got, err := value(json.RawMessage(text))
		if err != nil || got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("value(%s) = %v, %v, want %v", text, got, err, want)
		}
	}
	if _, err := value(json.RawMessage(`"high"`)); err == nil {
		t.Error(`value("high") is taken for a number`)
	}
}

func TestClip(t *testing.T) {
	if got := clip(strings.Repeat("ä", 2000)); len(got) > 2010 || !strings.HasSuffix(got, "ä…") {
		t.Errorf("clip() = %d bytes", len(got))
	}
	if got := clip("a\xffb"); got != "a\uFFFDb" {
		t.Errorf("clip() = %q", got)
	}
}

func TestLines(t *testing.T) {
	l := newLines(strings.NewReader("one\n\n  two \r\n"+strings.Repeat("x", 99_999)+"\ncut"), 100_000)
	for _, want := range []string{"one", "two", strings.Repeat("x", 99_999)} {
		if got, err := l.next(); err != nil || string(got) != want {
			t.Fatalf("next() = %.20q, %v, want %.20q", got, err, want)
		}
	}
	if got, err := l.next(); err != io.EOF {
		t.Errorf("next() = %q, %v, want the cut line left out", got, err)
	}
}

// Whatever a plugin answers is read or refused, and never taken for more than
// was asked for.
func FuzzReply(f *testing.F) {
	f.Add([]byte(`{"v":1,"id":1,"ok":true,"plugin":"salt","caps":{"ops":["apply"],"schedules":true,"max_batch":50,"dry_run":true}}`))
	f.Add([]byte(`{"id":2,"ok":true,"job":"j-881","state":"accepted"}`))
	f.Add([]byte(`{"id":3,"ok":true,"jobs":[{"job":"j-881","state":"succeeded","started":"2026-03-03T23:00:00Z","packages":[{"name":"heron-web","version":"4.2.2"}]}]}`))
	f.Add([]byte(`{"id":5,"ok":true,"series":[{"host":"web-7","signal":"error_ratio","points":[[1772438400,0.004],[1772438460,null]]}]}`))
	f.Add([]byte(`{"id":6,"ok":true,"hosts":[{"host":"web-7","packages":[{"name":"heron-web","version":"4.2.2"}]}]}`))
	f.Add([]byte(`{"id":8,"ok":false,"error":{"code":"unreachable","message":"no route","retryable":true}}`))
	hosts, from := []inventory.HostID{"web-7"}, time.Unix(1772438400, 0)
	f.Fuzz(func(t *testing.T, data []byte) {
		r := new(reply)
		if json.Unmarshal(data, r) != nil || r.ID == nil || r.OK == nil {
			return
		}
		r.failure()
		if caps, err := r.caps(); err == nil && (caps.MaxBatch < 1 || !slices.Contains(caps.Ops, "apply")) {
			t.Errorf("caps() = %+v", caps)
		}
		r.job("apply", fleet.Caps{})
		if jobs, err := r.jobs("status", []string{"a", "b"}); err == nil && (len(jobs) != 2 || jobs[0].ID != "a") {
			t.Errorf("jobs() = %+v", jobs)
		}
		found := map[inventory.HostID]map[string]string{}
		if err := r.installed(hosts, []string{"heron-web"}, found); err == nil && len(found) > 1 {
			t.Errorf("installed() = %v", found)
		}
		series := telemetry.Series{}
		if err := r.series(hosts, from, from.Add(time.Hour), series); err == nil && len(series) > 1 {
			t.Errorf("series() = %v", series)
		}
	})
}

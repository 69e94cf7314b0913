package probe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/health"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

var now = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func nowhere(inventory.HostID) string { return "" }

func at(address string) func(inventory.HostID) string {
	return func(inventory.HostID) string { return address }
}

// source looks without waiting.
func source(look Look) *Source {
	return New(Options{Look: look, Wait: func(context.Context, time.Duration) bool { return true }})
}

// judge is the verdict on a host that was changed an hour ago and is asked now.
func judge(t *testing.T, look Look) (health.Verdict, error) {
	t.Helper()
	s := source(look)
	before, err := s.Measure(t.Context(), now, []inventory.HostID{"web-01"}, now.Add(-2*time.Hour), now.Add(-time.Hour))
	if err != nil || len(before) > 0 {
		t.Fatalf("Measure() of the past = %v, %v: a probe has no past", before, err)
	}
	after, err := s.Measure(t.Context(), now, []inventory.HostID{"web-01"}, now.Add(-time.Hour), now)
	for _, points := range after["web-01"] {
		for i, p := range points {
			if p.At.After(now) || p.At.Before(now.Add(-time.Hour)) || i > 0 && !p.At.After(points[i-1].At) {
				t.Errorf("a point at %v, which is not in the time that was asked for, or not after the one before", p.At)
			}
		}
	}
	return health.Judge(health.Evidence{After: after["web-01"]}), err
}

func TestHTTP(t *testing.T) {
	var looks atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := looks.Add(1)
		switch r.URL.Path {
		case "/web-01/down":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/web-01/moved":
			http.Redirect(w, r, "/web-01/well", http.StatusFound)
		case "/web-01/lost":
			http.Redirect(w, r, "/web-01/lost", http.StatusFound)
		case "/web-01/slow":
			<-r.Context().Done()
		case "/web-01/cut":
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "half")
		case "/web-01/first":
			if n == 1 {
				w.WriteHeader(http.StatusBadGateway)
			}
		case "/web-01/last":
			if n == Times {
				w.WriteHeader(http.StatusBadGateway)
			}
		}
	}))
	defer srv.Close()
	tests := []struct {
		url  string
		want health.State
	}{
		{srv.URL + "/{{host}}/well", health.Healthy},
		{srv.URL + "/{{host}}/moved", health.Healthy},
		{srv.URL + "/{{host}}/first", health.Healthy},
		{srv.URL + "/{{host}}/last", health.Inconclusive},
		{srv.URL + "/{{host}}/down", health.Degraded},
		{srv.URL + "/{{host}}/lost", health.Degraded},
		{srv.URL + "/{{host}}/slow", health.Degraded},
		{srv.URL + "/{{host}}/cut", health.Degraded},
		{"http://127.0.0.1:1/", health.Degraded}, // nobody listens there
	}
	for _, tc := range tests {
		looks.Store(0)
		v, err := judge(t, HTTP(tc.url, nowhere, 50*time.Millisecond, nil))
		if err != nil || v.State != tc.want {
			t.Errorf("%s: %s (%s), %v, want %s", tc.url, v.State, v.Why, err, tc.want)
		}
	}
	if _, err := judge(t, HTTP("http://{{address}}/", nowhere, time.Second, nil)); err == nil || !strings.Contains(err.Error(), "no address in its facts") {
		t.Errorf("a host without an address: %v", err)
	}
	v, err := judge(t, HTTP("http://{{address}}/{{host}}/well", at(strings.TrimPrefix(srv.URL, "http://")), time.Second, nil))
	if err != nil || v.State != health.Healthy {
		t.Errorf("by address: %s (%s), %v", v.State, v.Why, err)
	}
}

// script runs a command of a shell's in place of a monitoring plugin.
func script(text string) Look {
	run := func(ctx context.Context, argv []string) error {
		return exec.CommandContext(ctx, argv[0], argv[1:]...).Run()
	}
	return Command([]string{"sh", "-c", text, "{{host}}"}, run, nowhere, 200*time.Millisecond)
}

func TestCommand(t *testing.T) {
	tests := []struct {
		script string
		want   health.State
	}{
		{"exit 0", health.Healthy},
		{`test "$0" = web-01`, health.Healthy},
		{"exit 1", health.Degraded},
		{"exit 2", health.Degraded},
		{"exit 3", health.Inconclusive}, // unknown is no verdict
		{"exit 127", health.Inconclusive},
		{"kill -9 $$", health.Inconclusive},
		{"exec tail -f /dev/null", health.Degraded},
	}
	for _, tc := range tests {
		v, err := judge(t, script(tc.script))
		if err != nil || v.State != tc.want {
			t.Errorf("%s: %s (%s), %v, want %s", tc.script, v.State, v.Why, err, tc.want)
		}
	}
	run := func(ctx context.Context, argv []string) error { return exec.CommandContext(ctx, argv[0]).Run() }
	if _, err := judge(t, Command([]string{"/no/such/probe"}, run, nowhere, time.Second)); err == nil || !strings.Contains(err.Error(), `probing web-01 with "/no/such/probe"`) {
		t.Errorf("a command that is not there: %v", err)
	}
}

func TestManyHosts(t *testing.T) {
	var hosts []inventory.HostID
	for i := range 50 {
		hosts = append(hosts, inventory.HostID(fmt.Sprintf("web-%02d", i)))
	}
	s := source(func(_ context.Context, h inventory.HostID) (bool, bool, error) {
		return h != "web-07", h != "web-08", nil
	})
	got, err := s.Measure(t.Context(), now, hosts, now, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range hosts {
		v := health.Judge(health.Evidence{After: got[h]})
		want := map[inventory.HostID]health.State{"web-07": health.Degraded, "web-08": health.Inconclusive}[h]
		if want == "" {
			want = health.Healthy
		}
		if v.State != want {
			t.Errorf("%s: %s (%s), want %s", h, v.State, v.Why, want)
		}
	}
}

// A host that cannot be asked says nothing of the others.
func TestUnasked(t *testing.T) {
	broken := errors.New("no address")
	s := source(func(_ context.Context, h inventory.HostID) (bool, bool, error) {
		if h == "web-02" {
			return false, false, broken
		}
		return true, true, nil
	})
	got, err := s.Measure(t.Context(), now, []inventory.HostID{"web-01", "web-02", "web-03"}, now, now)
	var unasked telemetry.Unasked
	if !errors.As(err, &unasked) || len(unasked) != 1 || unasked["web-02"] != broken {
		t.Errorf("Measure() error = %v, want web-02: %v", err, broken)
	}
	if len(got) != 2 || len(got["web-01"]["up"]) != Times || len(got["web-03"]["up"]) != Times {
		t.Errorf("Measure() = %v, want web-01 and web-03", got)
	}
}

func TestWaitsBetweenLooks(t *testing.T) {
	waited := time.Duration(0)
	s := New(Options{Look: func(context.Context, inventory.HostID) (bool, bool, error) { return true, true, nil },
		Wait: func(_ context.Context, d time.Duration) bool { waited += d; return true }})
	if _, err := s.Measure(t.Context(), now, []inventory.HostID{"web-01"}, now, now); err != nil || waited != 10*time.Second {
		t.Errorf("six looks took %v (%v), want 10s", waited, err)
	}
	ctx, stop := context.WithCancelCause(t.Context())
	stop(errors.New("told to stop"))
	s.Wait = func(context.Context, time.Duration) bool { return false }
	if got, err := s.Measure(ctx, now, []inventory.HostID{"web-01"}, now, now); err == nil {
		t.Errorf("Measure() = %v, and the run was told to stop", got)
	}
}

// Why a host is not up is told, once, and nothing of one that came up again.
func TestDown(t *testing.T) {
	looks := map[inventory.HostID]*atomic.Int64{"web-01": {}, "web-02": {}, "web-03": {}}
	s := source(func(_ context.Context, h inventory.HostID) (bool, bool, error) {
		n := looks[h].Add(1)
		if h == "web-02" || h == "web-03" && n < Times {
			return false, true, errors.New("503")
		}
		return true, true, nil
	})
	var told []string
	s.Down = func(h inventory.HostID, why error) { told = append(told, fmt.Sprintf("%s: %v", h, why)) }
	got, err := s.Measure(t.Context(), now, []inventory.HostID{"web-01", "web-02", "web-03"}, now, now)
	if err != nil || len(got) != 3 || strings.Join(told, ", ") != "web-02: 503" {
		t.Errorf("Measure() = %v, %v, and tells of %v, want web-02: 503", got, err, told)
	}
}

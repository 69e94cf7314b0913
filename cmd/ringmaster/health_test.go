package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/health"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

// TestHealth opens each kind of health that is not the fleet's as execute does, on
// a host that was changed an hour ago.
func TestHealth(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	dir := t.TempDir()
	check := "#!/bin/sh\n# what it was given: where it is, no forge's token, the host\ntest -e ./here && test -z \"$GITHUB_TOKEN\" && test \"$PROBE\" = p && test \"$1 $2\" = 'web-01 10.0.0.7' || exit 2\n"
	for name, text := range map[string]string{"check.sh": check, "here": "", "unknown.sh": "#!/bin/sh\nexit 3\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("GITHUB_TOKEN", "ghs_0123456789")
	t.Setenv("PROBE", "p")
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Errorf("%s was sent %q", r.URL, r.Header.Get("Authorization"))
		}
		if r.URL.Path != "/web-01" {
			http.NotFound(w, r)
		}
	}))
	defer srv.Close()
	prom := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer s3cret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Write([]byte(`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1772441700,"1"],[1772441760,"1"],[1772441820,"1"],[1772441880,"1"],[1772441940,"1"],[1772442000,"0"]]}]}}`))
	}))
	defer prom.Close()
	up := map[string]string{"up": `up{instance="{{host}}"}`}
	tests := []struct {
		name string
		h    ring.Health
		want health.State
		err  string
	}{
		{"http, well", ring.Health{Kind: "http", URL: srv.URL + "/{{host}}"}, health.Healthy, ""},
		{"http, not found", ring.Health{Kind: "http", URL: srv.URL + "/other"}, health.Degraded, ""},
		{"command, well", ring.Health{Kind: "command", Command: []string{"./check.sh", "{{host}}", "{{address}}"}, Env: []string{"PROBE"}}, health.Healthy, ""},
		{"command, without what it needs", ring.Health{Kind: "command", Command: []string{"./check.sh", "{{host}}", "{{address}}"}}, health.Degraded, ""},
		{"command, does not know", ring.Health{Kind: "command", Command: []string{"./unknown.sh"}}, health.Inconclusive, ""},
		{"command, is not there", ring.Health{Kind: "command", Command: []string{"./gone.sh"}}, "", "no such file"},
		{"command, wants the forge's token", ring.Health{Kind: "command", Command: []string{"./check.sh"}, Env: []string{"GITHUB_TOKEN"}}, "", "which plugins never get"},
		{"prometheus, went down at its last point", ring.Health{Kind: "prometheus", URL: prom.URL, Signals: up, Token: "PROM_TOKEN"}, health.Inconclusive, ""},
		{"prometheus, says no", ring.Health{Kind: "prometheus", URL: prom.URL, Signals: up}, "", "401"},
		{"prometheus, a token that is not set", ring.Health{Kind: "prometheus", URL: prom.URL, Signals: up, Token: "NO_TOKEN"}, "", `the variable "NO_TOKEN"`},
		{"prometheus, the forge's token", ring.Health{Kind: "prometheus", URL: prom.URL, Signals: up, Token: "GITHUB_TOKEN"}, "", "holds a forge's token"},
		{"unknown", ring.Health{Kind: "stars"}, "", "none that this version knows"},
	}
	var logged bytes.Buffer
	log := logrus.New()
	log.SetOutput(&logged)
	a := &app{
		log: log,
		getenv: func(name string) string {
			return map[string]string{"PROM_TOKEN": "s3cret", "GITHUB_TOKEN": "ghs_0123456789"}[name]
		},
		pause: func(context.Context, time.Duration) bool { return true },
	}
	w := engine.World{Dir: dir, Now: now, Hosts: []inventory.Host{{ID: "web-01", Facts: &inventory.Facts{Address: "10.0.0.7"}}}}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			state, err := func() (health.State, error) {
				s, err := a.openHealth(t.Context(), tc.h, nil, w)
				if err != nil {
					return "", err
				}
				defer s.Close()
				after, err := s.Measure(t.Context(), now, []inventory.HostID{"web-01"}, now.Add(-time.Hour), now)
				if err != nil {
					return "", err
				}
				return health.Judge(health.Evidence{After: after["web-01"]}).State, nil
			}()
			if state != tc.want || (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%s, %v, want %s, %q", state, err, tc.want, tc.err)
			}
		})
	}
	if want := "answers with 404 Not Found"; !strings.Contains(logged.String(), want) {
		t.Errorf("the log does not say why a page is down: want %q in\n%s", want, logged.String())
	}
}

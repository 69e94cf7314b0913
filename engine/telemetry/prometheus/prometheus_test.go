package prometheus

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

var (
	from = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	to   = from.Add(10 * time.Minute)
)

func open(t *testing.T, o Options) telemetry.Source {
	t.Helper()
	if o.Address == nil {
		o.Address = func(inventory.HostID) string { return "" }
	}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// says is a server that answers every query with one body.
func says(t *testing.T, status int, body string) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func matrix(series ...string) string {
	return `{"status":"success","data":{"resultType":"matrix","result":[` + strings.Join(series, ",") + `]}}`
}

func series(values string) string { return `{"metric":{"job":"web"},"values":[` + values + `]}` }

func TestAnswers(t *testing.T) {
	first := fmt.Sprint(from.Unix())
	tests := []struct {
		name   string
		status int
		body   string
		want   []float64
		err    string
	}{
		{"numbers and what is none", 200, matrix(series(`[` + first + `,"0.25"],[` + first + `.5,"NaN"],[` + first + `.75,"+Inf"]`)), []float64{0.25, math.NaN(), math.Inf(1)}, ""},
		{"nothing is absent, not zero", 200, matrix(), nil, ""},
		{"an empty series", 200, matrix(series("")), nil, ""},
		{"two series", 200, matrix(series(`[`+first+`,"1"]`), series(`[`+first+`,"2"]`)), nil, "the query comes to 2 series"},
		{"a warning", 200, strings.Replace(matrix(series(`[`+first+`,"1"]`)), `"data"`, `"warnings":["store 10.0.0.1 did not answer"],"data"`, 1), nil, "the server warns that store 10.0.0.1 did not answer"},
		{"a point that was not asked for", 200, matrix(series(`[1,"1"]`)), nil, "outside of what was asked for"},
		{"a scalar", 200, `{"status":"success","data":{"resultType":"scalar","result":[` + first + `,"1"]}}`, nil, "answers with a scalar"},
		{"histograms", 200, matrix(`{"metric":{},"histograms":[[` + first + `,{"count":"1","sum":"1","buckets":[]}]]}`), nil, "comes to histograms"},
		{"a query that is wrong", 400, `{"status":"error","errorType":"bad_data","error":"parse error: unexpected end of input"}`, nil, "parse error: unexpected end of input"},
		{"a server that cannot", 503, "no healthy upstream", nil, "503"},
		{"a page of something else", 200, "<html>log in</html>", nil, "asking"},
		{"half an answer", 200, matrix(series(`[` + first + `,"1"]`))[:60], nil, "asking"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			s := open(t, Options{URL: says(t, tc.status, tc.body), Signals: map[string]string{"error_ratio": "x"}})
			got, err := s.Measure(t.Context(), to, []inventory.HostID{"web-01"}, from, to)
			if (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Fatalf("Measure() error = %v, want %q", err, tc.err)
			}
			points := got["web-01"]["error_ratio"]
			if len(points) != len(tc.want) {
				t.Fatalf("Measure() = %v, want %v", points, tc.want)
			}
			if len(points) == 0 && len(got) > 0 {
				t.Errorf("Measure() = %v: a host of which nothing is known is absent", got)
			}
			for i, p := range points {
				if p.V != tc.want[i] && !(math.IsNaN(p.V) && math.IsNaN(tc.want[i])) {
					t.Errorf("point %d = %v, want %v", i, p.V, tc.want[i])
				}
			}
		})
	}
}

// Every query of every host is asked, as the site wrote it, with the token; after
// one failed, the rest need no answer.
func TestWhatIsAsked(t *testing.T) {
	asked := make(chan string, 100)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "Bearer s3cret" {
			t.Errorf("Authorization = %q", got)
		}
		if r.URL.Path != "/prom/api/v1/query_range" {
			t.Errorf("path = %q", r.URL.Path)
		}
		asked <- r.FormValue("query") + " " + r.FormValue("start") + " " + r.FormValue("end") + " " + r.FormValue("step")
		fmt.Fprint(w, matrix())
	}))
	defer srv.Close()
	s := open(t, Options{URL: srv.URL + "/prom", Token: "s3cret", Address: func(h inventory.HostID) string { return "10.0.0." + string(h[len(h)-1]) },
		Signals: map[string]string{"up": `up{instance="{{address}}:9100"}`, "load_ratio": `load{host="{{host}}"}`}})
	if _, err := s.Measure(t.Context(), to, []inventory.HostID{"web-1", "web-2"}, from, to); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Measure(t.Context(), to, []inventory.HostID{"web-3"}, from, from.Add(30*24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	close(asked)
	got := map[string]bool{}
	for q := range asked {
		got[q] = true
	}
	span := fmt.Sprintf(" %d %d 60", from.Unix(), to.Unix())
	month := fmt.Sprintf(" %d %d 236", from.Unix(), from.Add(30*24*time.Hour).Unix())
	for _, want := range []string{
		`up{instance="10.0.0.1:9100"}` + span, `up{instance="10.0.0.2:9100"}` + span, `load{host="web-1"}` + span, `load{host="web-2"}` + span,
		`up{instance="10.0.0.3:9100"}` + month, `load{host="web-3"}` + month,
	} {
		if !got[want] {
			t.Errorf("not asked: %s\nof %v", want, got)
		}
	}
	if len(got) != 6 {
		t.Errorf("%d queries were asked, want 6: %v", len(got), got)
	}
}

func TestAnEndedRunIsNoAnswer(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	s := open(t, Options{URL: says(t, 200, matrix()), Signals: map[string]string{"up": "up"}})
	if got, err := s.Measure(ctx, to, []inventory.HostID{"web-01"}, from, to); err == nil {
		t.Errorf("Measure() = %v, and the run had ended", got)
	}
}

// A host that cannot be asked for, and one of which the server knows more than one
// series, say nothing of the others.
func TestUnasked(t *testing.T) {
	point := series(fmt.Sprintf(`[%d,"1"]`, from.Unix()))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.FormValue("query"), "10.0.0.2") {
			fmt.Fprint(w, matrix(point, point))
			return
		}
		fmt.Fprint(w, matrix(point))
	}))
	defer srv.Close()
	s := open(t, Options{URL: srv.URL, Signals: map[string]string{"up": `up{a="{{address}}"}`, "load_ratio": `load{h="{{host}}"}`},
		Address: func(h inventory.HostID) string {
			return map[inventory.HostID]string{"web-1": "10.0.0.1", "web-2": "10.0.0.2"}[h]
		}})
	got, err := s.Measure(t.Context(), to, []inventory.HostID{"web-1", "web-2", "web-3"}, from, to)
	var unasked telemetry.Unasked
	if !errors.As(err, &unasked) || len(unasked) != 2 || !strings.Contains(fmt.Sprint(unasked["web-2"]), "comes to 2 series") || !strings.Contains(fmt.Sprint(unasked["web-3"]), "no address in its facts") {
		t.Errorf("Measure() error = %v, want what is wrong with web-2 and web-3", err)
	}
	if len(got) != 1 || len(got["web-1"]) != 2 {
		t.Errorf("Measure() = %v, want both signals of web-1 alone", got)
	}
}

// Where a server leads elsewhere, the token does not go along.
func TestTheTokenStaysWithItsServer(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "" {
			t.Errorf("another server was given %q", got)
		}
		fmt.Fprint(w, matrix())
	}))
	defer elsewhere.Close()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "Bearer s3cret" {
			t.Errorf("Authorization = %q", got)
		}
		http.Redirect(w, r, elsewhere.URL+r.URL.Path, http.StatusTemporaryRedirect)
	}))
	defer srv.Close()
	s := open(t, Options{URL: srv.URL, Token: "s3cret", Signals: map[string]string{"up": "up"}})
	if _, err := s.Measure(t.Context(), to, []inventory.HostID{"web-01"}, from, to); err != nil {
		t.Fatal(err)
	}
}

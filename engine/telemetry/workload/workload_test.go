package workload

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/fleet/exec"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

// flat is a week whose hours are all alike.
func flat() (week [telemetry.Hours]float64) {
	for i := range week {
		week[i] = 1
	}
	return week
}

// Requests are due as often as the week, the rate and the duration say, in order and
// within the duration; a quiet hour has fewer, one in which nothing comes none.
func TestDue(t *testing.T) {
	workdays, nothing := flat(), [telemetry.Hours]float64{}
	for hour := range workdays {
		switch {
		case hour >= 5*24:
			workdays[hour] = 0
		case hour%24 < 8:
			workdays[hour] = 0.25
		}
	}
	for name, tc := range map[string]struct {
		week [telemetry.Hours]float64
		want int
	}{"flat": {flat(), 6000}, "workdays": {workdays, 6000 * (16*4 + 8) * 5 / (168 * 4)}, "nothing": {nothing, 0}} {
		list := Options{Rate: 100, Duration: time.Minute}.due(tc.week)
		if n := len(list); n < tc.want-1 || n > tc.want+1 {
			t.Errorf("%s: %d requests are due, want %d", name, n, tc.want)
		}
		if !slices.IsSorted(list) || len(list) > 0 && (list[0] < 0 || list[len(list)-1] >= time.Minute) {
			t.Errorf("%s: requests are due out of order, or past the end", name)
		}
		for _, at := range list {
			if hour := int(at.Minutes() * telemetry.Hours); tc.week[min(hour, telemetry.Hours-1)] == 0 {
				t.Fatalf("%s: a request is due %s in, in an hour in which nothing comes", name, at)
			}
		}
	}
}

// loaded puts a handler under load, of 200 requests in a second unless said.
func loaded(t *testing.T, o Options, handle http.HandlerFunc) (telemetry.Load, error) {
	t.Helper()
	server := httptest.NewServer(handle)
	defer server.Close()
	if o.URL == "" {
		o.URL = strings.Replace(server.URL, "127.0.0.1", "{{address}}", 1)
	}
	return HTTP(usual(o))(t.Context(), "lab-01", flat())
}

func usual(o Options) Options {
	if o.Rate == 0 {
		o.Rate = 200
	}
	o.Duration, o.Timeout, o.Connections = time.Second, time.Second, max(o.Connections, 10)
	if o.Paths == nil {
		o.Paths = []string{"/"}
	}
	if o.Address == nil {
		o.Address = func(inventory.HostID) string { return "127.0.0.1" }
	}
	return o
}

// Whatever is answered rightly is counted with how long it took, the rest as wrong.
func TestHTTP(t *testing.T) {
	var asked [2]atomic.Int64
	var n int
	var why string
	o := Options{Paths: []string{"/", "/search?q=hammer", "/"}, Wrong: func(_ inventory.HostID, got int, said string) { n, why = got, said }}
	load, err := loaded(t, o, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			asked[0].Add(1)
			return
		}
		if asked[1].Add(1); r.URL.RawQuery != "q=hammer" || r.Method != http.MethodGet || r.UserAgent() != "ringmaster" {
			t.Errorf("%s %s by %q", r.Method, r.URL, r.UserAgent())
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	if err != nil || load.Requests != 200 || int64(load.Errors) != asked[1].Load() || asked[0].Load()+asked[1].Load() != 200 || load.Errors < 60 || load.Errors > 70 {
		t.Errorf("HTTP() = %+v, %v; %d and %d were asked for", load, err, asked[0].Load(), asked[1].Load())
	}
	if median, ok := load.Median(); !ok || median <= 0 || median > 0.1 {
		t.Errorf("the median is %v s", median)
	}
	if n != load.Errors || why != "it was answered with 503 Service Unavailable" {
		t.Errorf("told of %d, %q", n, why)
	}
}

// A redirect is not followed, wherever it leads, and is no right answer.
func TestHTTPGoesNowhereElse(t *testing.T) {
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	load, err := loaded(t, Options{}, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) })
	if err != nil || load.Requests != 200 || load.Errors != 200 || elsewhere.Load() != 0 {
		t.Errorf("HTTP() = %+v, %v, and %d requests went elsewhere", load, err, elsewhere.Load())
	}
}

// A service that nobody listens for has failed every request; a host whose address
// is not known was not loaded at all.
func TestHTTPWithoutAnswer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://{{address}}:" + strings.Split(l.Addr().String(), ":")[1]
	l.Close()
	load, err := HTTP(usual(Options{URL: url}))(t.Context(), "lab-01", flat())
	if err != nil || load.Requests != 200 || load.Errors != 200 {
		t.Errorf("HTTP() = %+v, %v, want every request wrong", load, err)
	}
	if _, err := HTTP(usual(Options{URL: url, Address: func(inventory.HostID) string { return "" }}))(t.Context(), "lab-01", flat()); err == nil || !strings.Contains(err.Error(), "has no address in its facts") {
		t.Errorf("a host without an address: %v", err)
	}
}

// A service that became slow is not spared: requests go on while it answers, as many
// at a time as there are connections, and those that none was left for are lacking.
func TestHTTPSlow(t *testing.T) {
	var now, most atomic.Int64
	load, err := loaded(t, Options{}, func(http.ResponseWriter, *http.Request) {
		n := now.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(200 * time.Millisecond)
		now.Add(-1)
	})
	if err != nil || load.Requests < 40 || load.Requests > 70 || most.Load() != 10 {
		t.Errorf("HTTP() = %+v, %v, with %d requests at a time; want 10, and about 50 in a second", load, err, most.Load())
	}
	if median, _ := load.Median(); median < 0.19 {
		t.Errorf("the median is %v s, of a service that takes 0.2", median)
	}
}

// A run that is told to stop has measured nothing.
func TestHTTPStopped(t *testing.T) {
	ctx, stop := context.WithCancelCause(t.Context())
	why := errors.New("told to stop")
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stop(why) }))
	defer server.Close()
	o := usual(Options{URL: strings.Replace(server.URL, "127.0.0.1", "{{address}}", 1)})
	o.Duration = time.Hour
	if load, err := HTTP(o)(ctx, "lab-01", flat()); !errors.Is(err, why) || load.Requests != 0 {
		t.Errorf("HTTP() = %+v, %v", load, err)
	}
}

// A command reads when its requests are due and tells of each; anything else that it
// does says nothing of the host.
func TestCommand(t *testing.T) {
	const good = `read ask; echo '{"ok":true,"seconds":0.004}'; echo '{"ok":false,"seconds":0.001,"why":"deadlock"}'; echo '{"seconds":2}'`
	for _, tc := range []struct{ name, script, want string }{
		{"as it is to be", good, ""},
		{"what it reads", `read ask; [ "$ask" = '{"host":"lab-01","address":"127.0.0.1","seconds":1,"timeout":1,"due":[0.125,0.375,0.625,0.875]}' ] || exit 9; ` + good, ""},
		{"its arguments", `[ "$1" = 127.0.0.1/lab-01 ] || exit 9; ` + good, ""},
		{"it fails", good + "; exit 3", "exit status 3"},
		{"no JSON", "echo well", "line 1 is no answer"},
		{"no seconds", `echo '{"ok":true}'`, `line 1 has no "seconds"`},
		{"a negative time", `echo '{"ok":true,"seconds":-1}'`, `line 1 has no "seconds"`},
		{"more than it was asked for", good + "; " + good, "more than the 4 requests"},
		{"no end of it", "yes", "exit status"},
		{"it does not end", "sleep 60", "killed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			o := usual(Options{Rate: 4, Command: []string{"sh", "-c", tc.script, "sh", "{{address}}/{{host}}"}})
			o.Timeout = time.Second
			load, err := Command(o, func(ctx context.Context, argv []string, in io.Reader, out io.Writer) error {
				return exec.Run(ctx, exec.Options{Command: argv}, in, out)
			})(t.Context(), "lab-01", flat())
			if tc.want != "" {
				if err == nil || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("Command() = %+v, %v, want an error with %q", load, err, tc.want)
				}
				return
			}
			if median, _ := load.Median(); err != nil || load.Requests != 3 || load.Errors != 2 || median < 0.0039 || median > 0.0047 {
				t.Errorf("Command() = %+v (median %v), %v", load, median, err)
			}
		})
	}
}

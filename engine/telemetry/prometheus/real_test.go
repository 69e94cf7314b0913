package prometheus

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/health"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// A real Prometheus holds two hours of four hosts: web-1 gets worse at the end of
// the first, web-2 never answers with an error, web-3 stops being scraped, web-4 has no
// traffic and web-5 was never scraped.
// What it says of them goes through the signals that docs/health.md advises, and
// health judges it.
func TestRealServer(t *testing.T) {
	for _, name := range []string{"prometheus", "promtool"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%s is not on the PATH (Debian: prometheus): nothing real to measure with", name)
		}
	}
	began := from.Add(time.Hour)
	url := serve(t, backfill(t, began))
	asked := map[string]string{
		"up":              `up{instance="{{host}}:9100"}`,
		"error_ratio":     `(sum(rate(http_requests_total{instance="{{host}}:9100",code=~"5.."}[5m])) or vector(0)) / sum(rate(http_requests_total{instance="{{host}}:9100"}[5m]))`,
		"latency_seconds": `histogram_quantile(0.5, sum by (le) (rate(http_request_duration_seconds_bucket{instance="{{host}}:9100"}[5m])))`,
	}
	misspelt := maps.Clone(asked)
	misspelt["error_ratio"] = strings.ReplaceAll(asked["error_ratio"], "instance", "hots")
	hosts := []inventory.HostID{"web-1", "web-2", "web-3", "web-4", "web-5"}
	tests := []struct {
		host    inventory.HostID
		signals map[string]string
		want    health.State
		why     string
	}{
		{"web-1", asked, health.Degraded, "error ratio"},
		{"web-1", misspelt, health.Inconclusive, "error_ratio: no points, neither before the change nor after it (query (sum(rate(http_requests_total{hots="},
		{"web-2", asked, health.Healthy, "error ratio 0 → 0"},
		{"web-3", asked, health.Degraded, "has no points after the change, and peers have"},
		{"web-4", asked, health.Inconclusive, "is a number"},
		{"web-5", asked, health.Inconclusive, "up: no points, neither before the change nor after it"},
	}
	for _, tc := range tests {
		s := open(t, Options{URL: url, Step: 30 * time.Second, Signals: tc.signals})
		before, err := s.Measure(t.Context(), began.Add(time.Hour), hosts, began.Add(-50*time.Minute), began)
		if err != nil {
			t.Fatal(err)
		}
		after, err := s.Measure(t.Context(), began.Add(time.Hour), hosts, began.Add(10*time.Minute), began.Add(55*time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		v := health.Judge(health.Evidence{Declared: tc.signals, Before: before[tc.host], After: after[tc.host], Peers: after["web-2"], PeersBefore: before["web-2"]})
		if v.State != tc.want || !strings.Contains(v.Why, tc.why) {
			t.Errorf("%s is %s (%s), want %s (%s)", tc.host, v.State, v.Why, tc.want, tc.why)
		}
	}
}

// backfill makes a data folder in which the hosts were scraped every 15 seconds.
func backfill(t *testing.T, began time.Time) string {
	t.Helper()
	dir := t.TempDir()
	text := filepath.Join(dir, "metrics.txt")
	f, err := os.Create(text)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	family := func(name, kind string, line func(host string, n int, late bool) []string) {
		fmt.Fprintf(w, "# TYPE %s %s\n", name, kind)
		for _, host := range []string{"web-1", "web-2", "web-3", "web-4"} {
			for n := range 480 {
				at := began.Add(time.Duration(n-240) * 15 * time.Second)
				late := !at.Before(began)
				if host == "web-3" && late {
					continue
				}
				for _, l := range line(host, n, late) {
					fmt.Fprintf(w, "%s %d\n", strings.ReplaceAll(l, "HOST", host+":9100"), at.Unix())
				}
			}
		}
	}
	family("up", "gauge", func(string, int, bool) []string { return []string{`up{instance="HOST"} 1`} })
	family("http_requests", "counter", func(host string, n int, late bool) []string {
		good, bad := 150*n, n // of each 151 requests one is answered with 500
		if host == "web-1" && late {
			good, bad = good-60*(n-240), bad+60*(n-240)
		}
		if host == "web-4" {
			good, bad = 7, 1
		}
		lines := []string{fmt.Sprintf(`http_requests_total{instance="HOST",code="200"} %d`, good)}
		if host != "web-2" {
			lines = append(lines, fmt.Sprintf(`http_requests_total{instance="HOST",code="503"} %d`, bad))
		}
		return lines
	})
	family("http_request_duration_seconds", "histogram", func(host string, n int, late bool) []string {
		fast, all := 150*n, 151*n
		if host == "web-4" {
			fast, all = 8, 8
		}
		return []string{
			fmt.Sprintf(`http_request_duration_seconds_bucket{instance="HOST",le="0.01"} %d`, fast),
			fmt.Sprintf(`http_request_duration_seconds_bucket{instance="HOST",le="+Inf"} %d`, all),
		}
	})
	fmt.Fprintln(w, "# EOF")
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	f.Close()
	data := filepath.Join(dir, "data")
	if out, err := exec.Command("promtool", "tsdb", "create-blocks-from", "openmetrics", text, data).CombinedOutput(); err != nil {
		t.Fatalf("promtool: %v\n%s", err, out)
	}
	return data
}

// listening is how Prometheus says where.
var listening = regexp.MustCompile(`msg="Listening on" address=(\S+)`)

// serve starts a Prometheus on a data folder and returns its address once it is ready.
func serve(t *testing.T, data string) string {
	t.Helper()
	config := filepath.Join(t.TempDir(), "prometheus.yml")
	if err := os.WriteFile(config, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("prometheus", "--config.file="+config, "--storage.tsdb.path="+data, "--storage.tsdb.retention.time=100y", "--web.listen-address=127.0.0.1:0")
	log, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	address := ""
	for lines := bufio.NewScanner(log); lines.Scan(); {
		if m := listening.FindStringSubmatch(lines.Text()); m != nil {
			address = "http://" + m[1]
		}
		if strings.Contains(lines.Text(), "Server is ready to receive web requests") {
			go func() { // so that it is never stopped by what it says
				for lines.Scan() {
				}
			}()
			return address
		}
	}
	t.Fatal("prometheus ended before it was ready")
	return ""
}

package outcome

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// briefLines are as execute writes them, and some that only others would.
func briefLines() []Line {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	l := Line{At: at, Plan: "high-main-1", Ring: "canary", Wave: 1, Host: "web-01", Patch: "deb:openssl@3.0.15", Key: "k/1", Fleet: "sim", Engine: "v0.1.0", Run: "r-1",
		Event: Applied, From: "3.0.11", To: "3.0.15", Seconds: 12.4, Predicted: 0.03,
		Features: map[string]any{"vendor": "Debian", "role": "web", "package": "openssl", "uptime_s": 34.0, "components": []any{"tls", "a,b}"}, "drift": false},
		Measured: &Measured{Before: map[string]float64{"up": 1}, After: map[string]float64{"up": 0.5}}}
	quoted, bare, late := l, Line{At: at, Plan: "high-main-1", Event: Completed}, l
	quoted.Detail, quoted.Features = "said \"no\" at C:\\x\u2028 – ünïcode", map[string]any{"vendor": "A \"B\"", "role": 3.0}
	late.At = at.Add(1500 * time.Millisecond)
	return []Line{l, quoted, bare, late}
}

// stripped is what is left of a line in brief.
func stripped(l Line) Line {
	f := map[string]any{}
	for _, name := range briefFeatures {
		if s, _ := l.Features[name].(string); s != "" {
			f[name] = s
		}
	}
	l.Features, l.Measured, l.Prev = f, nil, ""
	return l
}

func TestBriefly(t *testing.T) {
	const digest = "sha256:0"
	ledger, err := Append(nil, digest, briefLines())
	if err != nil {
		t.Fatal(err)
	}
	var b Briefly
	for range 2 { // what is kept makes no difference
		compareBrief(t, &b, ledger, digest)
	}
	for i := range ledger { // nor does any single byte that is another
		changed := append([]byte{}, ledger...)
		changed[i] ^= 1
		_, err := b.Parse(changed, digest)
		if _, want := Parse(changed, digest); (err == nil) != (want == nil) {
			t.Fatalf("Parse(byte %d changed) = %v, want %v", i, err, want)
		}
	}
}

func compareBrief(t *testing.T, b *Briefly, ledger []byte, digest string) {
	t.Helper()
	want, wantErr := Parse(ledger, digest)
	for i := range want {
		want[i] = stripped(want[i])
	}
	got, err := b.Parse(ledger, digest)
	if fmt.Sprint(err) != fmt.Sprint(wantErr) {
		t.Errorf("Parse() = %v, want %v", err, wantErr)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("Parse() (-want +got):\n%s", diff)
	}
}

// A line of valid JSON is read in brief as it is read in full.
func FuzzBriefly(f *testing.F) {
	for _, l := range briefLines() {
		data, err := json.Marshal(l)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, s := range []string{`{}`, `{"prev":"","Prev":"x"}`, `{"prev":"","at":""}`, `{"prev":"","wave":1e2}`, `{"prev":"","host":null}`, `{"prev":"","seconds":"1"}`, `{"prev":"","features":{"vendor":null}}`,
		`{"prev":"","features":null,"measured":null}`, ` {"prev":"" }`, `{"prev":"","x":[{"y":"}"},[]],"run":"é"}`, `{"prev":"","at":"2026-03-02T09:00:00+01:00"}`, `{"prev":"","measured":{"before":3}}`, `{"prev":"","features":{"vendor":"a","vendor":3}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		if !json.Valid(line) {
			return
		}
		for _, c := range line {
			if c == '\n' {
				return
			}
		}
		ledger := append(line, '\n')
		if _, err := Parse(ledger, ""); err == nil {
			last := fmt.Appendf(nil, `{"prev":%q}`+"\n", Head(ledger, ""))
			compareBrief(t, &Briefly{}, append(ledger, last...), "")
		}
	})
}

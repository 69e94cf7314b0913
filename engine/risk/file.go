package risk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// ParseTrackRecord reads models/track-record.json; unknown fields are passed over.
func ParseTrackRecord(data []byte) (*TrackRecord, error) {
	var t TrackRecord
	if err := json.Unmarshal(data, &t); err != nil {
		return nil, fmt.Errorf("track record: %w", err)
	}
	if t.Schema != Schema {
		return nil, fmt.Errorf("track record: schema %q; expected %q", t.Schema, Schema)
	}
	if err := t.check(); err != nil {
		return nil, fmt.Errorf("track record: %w", err)
	}
	t.round()
	return &t, nil
}

// largest is beyond any count that makes sense and within what 5 decimals hold.
const largest = 1e9

func (t *TrackRecord) check() error {
	if y := t.At.Year(); y < 1970 || y > 9000 {
		return fmt.Errorf("at: the year %d", y)
	}
	if t.Trials < 0 || t.Failures < 0 || t.Failures > t.Trials || t.Own < 0 || t.Own > t.Trials || t.Trials > largest {
		return fmt.Errorf("%d failures and %d own among %d trials", t.Failures, t.Own, t.Trials)
	}
	if !positive(t.Prior.A) || !positive(t.Prior.B) {
		return fmt.Errorf("prior: A %v, B %v; expected numbers above 0", t.Prior.A, t.Prior.B)
	}
	if s := t.Strengths; !positive(s.Vendor) || !positive(s.Package) || !positive(s.Role) {
		return fmt.Errorf("strengths: %v; expected numbers above 0", s)
	}
	for _, m := range []struct {
		name string
		list map[string]Record
	}{{"vendors", t.Vendors}, {"packages", t.Packages}, {"package_roles", t.Roles}} {
		for _, key := range slices.Sorted(maps.Keys(m.list)) {
			if r := m.list[key]; !r.holds() {
				return fmt.Errorf("%s: %q: %+v; expected 0 ≤ bad ≤ n and 0 ≤ low ≤ p ≤ high ≤ 1", m.name, key, r)
			}
		}
	}
	return nil
}

// positive leaves room for rounding to 5 decimals.
func positive(x float64) bool { return x >= 1e-5 && x <= largest }

func (r Record) holds() bool {
	return r.Bad >= 0 && r.Bad <= r.N && r.N <= largest && r.Low >= 0 && r.Low <= r.P && r.P <= r.High && r.High <= 1
}

// round brings a file that somebody edited to the precision that is written.
func (t *TrackRecord) round() {
	t.At = t.At.UTC().Truncate(time.Second)
	t.Prior = exact.Beta{A: exact.Round5(t.Prior.A), B: exact.Round5(t.Prior.B)}
	t.Strengths = Strengths{exact.Round5(t.Strengths.Vendor), exact.Round5(t.Strengths.Package), exact.Round5(t.Strengths.Role)}
	for _, list := range []map[string]Record{t.Vendors, t.Packages, t.Roles} {
		for key, r := range list {
			list[key] = Record{exact.Round5(r.N), exact.Round5(r.Bad), exact.Round5(r.P), exact.Round5(r.Low), exact.Round5(r.High)}
		}
	}
}

// Bytes are the canonical bytes of the model: members sorted, one line for each
// record so that a change of one shows as one line, and a newline at the end.
func (t *TrackRecord) Bytes() []byte {
	var b bytes.Buffer
	b.WriteString("{\n")
	members := map[string]any{
		"schema": t.Schema, "at": t.At, "trials": t.Trials, "failures": t.Failures, "own": t.Own, "prior": t.Prior,
		"strengths": t.Strengths, "vendors": t.Vendors, "packages": t.Packages, "package_roles": t.Roles, "data": t.Data,
	}
	names := slices.Sorted(maps.Keys(members))
	for i, name := range names {
		fmt.Fprintf(&b, "  %q: ", name)
		switch v := members[name].(type) {
		case map[string]Record:
			lines(&b, v)
		case map[string]any:
			lines(&b, v)
		default:
			b.Write(canonical(v))
		}
		b.WriteString(comma(i, len(names)))
	}
	b.WriteString("}\n")
	return b.Bytes()
}

// lines writes an object with a line for each member.
func lines[V any](b *bytes.Buffer, m map[string]V) {
	if len(m) == 0 {
		b.WriteString("{}")
		return
	}
	b.WriteString("{\n")
	for i, key := range slices.Sorted(maps.Keys(m)) {
		fmt.Fprintf(b, "    %s: %s", canonical(key), canonical(m[key]))
		b.WriteString(comma(i, len(m)))
	}
	b.WriteString("  }")
}

func comma(i, n int) string {
	if i == n-1 {
		return "\n"
	}
	return ",\n"
}

// canonical is RFC 8785's bytes. A record holds finite numbers and UTF-8 only,
// as Fit makes them and ParseTrackRecord checks.
func canonical(v any) []byte {
	data, err := plan.Canonical(v)
	if err != nil {
		panic(fmt.Sprintf("risk: a track record that cannot be written: %v", err))
	}
	return data
}

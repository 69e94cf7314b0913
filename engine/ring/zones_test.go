package ring

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestWindowZones holds every zone of the database to what a window promises,
// around each jump of its clock from 1970 to 2037 and at seeded moments.
func TestWindowZones(t *testing.T) {
	names := ZoneNames()
	if len(names) < 400 {
		t.Fatalf("ZoneNames() has %d names, want some 600", len(names))
	}
	rules := []string{"FREQ=DAILY;BYHOUR=2;BYMINUTE=30", "FREQ=DAILY;BYHOUR=0,1,23;BYMINUTE=15", "FREQ=WEEKLY;BYDAY=SU;BYHOUR=1,2,3", "FREQ=DAILY;BYHOUR=0"}
	rng := rand.New(rand.NewPCG(1, 2))
	for n, name := range names {
		zone, err := Zone(name)
		if err != nil {
			t.Fatal(err)
		}
		list := moments(zone, rng)
		if os.Getenv("RINGMASTER_LONG") == "" {
			list = list[:min(len(list), 3)] // all of them are nightly's
		}
		for i, moment := range list {
			w := Window{Recur: rules[(n+i)%len(rules)], Duration: time.Duration(20+rng.IntN(100)) * time.Minute, Timezone: name}
			if err := promised(w, zone, moment); err != nil {
				t.Fatalf("%s: %s around %s: %v", name, w.Recur, moment.Format(time.RFC3339), err)
			}
		}
	}
}

// TestWindowCuts: for rules of every kind in every zone, a range cut anywhere
// tells the same as the whole, and Next walks through all of it.
func TestWindowCuts(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	names := ZoneNames()
	for _, c := range dateutilCases(t) {
		for range 3 {
			w := Window{Recur: c.Rule, Start: c.Start, Duration: time.Duration(1+rng.IntN(30*60)) * time.Minute, Timezone: names[rng.IntN(len(names))]}
			if len(w.Check()) > 0 {
				continue // it never closes
			}
			from := time.Unix(rng.Int64N(2_000_000_000), 0).UTC()
			to := from.Add(time.Duration(rng.IntN(900*24)) * time.Hour)
			all := w.Between(from, to)
			cut := from.Add(time.Duration(rng.Int64N(int64(to.Sub(from)) + 1)))
			both := append(w.Between(from, cut), w.Between(cut, to)...)
			both = slices.CompactFunc(both, func(a, b Interval) bool { return a == b })
			if diff := cmp.Diff(texts(all), texts(both)); diff != "" {
				t.Fatalf("%+v from %v to %v, cut at %v:\n%s", w, from, to, cut, diff)
			}
			var walked []Interval
			for at := from; len(walked) < 20; at = walked[len(walked)-1].End {
				next, ok := w.Next(at)
				if !ok || !next.Start.Before(to) {
					break
				}
				walked = append(walked, next)
			}
			if diff := cmp.Diff(texts(all[:min(len(all), 20)]), texts(walked)); diff != "" {
				t.Fatalf("%+v from %v to %v, walked with Next:\n%s", w, from, to, diff)
			}
		}
	}
}

// moments are the jumps of a zone's clock, a sample where there are many.
func moments(zone *time.Location, rng *rand.Rand) []time.Time {
	var list []time.Time
	for u := int64(0); ; {
		offset, end, bounded := period(u, zone)
		if !bounded || end > 2_145_916_800 {
			break
		}
		if next, _, _ := period(end, zone); next != offset {
			list = append(list, time.Unix(end, 0))
		}
		u = end
	}
	rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	list = list[:min(len(list), 12)]
	return append(list, time.Unix(rng.Int64N(2_000_000_000), 0))
}

func promised(w Window, zone *time.Location, moment time.Time) error {
	from, to := moment.Add(-60*time.Hour).UTC(), moment.Add(60*time.Hour).UTC()
	all := w.Between(from, to)
	if len(all) == 0 && !strings.Contains(w.Recur, "WEEKLY") {
		return fmt.Errorf("no occurrence in five days")
	}
	c, _ := w.Calendar()
	times := c.rule.times
	for i, o := range all {
		switch {
		case i > 0 && o.Start.Before(all[i-1].End):
			return fmt.Errorf("%v overlaps %v", o, all[i-1])
		case o.End.Sub(o.Start) < w.Duration:
			return fmt.Errorf("%v is shorter than %v", o, w.Duration)
		case !o.Start.Before(to) || !o.End.After(from):
			return fmt.Errorf("%v is not in the range", o)
		case o.Start.Location() != time.UTC:
			return fmt.Errorf("%v is not in UTC", o)
		}
		if !onTime(o.Start, zone, times) {
			return fmt.Errorf("%v begins at %v, which is neither a time of the rule nor one that was skipped", o, o.Start.In(zone))
		}
	}
	// A part of the range tells the same, wherever it is cut.
	for _, cut := range []time.Duration{13 * time.Hour, 59*time.Hour + 31*time.Minute, 60 * time.Hour, 61 * time.Hour, 83*time.Hour + 7*time.Second} {
		middle := from.Add(cut)
		both := append(w.Between(from, middle), w.Between(middle, to)...)
		both = slices.CompactFunc(both, func(a, b Interval) bool { return a.Start.Equal(b.Start) && a.End.Equal(b.End) })
		if diff := cmp.Diff(all, both); diff != "" {
			return fmt.Errorf("cut at %v:\n%s", middle, diff)
		}
		if next, ok := w.Next(middle); ok {
			if i := slices.IndexFunc(all, func(o Interval) bool { return o.End.After(middle) }); i >= 0 && next != all[i] {
				return fmt.Errorf("Next(%v) = %v, want %v", middle, next, all[i])
			}
		}
	}
	return nil
}

// onTime reports whether a clock of the zone shows one of the times at u, for
// the first time that day, or whether that time was skipped and u is where the
// offset before the gap puts it.
func onTime(u time.Time, zone *time.Location, times []int64) bool {
	local := u.In(zone)
	_, offset := local.Zone()
	shown := (u.Unix() + int64(offset)) % secondsPerDay
	if slices.Contains(times, shown) {
		return !shownBefore(u, zone)
	}
	// In a gap the wall time is u with the offset of the period before.
	begin, _ := local.ZoneBounds()
	if begin.IsZero() {
		return false
	}
	_, before := begin.Add(-time.Second).Zone()
	wall := u.Unix() + int64(before)
	_, after := begin.Zone()
	gapFrom, gapTo := begin.Unix()+int64(before), begin.Unix()+int64(after)
	return slices.Contains(times, wall%secondsPerDay) && wall >= gapFrom && wall < gapTo
}

// shownBefore reports whether the zone's clock showed the wall time of u already.
func shownBefore(u time.Time, zone *time.Location) bool {
	_, offset := u.In(zone).Zone()
	begin, _ := u.In(zone).ZoneBounds()
	if begin.IsZero() {
		return false
	}
	_, before := begin.Add(-time.Second).Zone()
	earlier := u.Unix() + int64(offset) - int64(before)
	return before > offset && earlier < begin.Unix()
}

// TestZones is about where zones come from: the embedded database, whatever the
// machine has.
func TestZones(t *testing.T) {
	t.Setenv("ZONEINFO", "/nowhere")
	for name, ok := range map[string]bool{"": true, "UTC": true, "Europe/Berlin": true, "Asia/Kolkata": true, "Local": false, "europe/berlin": false, "../etc/passwd": false, "Europe/": false, "Europe": false} {
		if _, err := Zone(name); (err == nil) != ok {
			t.Errorf("Zone(%q) error %v, want none: %v", name, err, ok)
		}
	}
}

package watch

import (
	"fmt"
	"math/rand"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/risk"
)

var start = time.Date(2025, 7, 1, 6, 0, 0, 0, time.UTC)

// fleet is nine months of changes of many vendors, a few packages each, spread
// over the days; rate says how often one fails.
func fleet(r *rand.Rand, vendors, days, daily int, rate func(vendor int, at time.Time) float64) []risk.Trial {
	var list []risk.Trial
	for d := range days {
		for i := range daily {
			v := r.Intn(vendors)
			at := start.AddDate(0, 0, d).Add(time.Duration(i) * time.Minute)
			list = append(list, risk.Trial{
				At: at, Host: inventory.HostID(fmt.Sprint("h", r.Intn(300))), Patch: fmt.Sprintf("deb:p%d-%d@%d", v, r.Intn(3), d),
				Vendor: fmt.Sprint("v", v), Package: fmt.Sprintf("p%d-%d", v, r.Intn(3)), Failed: r.Float64() < rate(v, at), Weight: 1,
			})
		}
	}
	return list
}

// A vendor that failed in 2 % for six months and fails in 25 % from January on.
func TestVendorThatTurnsBad(t *testing.T) {
	turn := time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC)
	trials := fleet(rand.New(rand.NewSource(1)), 8, 230, 20, func(v int, at time.Time) float64 {
		if v == 3 && at.After(turn) {
			return 0.25
		}
		return 0.02
	})
	if got := Alarms(trials, turn); len(got) != 0 {
		t.Errorf("before it turned: %+v", got)
	}
	got := Alarms(trials, start.AddDate(0, 0, 230))
	var vendor *Alarm
	for i := range got {
		if got[i].Kind == "vendor" && got[i].Name == "v3" {
			vendor = &got[i]
		} else if !strings.HasPrefix(got[i].Name, "p3-") {
			t.Errorf("a false alarm: %+v", got[i])
		}
	}
	if vendor == nil {
		t.Fatalf("Alarms() = %+v, want one on vendor v3", got)
	}
	if vendor.Against != "past" || vendor.Since.Before(turn.AddDate(0, 0, -7)) || vendor.At.Before(turn) || !vendor.Until.Equal(vendor.At.Add(alarmFor)) {
		t.Errorf("the alarm is %+v", *vendor)
	}
	if late := vendor.At.Sub(turn); late > 60*24*time.Hour {
		t.Errorf("it came after %v", late)
	}
	if says := vendor.Says(); !strings.Contains(says, "changes of vendor v3 failed since ") {
		t.Errorf("Says() = %q", says)
	}
}

// The alarm ends by itself once what comes is as it was, and what is later than
// the time asked for is not read.
func TestAlarmsEndAndDoNotForesee(t *testing.T) {
	bad, good := time.Date(2025, 11, 1, 0, 0, 0, 0, time.UTC), time.Date(2025, 11, 20, 0, 0, 0, 0, time.UTC)
	trials := fleet(rand.New(rand.NewSource(1)), 4, 230, 16, func(v int, at time.Time) float64 {
		if v == 3 && at.After(bad) && at.Before(good) {
			return 0.2
		}
		return 0.02
	})
	first, last := time.Time{}, time.Time{}
	for day := range 230 {
		at := start.AddDate(0, 0, day)
		got := find(Alarms(trials, at), Alarm{Kind: "vendor", Name: "v3"})
		if got == nil {
			continue
		}
		if first.IsZero() {
			first = at
		}
		last = at
		known := slices.DeleteFunc(slices.Clone(trials), func(t risk.Trial) bool { return t.At.After(at) })
		if diff := cmp.Diff(got, find(Alarms(known, at), *got)); diff != "" {
			t.Errorf("at %v, without what came later (-want +got):\n%s", at, diff)
		}
	}
	if first.Before(bad) || first.After(good) || last.Before(good) || last.After(good.AddDate(0, 0, 45)) {
		t.Errorf("the alarm stood from %v to %v; the trouble was from %v to %v", first, last, bad, good)
	}
}

func find(list []Alarm, like Alarm) *Alarm {
	for i := range list {
		if list[i].Kind == like.Kind && list[i].Name == like.Name {
			return &list[i]
		}
	}
	return nil
}

// A vendor without a past is held against what others do in the same weeks.
func TestNewVendorAgainstPeers(t *testing.T) {
	trials := slices.DeleteFunc(fleet(rand.New(rand.NewSource(2)), 8, 140, 12, func(v int, _ time.Time) float64 {
		if v == 5 {
			return 0.3
		}
		return 0.02
	}), func(t risk.Trial) bool { return t.Vendor == "v5" && t.At.Before(start.AddDate(0, 0, 100)) })
	got := Alarms(trials, start.AddDate(0, 0, 140))
	a := find(got, Alarm{Kind: "vendor", Name: "v5"})
	if a == nil || a.Against != "others" {
		t.Fatalf("Alarms() = %+v, want vendor v5 against others", got)
	}
}

// What befalls everybody alike is one alarm on all, and nobody is blamed alone.
func TestCommonCause(t *testing.T) {
	trials := fleet(rand.New(rand.NewSource(3)), 8, 140, 12, func(_ int, at time.Time) float64 {
		if at.After(start.AddDate(0, 0, 110)) {
			return 0.25
		}
		return 0.02
	})
	got := Alarms(trials, start.AddDate(0, 0, 140))
	if len(got) != 1 || got[0].Kind != "all" {
		t.Errorf("Alarms() = %+v, want one on all", got)
	}
}

// Nothing changes: looked at every day for nine months, at most 5 % of estates
// see an alarm in any one quarter, of vendors or of packages.
func TestFalseAlarms(t *testing.T) {
	estates, step := 12, 30
	if os.Getenv("RINGMASTER_LONG") != "" {
		estates, step = 500, 3
	}
	r := rand.New(rand.NewSource(4))
	quarters := map[string]int{}
	for range estates {
		rates := make([]float64, 12)
		for i := range rates {
			rates[i] = 0.05 * r.Float64()
		}
		trials := fleet(r, len(rates), 270, 8, func(v int, _ time.Time) float64 { return rates[v] })
		seen := map[string]bool{}
		for day := step; day <= 270; day += step {
			for _, a := range Alarms(trials, start.AddDate(0, 0, day)) {
				seen[a.Kind+quarterOf(a.At).Format(" 2006-01")] = true
			}
		}
		for k := range seen {
			quarters[k]++
		}
	}
	for k, n := range quarters {
		t.Logf("%s: %d of %d estates with a false alarm", k, n, estates)
		if allowed := 0.05*float64(estates) + 3.1*0.22*sqrt(float64(estates)); float64(n) > allowed {
			t.Errorf("%s: %d of %d estates saw a false alarm; at most 5 %% may", k, n, estates)
		}
	}
}

func sqrt(x float64) float64 {
	y := x
	for range 60 {
		y = (y + x/y) / 2
	}
	return y
}

func TestOrderDoesNotMatter(t *testing.T) {
	r := rand.New(rand.NewSource(5))
	trials := fleet(r, 4, 200, 10, func(v int, at time.Time) float64 { return 0.02 + 0.1*float64(v/3) })
	want := Alarms(trials, start.AddDate(0, 0, 200))
	r.Shuffle(len(trials), func(i, j int) { trials[i], trials[j] = trials[j], trials[i] })
	if diff := cmp.Diff(want, Alarms(trials, start.AddDate(0, 0, 200))); diff != "" {
		t.Errorf("another order (-want +got):\n%s", diff)
	}
}

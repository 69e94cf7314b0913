package schedule

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

// small is two rings of hosts of one service without windows, one patch of a
// clock of 30 days.
func small(t testing.TB, canary, broad int) Input {
	at := date(t, "2026-03-02T09:00")
	in := Input{
		At:       at,
		Rings:    []ring.Ring{{Name: "lab"}, {Name: "canary", After: 24 * time.Hour, Soak: 24 * time.Hour}, {Name: "broad", After: 9 * 24 * time.Hour, Soak: 48 * time.Hour}},
		Windows:  []ring.Window{tuesdays, {Name: "fridays", Recur: "FREQ=WEEKLY;BYDAY=FR;BYHOUR=23;BYMINUTE=0", Duration: 4 * time.Hour, Timezone: "UTC"}, {Name: "short", Recur: "FREQ=DAILY;BYHOUR=1;BYMINUTE=0", Duration: 40 * time.Minute, Timezone: "UTC"}},
		Services: []Service{{Name: "shop", Total: canary + broad}},
		Patches:  []Patch{{ID: "deb:openssl@3.0.15-1", Clock: "class", Start: at, Deadline: at.Add(30 * 24 * time.Hour)}},
	}
	for i := range canary + broad {
		h := Host{ID: inventory.HostID(fmt.Sprintf("web-%02d", i)), Services: []int{0}, Ring: 2, Install: 30 * time.Minute, Rollback: 30 * time.Minute, Lanes: 10, Fleet: "exec"}
		if i < canary {
			h.Ring = 1
		}
		in.Hosts = append(in.Hosts, h)
		in.Changes = append(in.Changes, Change{Host: int32(i)})
	}
	return in
}

// lines writes waves down, one a line: ring, start, end, soak, changes.
func lines(got Result) string {
	var b strings.Builder
	for r, waves := range got.Rings {
		for _, w := range waves {
			fmt.Fprintf(&b, "%d %s-%s soak %s %v\n", r, w.Start.Format("02T15:04"), w.End.Format("02T15:04"), length(int64(w.Soak/time.Second)), w.Changes)
		}
	}
	for _, u := range got.Unplaced {
		fmt.Fprintf(&b, "%d %s", u.Change, u.Why)
		if !u.Until.IsZero() {
			fmt.Fprintf(&b, " (%s)", u.Until.Format("2006-01-02"))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestWaves(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(in *Input)
		want   string
	}{
		{"declared pace, empty ring passed over, half of the service at a time", func(in *Input) {},
			"1 03T09:00-03T09:30 soak 24 h [0]\n2 11T09:00-11T09:30 soak 48 h [1 2]\n2 11T09:30-11T10:00 soak 48 h [3]\n"},
		{"one lane", func(in *Input) { lanes(in, 1) },
			"1 03T09:00-03T09:30 soak 24 h [0]\n2 11T09:00-11T09:30 soak 48 h [1]\n2 11T09:30-11T10:00 soak 48 h [2]\n2 11T10:00-11T10:30 soak 48 h [3]\n"},
		{"minimum availability", func(in *Input) { in.Services[0].MinAvailable = 1 },
			"1 03T09:00-03T09:30 soak 24 h [0]\n2 11T09:00-11T09:30 soak 48 h [1 2 3]\n"},
		{"no host can be spared", func(in *Input) { in.Services[0].MinAvailable = 4 },
			strings.ReplaceAll("0 X\n1 X\n2 X\n3 X\n", "X", `service "shop" must keep 4 of its 4 hosts up, so that none can be done`)},
		{"the only host of a service", func(in *Input) {
			in.Hosts, in.Changes = in.Hosts[:1], in.Changes[:1]
			in.Services[0] = Service{Name: "shop", Total: 1, MinAvailable: 1}
		}, "1 03T09:00-03T09:30 soak 24 h [0]\n"},
		{"no ring", func(in *Input) { in.Hosts[3].Ring = -1 },
			"1 03T09:00-03T09:30 soak 24 h [0]\n2 11T09:00-11T09:30 soak 48 h [1 2]\n3 no ring takes the host\n"},
		{"hurried, the end of the clock left free", func(in *Input) { in.Patches[0].Deadline = in.At.Add(5 * 24 * time.Hour) },
			"1 02T17:35-02T18:05 soak 8 h 35 min [0]\n2 05T14:35-05T15:05 soak 17 h 25 min [1 2]\n2 05T15:05-05T15:35 soak 17 h 25 min [3]\n"},
		{"hosts that restart one after another, four of them in the time of an install", func(in *Input) {
			in.Services[0].MinAvailable = 1
			restarts(in, 10*time.Minute, 1)
		}, "1 03T09:00-03T10:00 soak 24 h [0]\n2 11T09:00-11T10:00 soak 48 h [1 2 3]\n"},
		{"and two of them at a time, in a fleet of five lanes", func(in *Input) {
			in.Services[0].MinAvailable = 1
			restarts(in, 20*time.Minute, 2)
			lanes(in, 5)
		}, "1 03T09:00-03T09:50 soak 24 h [0]\n2 11T09:00-11T09:50 soak 48 h [1 2 3]\n"},
		{"turns that take as long as an install: two at a time", func(in *Input) {
			in.Services[0].MinAvailable = 1
			restarts(in, 30*time.Minute, 1)
		}, "1 03T09:00-03T10:00 soak 24 h [0]\n2 11T09:00-11T10:00 soak 48 h [1 2]\n2 11T10:00-11T11:00 soak 48 h [3]\n"},
		{"restarts in one lane", func(in *Input) { restarts(in, 10*time.Minute, 1); lanes(in, 1) },
			"1 03T09:00-03T09:30 soak 24 h [0]\n2 11T09:00-11T09:30 soak 48 h [1]\n2 11T09:30-11T10:00 soak 48 h [2]\n2 11T10:00-11T10:30 soak 48 h [3]\n"},
		{"a window that is too short", func(in *Input) { windows(in, "short") },
			strings.ReplaceAll("0 X\n1 X\n2 X\n3 X\n", "X", `window "short" is never open for long enough before Tue 2027-04-06 09:00 UTC: 1 h of install and rollback must fit, and nothing starts in the last 1 h`)},
		{"windows that never meet", func(in *Input) { windows(in, "tuesdays", "fridays") },
			strings.ReplaceAll("0 X\n1 X\n2 X\n3 X\n", "X", `windows "tuesdays", "fridays" are never open together for long enough before Tue 2027-04-06 09:00 UTC: 1 h of install and rollback must fit, and nothing starts in the last 1 h`)},
		{"a window nobody declared", func(in *Input) { in.Hosts[3].Windows = []string{"sundays"} },
			"1 03T09:00-03T09:30 soak 24 h [0]\n2 11T09:00-11T09:30 soak 48 h [1 2]\n3 window \"sundays\" is not declared, so that it never opens\n"},
		{"frozen for good", func(in *Input) {
			in.Freezes = []ring.Freeze{{Name: "sale", From: in.At, To: in.At.AddDate(2, 0, 0)}}
			in.Hosts[3].Freezes = []int{0}
		}, "1 03T09:00-03T09:30 soak 24 h [0]\n2 11T09:00-11T09:30 soak 48 h [1 2]\n3 frozen by \"sale\" (2028-03-02)\n"},
		{"rollback must fit before the window's end", func(in *Input) {
			windows(in, "tuesdays")
			for i := range in.Hosts {
				in.Hosts[i].Rollback = 210 * time.Minute
			}
			lanes(in, 1)
		}, "1 03T23:00-03T23:30 soak 16 h 45 min [0]\n2 10T23:00-10T23:30 soak 33 h 30 min [1]\n2 17T23:00-17T23:30 soak 33 h 30 min [2]\n2 24T23:00-24T23:30 soak 33 h 30 min [3]\n"},
		{"tried in a sandbox first", func(in *Input) { sandbox(in, "sandbox") },
			"1 02T09:00-02T09:30 soak 24 h [0]\n2 03T09:30-03T10:00 soak 48 h [1 2]\n2 03T10:00-03T10:30 soak 48 h [3]\n"},
		{"a sandbox that need not be waited for", func(in *Input) { sandbox(in, "canary") },
			"1 02T09:00-02T09:30 soak 24 h [0]\n2 02T09:00-02T09:30 soak 48 h [1]\n2 02T09:30-02T10:00 soak 48 h [2 3]\n"},
		{"patches that wait for other rings share no visit", func(in *Input) {
			sandbox(in, "fast")
			addPatch(in, in.At, 30*24*time.Hour)
			in.Patches[1].Test = "sandbox"
		}, "1 02T09:00-02T09:30 soak 24 h [0]\n1 02T10:00-02T10:30 soak 24 h [1]\n2 02T09:00-02T09:30 soak 48 h [2]\n2 02T09:30-02T10:00 soak 48 h [4 6]\n2 03T10:30-03T11:00 soak 48 h [3 5]\n2 03T11:00-03T11:30 soak 48 h [7]\n"},
		{"held", func(in *Input) { in.Changes[3].NotBefore = in.At.Add(12 * 24 * time.Hour) },
			"1 03T09:00-03T09:30 soak 24 h [0]\n2 11T09:00-11T09:30 soak 48 h [1 2]\n2 14T09:00-14T09:30 soak 48 h [3]\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := small(t, 1, 3)
			tt.change(&in)
			if got := lines(Waves(in)); got != tt.want {
				t.Errorf("Waves() =\n%swant\n%s", got, tt.want)
			}
		})
	}
}

// sandbox makes the first ring of hosts one, and lets no ring wait for the clock.
func sandbox(in *Input, test string) {
	in.Rings[1].Sandbox, in.Patches[0].Test = true, test
	for i := range in.Rings {
		in.Rings[i].After = 0
	}
}

func restarts(in *Input, each time.Duration, turns int) {
	for i := range in.Hosts {
		in.Hosts[i].Restart, in.Hosts[i].Turns = each, turns
	}
}

func lanes(in *Input, n int) {
	for i := range in.Hosts {
		in.Hosts[i].Lanes = n
	}
}

func windows(in *Input, names ...string) {
	for i := range in.Hosts {
		in.Hosts[i].Windows = names
	}
}

// addPatch gives every host one more patch, published at a time.
func addPatch(in *Input, start time.Time, clock time.Duration) {
	in.Patches = append(in.Patches, Patch{ID: "deb:zlib@2", Clock: "class", Start: start, Deadline: start.Add(clock)})
	for h := range in.Hosts {
		in.Changes = append(in.Changes, Change{Host: int32(h), Patch: int32(len(in.Patches) - 1)})
	}
	slices.SortStableFunc(in.Changes, func(a, b Change) int { return int(a.Host - b.Host) })
}

func TestPatchesShareVisits(t *testing.T) {
	for _, tt := range []struct {
		name  string
		start string
		clock time.Duration
		want  string
	}{
		{"the same windows", "2026-03-02T20:00", 30 * 24 * time.Hour,
			"1 03T23:00-03T23:30 soak 24 h [0 1]\n2 17T23:00-17T23:30 soak 48 h [2 3]\n"},
		{"another window", "2026-03-08T20:00", 30 * 24 * time.Hour,
			"1 03T23:00-03T23:30 soak 24 h [0]\n1 10T23:00-10T23:30 soak 24 h [1]\n2 17T23:00-17T23:30 soak 48 h [2]\n2 17T23:30-18T00:00 soak 48 h [3]\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := small(t, 1, 1)
			windows(&in, "tuesdays")
			addPatch(&in, date(t, tt.start), tt.clock)
			if got := lines(Waves(in)); got != tt.want {
				t.Errorf("Waves() =\n%swant\n%s", got, tt.want)
			}
		})
	}
}

func TestDependentsFollow(t *testing.T) {
	in := small(t, 0, 6)
	in.Services = []Service{
		{Name: "shop", Total: 2, DependsOn: []string{"broker"}}, {Name: "broker", Total: 9, DependsOn: []string{"db"}}, {Name: "db", Total: 2}, {Name: "other", Total: 2},
	}
	for i, s := range []int{0, 0, 2, 2, 3, 3} {
		in.Hosts[i].Services = []int{s}
	}
	// Nothing serves the broker here: the shop still follows the database.
	want := "2 11T09:00-11T09:30 soak 48 h [2 4]\n2 11T09:30-11T10:00 soak 48 h [3 5]\n2 11T10:00-11T10:30 soak 48 h [0]\n2 11T10:30-11T11:00 soak 48 h [1]\n"
	if got := lines(Waves(in)); got != want {
		t.Errorf("Waves() =\n%swant\n%s", got, want)
	}
}

func TestNothingToDo(t *testing.T) {
	got := Waves(Input{At: date(t, "2026-03-02T09:00"), Patches: []Patch{{ID: "deb:a@1"}}})
	if len(got.Proofs) != 1 || !got.Proofs[0].Feasible || len(got.Unplaced) > 0 {
		t.Errorf("Waves() = %+v, want one patch that meets its clock", got)
	}
}

// A patch without a deadline is placed at the declared pace, and in time.
func TestNoDeadline(t *testing.T) {
	in := small(t, 1, 3)
	in.Patches[0].Deadline, in.Patches[0].Start = time.Time{}, time.Time{}
	got := Waves(in)
	if !got.Proofs[0].Feasible || got.Paces[0].Kept != 1 {
		t.Errorf("proof %+v, pace %+v", got.Proofs[0], got.Paces[0])
	}
}

func TestOverdue(t *testing.T) {
	in := small(t, 1, 3)
	in.Patches[0].Start = in.At.Add(-40 * 24 * time.Hour)
	in.Patches[0].Deadline = in.At.Add(-10 * 24 * time.Hour)
	got := Waves(in).Proofs[0]
	if kinds(got.Conflict) != "clock class" || !strings.HasSuffix(got.Conflict[0].Message, "; that passed 10 d before this plan") {
		t.Errorf("conflict = %v, want the clock alone", got.Conflict)
	}
}

func TestLength(t *testing.T) {
	for s, want := range map[int64]string{0: "no time", 59: "59 s", 1800: "30 min", 5400: "1 h 30 min", 72 * 3600: "72 h", 85 * 3600: "85 h", 10*day + 3600: "10 d 1 h", 10*day + 60: "10 d"} {
		if got := length(s); got != want {
			t.Errorf("length(%d) = %q, want %q", s, got, want)
		}
	}
}

package ring

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const wallLayout = "2006-01-02T15:04:05"

func wallOf(t *testing.T, s string) int64 {
	t.Helper()
	at, err := time.Parse(wallLayout, s)
	if err != nil {
		t.Fatal(err)
	}
	return at.Unix()
}

func wallText(w int64) string { return time.Unix(w, 0).UTC().Format(wallLayout) }

// mustRule reads a rule that has a DTSTART.
func mustRule(t testing.TB, recur string, start int64) *rule {
	t.Helper()
	r, problems := parseRule(recur, start, false)
	if len(problems) > 0 {
		t.Fatalf("parseRule(%q) problems %q", recur, problems)
	}
	r.bound()
	return r
}

// first returns up to n wall times from one on, by asking for the next each time.
func (r *rule) firstFrom(from int64, n int) []string {
	var list []string
	for len(list) < n {
		w, ok := r.next(from)
		if !ok {
			break
		}
		list = append(list, wallText(w))
		from = w + 1
	}
	return list
}

// dateutilCase is one line of testdata/recurrences.jsonl.
type dateutilCase struct {
	Rule, Start  string
	First, Later []string
}

func dateutilCases(t *testing.T) []dateutilCase {
	t.Helper()
	data, err := os.ReadFile("testdata/recurrences.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var list []dateutilCase
	for d := json.NewDecoder(bytes.NewReader(data)); d.More(); {
		var c dateutilCase
		if err := d.Decode(&c); err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
	}
	if len(list) != 300 {
		t.Fatalf("%d rules, want 300", len(list))
	}
	return list
}

// TestRulesAsDateutil compares with what python-dateutil makes of 300 random
// rules: testdata/recurrences.py wrote them down.
func TestRulesAsDateutil(t *testing.T) {
	for _, c := range dateutilCases(t) {
		start := wallOf(t, c.Start)
		r := mustRule(t, c.Rule, start)
		before2120 := func(list []string) []string {
			for i, s := range list {
				if s >= "2120" {
					return list[:i]
				}
			}
			return list
		}
		if got := before2120(r.firstFrom(start, 8)); !cmp.Equal(got, c.First) {
			t.Errorf("%s from %s:\n%s", c.Rule, c.Start, cmp.Diff(c.First, got))
		}
		later := before2120(r.firstFrom(wallOf(t, "2026-03-02T00:00:00"), 4))
		if strings.Join(later, " ") != strings.Join(c.Later, " ") {
			t.Errorf("%s from %s, later:\n%s", c.Rule, c.Start, cmp.Diff(c.Later, later))
		}
		var between []string
		if n := len(c.First); n > 2 {
			for _, w := range r.between(nil, wallOf(t, c.First[1]), wallOf(t, c.First[n-2])) {
				between = append(between, wallText(w))
			}
			if want := c.First[1 : n-1]; !cmp.Equal(between, want) {
				t.Errorf("%s from %s, between:\n%s", c.Rule, c.Start, cmp.Diff(want, between))
			}
		}
	}
}

// TestRulesOfRFC5545 takes its rows from RFC 5545 section 3.8.5.3.
func TestRulesOfRFC5545(t *testing.T) {
	const start = "1997-09-02T09:00:00" // a Tuesday
	tests := []struct {
		name, rule, start, want string
	}{
		{"daily for 10 occurrences", "FREQ=DAILY;COUNT=3", start, "0902 0903 0904"},
		{"every other day", "FREQ=DAILY;INTERVAL=2", start, "0902 0904 0906 0908"},
		{"every 10 days, 5 occurrences", "FREQ=DAILY;INTERVAL=10;COUNT=5", start, "0902 0912 0922 1002 1012"},
		{"until, as an instant", "FREQ=DAILY;UNTIL=19970904T000000", start, "0902 0903"},
		{"every other week, Sunday first", "FREQ=WEEKLY;INTERVAL=2;WKST=SU", start, "0902 0916 0930 1014"},
		{"Tuesday and Thursday", "FREQ=WEEKLY;COUNT=5;WKST=SU;BYDAY=TU,TH", start, "0902 0904 0909 0911 0916"},
		{"first Friday", "FREQ=MONTHLY;COUNT=3;BYDAY=1FR", "1997-09-05T09:00:00", "0905 1003 1107"},
		{"first and last Sunday of every other month", "FREQ=MONTHLY;INTERVAL=2;COUNT=4;BYDAY=1SU,-1SU", "1997-09-07T09:00:00", "0907 0928 1102 1130"},
		{"second-to-last Monday", "FREQ=MONTHLY;COUNT=3;BYDAY=-2MO", "1997-09-22T09:00:00", "0922 1020 1117"},
		{"third-to-the-last day", "FREQ=MONTHLY;BYMONTHDAY=-3", "1997-09-28T09:00:00", "0928 1029 1128 1229"},
		{"first and last day", "FREQ=MONTHLY;COUNT=4;BYMONTHDAY=1,-1", "1997-09-30T09:00:00", "0930 1001 1031 1101"},
		{"Friday the 13th", "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", start, "0213 0313 1113"},
		{"third of Tuesday, Wednesday, Thursday", "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "1997-09-04T09:00:00", "0904 1007 1106"},
		{"second-to-last weekday", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2", "1997-09-29T09:00:00", "0929 1030 1127 1230"},
		{"first Saturday after the first Sunday", "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13", "1997-09-13T09:00:00", "0913 1011 1108 1213"},
		{"20th Monday of the year", "FREQ=YEARLY;BYDAY=20MO", "1997-05-19T09:00:00", "0519 0518 0517"},
		{"Monday of week 20", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "1997-05-12T09:00:00", "0512 0511 0517"},
		{"week 20, the weekday from DTSTART", "FREQ=YEARLY;BYWEEKNO=20", "1997-05-12T09:00:00", "0512 0511 0517"},
		{"every third year, days 1, 100, 200", "FREQ=YEARLY;INTERVAL=3;COUNT=6;BYYEARDAY=1,100,200", "1997-01-01T09:00:00", "0101 0410 0719 0101 0409 0718"},
		{"every Thursday in March", "FREQ=YEARLY;BYMONTH=3;BYDAY=TH", "1997-03-13T09:00:00", "0313 0320 0327 0305"},
		{"United States election day", "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8", "1996-11-05T09:00:00", "1105 1107 1102"},
		{"invalid dates are passed over", "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5", "2007-01-15T09:00:00", "0115 0130 0215 0315 0330"},
		{"leap days", "FREQ=YEARLY", "2024-02-29T09:00:00", "0229 0229 0229"},
		{"week start matters", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "1997-08-05T09:00:00", "0805 0810 0819 0824"},
		{"week start matters, Sunday", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "1997-08-05T09:00:00", "0805 0817 0819 0831"},
		{"third day of a week that began before DTSTART", "FREQ=WEEKLY;BYDAY=WE,TU,SU;BYSETPOS=3", "2016-05-15T12:00:00", "0515 0522 0529"},
		{"last week of the year", "FREQ=YEARLY;BYWEEKNO=-1;BYDAY=MO", "2020-01-01T09:00:00", "1228 1227 1226 1225"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			begin := wallOf(t, tt.start)
			want := strings.Fields(tt.want)
			list := mustRule(t, tt.rule, begin).firstFrom(begin, len(want)+boolInt(strings.Contains(tt.rule, "COUNT=")))
			var got []string
			for _, s := range list {
				got = append(got, s[5:7]+s[8:10])
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.rule, diff)
			}
		})
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestDates(t *testing.T) {
	for n := dayNumber(1890, 1, 1); n < dayNumber(2420, 1, 1); n++ {
		at := time.Unix(int64(n)*secondsPerDay, 0).UTC()
		d := dateOf(n)
		year, week := at.ISOWeek()
		number, fromEnd := weekNumber(n, time.Monday)
		_, weeks := time.Date(year, 12, 28, 0, 0, 0, 0, time.UTC).ISOWeek()
		if d.year != at.Year() || d.month != int(at.Month()) || d.day != at.Day() || d.yearDay != at.YearDay() || d.weekday != at.Weekday() ||
			number != week || fromEnd != week-weeks-1 || dayNumber(d.year, d.month, d.day) != n {
			t.Fatalf("dateOf(%d) = %+v, week %d (%d), want %v, week %d of %d", n, d, number, fromEnd, at, week, weeks)
		}
	}
}

func FuzzRule(f *testing.F) {
	for _, s := range []string{"FREQ=WEEKLY;BYDAY=TU;BYHOUR=23;BYMINUTE=0", "FREQ=MONTHLY;BYDAY=-1FR;BYSETPOS=-1", "FREQ=YEARLY;BYWEEKNO=53,-1;BYDAY=SU;WKST=SU",
		"FREQ=DAILY;COUNT=3;INTERVAL=9", "FREQ=YEARLY;BYYEARDAY=-366", "RRULE:FREQ=DAILY", ";;=", "FREQ=DAILY;UNTIL=20260101"} {
		f.Add(s, int64(1_772_442_000))
	}
	f.Fuzz(func(t *testing.T, recur string, start int64) {
		if start < -2_000_000_000 || start > 10_000_000_000 {
			return
		}
		r, problems := parseRule(recur, start, false)
		if (r == nil) == (len(problems) == 0) {
			t.Fatalf("parseRule(%q) = %v, problems %q", recur, r, problems)
		}
		if r == nil {
			return
		}
		r.bound()
		last := start - 1
		for range 5 {
			w, ok := r.next(last + 1)
			if !ok {
				return
			}
			if w <= last {
				t.Fatalf("%s: %s comes after %s", recur, wallText(w), wallText(last))
			}
			if got := r.between(nil, last+1, w); len(got) != 1 || got[0] != w {
				t.Fatalf("%s: between %d and the next %d are %v", recur, last+1, w, got)
			}
			last = w
		}
	})
}

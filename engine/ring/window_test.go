package ring

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func at(t testing.TB, s string) time.Time {
	t.Helper()
	x, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return x.UTC()
}

func texts(list []Interval) []string {
	var out []string
	for _, i := range list {
		out = append(out, i.Start.Format(time.RFC3339)+" "+i.End.Format(time.RFC3339))
	}
	return out
}

// TestWindowBetween has a row for each way in which a zone's clock jumps.
func TestWindowBetween(t *testing.T) {
	tests := []struct {
		name     string
		w        Window
		from, to string
		want     []string
	}{
		{"exchange: Tuesday night, UTC",
			Window{Recur: "FREQ=WEEKLY;BYDAY=TU;BYHOUR=23;BYMINUTE=0", Duration: 4 * time.Hour},
			"2026-02-28T22:00:00Z", "2026-03-12T00:00:00Z",
			[]string{"2026-03-03T23:00:00Z 2026-03-04T03:00:00Z", "2026-03-10T23:00:00Z 2026-03-11T03:00:00Z"}},
		{"overlapping the start and the end, unclipped",
			Window{Recur: "FREQ=DAILY;BYHOUR=22", Duration: 4 * time.Hour},
			"2026-03-03T01:00:00Z", "2026-03-03T22:00:01Z",
			[]string{"2026-03-02T22:00:00Z 2026-03-03T02:00:00Z", "2026-03-03T22:00:00Z 2026-03-04T02:00:00Z"}},
		{"an occurrence that ends at from or starts at to is not in it",
			Window{Recur: "FREQ=DAILY;BYHOUR=22", Duration: 4 * time.Hour},
			"2026-03-03T02:00:00Z", "2026-03-03T22:00:00Z", nil},
		{"New York, 02:30 in the gap: as if with EST",
			Window{Recur: "FREQ=DAILY;BYHOUR=2;BYMINUTE=30", Duration: time.Hour, Timezone: "America/New_York"},
			"2026-03-07T00:00:00Z", "2026-03-10T00:00:00Z",
			[]string{"2026-03-07T07:30:00Z 2026-03-07T08:30:00Z", "2026-03-08T07:30:00Z 2026-03-08T08:30:00Z", "2026-03-09T06:30:00Z 2026-03-09T07:30:00Z"}},
		{"New York, 01:30 twice: the first",
			Window{Recur: "FREQ=DAILY;BYHOUR=1;BYMINUTE=30", Duration: time.Hour, Timezone: "America/New_York"},
			"2026-10-31T12:00:00Z", "2026-11-03T00:00:00Z",
			[]string{"2026-11-01T05:30:00Z 2026-11-01T06:30:00Z", "2026-11-02T06:30:00Z 2026-11-02T07:30:00Z"}},
		{"duration is elapsed: 4 h over the end of summer time",
			Window{Recur: "FREQ=WEEKLY;BYDAY=SA;BYHOUR=23", Duration: 4 * time.Hour, Timezone: "Europe/Berlin"},
			"2026-10-24T00:00:00Z", "2026-10-26T00:00:00Z",
			[]string{"2026-10-24T21:00:00Z 2026-10-25T01:00:00Z"}},
		{"Lord Howe, half an hour of summer time: 02:15 in the gap",
			Window{Recur: "FREQ=DAILY;BYHOUR=2;BYMINUTE=15", Duration: time.Hour, Timezone: "Australia/Lord_Howe"},
			"2026-10-03T00:00:00Z", "2026-10-05T00:00:00Z",
			[]string{"2026-10-03T15:45:00Z 2026-10-03T16:45:00Z", "2026-10-04T15:15:00Z 2026-10-04T16:15:00Z"}},
		{"Lord Howe, 01:45 twice: the first",
			Window{Recur: "FREQ=DAILY;BYHOUR=1;BYMINUTE=45", Duration: time.Hour, Timezone: "Australia/Lord_Howe"},
			"2026-04-04T00:00:00Z", "2026-04-05T12:00:00Z",
			[]string{"2026-04-04T14:45:00Z 2026-04-04T15:45:00Z"}},
		{"Apia, the day that was skipped falls on the next",
			Window{Recur: "FREQ=DAILY;BYHOUR=10", Duration: time.Hour, Timezone: "Pacific/Apia"},
			"2011-12-29T00:00:00Z", "2012-01-01T00:00:00Z",
			[]string{"2011-12-29T20:00:00Z 2011-12-29T21:00:00Z", "2011-12-30T20:00:00Z 2011-12-30T21:00:00Z", "2011-12-31T20:00:00Z 2011-12-31T21:00:00Z"}},
		{"Sao Paulo, no midnight when summer time began",
			Window{Recur: "FREQ=DAILY", Duration: time.Hour, Timezone: "America/Sao_Paulo"},
			"2018-11-03T12:00:00Z", "2018-11-05T12:00:00Z",
			[]string{"2018-11-04T03:00:00Z 2018-11-04T04:00:00Z", "2018-11-05T02:00:00Z 2018-11-05T03:00:00Z"}},
		{"Casablanca, summer time pauses for Ramadan",
			Window{Recur: "FREQ=DAILY;BYHOUR=2;BYMINUTE=30", Duration: time.Hour, Timezone: "Africa/Casablanca"},
			"2026-02-14T00:00:00Z", "2026-02-16T12:00:00Z",
			[]string{"2026-02-14T01:30:00Z 2026-02-14T02:30:00Z", "2026-02-15T01:30:00Z 2026-02-15T02:30:00Z", "2026-02-16T02:30:00Z 2026-02-16T03:30:00Z"}},
		{"two wall times that are one instant are one occurrence",
			Window{Recur: "FREQ=DAILY;BYHOUR=2,3;BYMINUTE=0", Duration: 30 * time.Minute, Timezone: "Europe/Berlin"},
			"2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z",
			[]string{"2026-03-29T01:00:00Z 2026-03-29T01:30:00Z"}},
		{"overlapping ones are joined",
			Window{Recur: "FREQ=WEEKLY;BYDAY=FR,SA;BYHOUR=22", Duration: 26 * time.Hour},
			"2026-03-07T23:00:00Z", "2026-03-08T00:00:00Z",
			[]string{"2026-03-06T22:00:00Z 2026-03-09T00:00:00Z"}},
		{"touching ones stay apart",
			Window{Recur: "FREQ=DAILY", Duration: 24 * time.Hour},
			"2026-03-07T23:00:00Z", "2026-03-08T01:00:00Z",
			[]string{"2026-03-07T00:00:00Z 2026-03-08T00:00:00Z", "2026-03-08T00:00:00Z 2026-03-09T00:00:00Z"}},
		{"every second week from its start",
			Window{Recur: "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", Start: "2026-01-06T23:00:00", Duration: time.Hour},
			"2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z",
			[]string{"2026-03-03T23:00:00Z 2026-03-04T00:00:00Z", "2026-03-17T23:00:00Z 2026-03-18T00:00:00Z", "2026-03-31T23:00:00Z 2026-04-01T00:00:00Z"}},
		{"patch Tuesday's Saturday",
			Window{Recur: "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=12,13,14,15,16,17,18;BYHOUR=20", Duration: 6 * time.Hour},
			"2026-03-01T00:00:00Z", "2026-05-01T00:00:00Z",
			[]string{"2026-03-14T20:00:00Z 2026-03-15T02:00:00Z", "2026-04-18T20:00:00Z 2026-04-19T02:00:00Z"}},
		{"UNTIL is an instant",
			Window{Recur: "FREQ=DAILY;BYHOUR=1;UNTIL=20260302T000000Z", Duration: time.Hour, Timezone: "Europe/Berlin"},
			"2026-02-28T12:00:00Z", "2026-03-09T00:00:00Z",
			[]string{"2026-03-01T00:00:00Z 2026-03-01T01:00:00Z", "2026-03-02T00:00:00Z 2026-03-02T01:00:00Z"}},
		{"UNTIL as a date holds to the end of that day",
			Window{Recur: "FREQ=DAILY;BYHOUR=23;UNTIL=20260301", Duration: time.Hour},
			"2026-03-01T00:00:00Z", "2026-03-09T00:00:00Z",
			[]string{"2026-03-01T23:00:00Z 2026-03-02T00:00:00Z"}},
		{"COUNT",
			Window{Recur: "FREQ=DAILY;COUNT=2", Start: "2026-03-02T04:00:00", Duration: time.Hour},
			"2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z",
			[]string{"2026-03-02T04:00:00Z 2026-03-02T05:00:00Z", "2026-03-03T04:00:00Z 2026-03-03T05:00:00Z"}},
		{"nothing between a time and itself", Window{Recur: "FREQ=DAILY", Duration: time.Hour}, "2026-03-02T00:30:00Z", "2026-03-02T00:30:00Z", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if p := tt.w.Check(); len(p) > 0 {
				t.Fatalf("Check() = %v, want nothing", p)
			}
			got := texts(tt.w.Between(at(t, tt.from), at(t, tt.to)))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Between() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWindowCheck(t *testing.T) {
	day := 4 * time.Hour
	tests := []struct {
		name string
		w    Window
		want []string
	}{
		{"sound", Window{Recur: "FREQ=WEEKLY;BYDAY=TU;BYHOUR=23;BYMINUTE=0", Duration: day, Timezone: "Europe/Berlin"}, nil},
		{"lower case", Window{Recur: "freq=weekly;byday=tu", Duration: day}, nil},
		{"always", Window{Recur: "FREQ=DAILY", Duration: 24 * time.Hour, Timezone: "Europe/Berlin"}, nil},
		{"every day of a month overlaps the next", Window{Recur: "FREQ=YEARLY;BYMONTH=1;BYDAY=MO,TU,WE,TH,FR,SA,SU", Duration: 30 * time.Hour}, nil},
		{"leap days", Window{Recur: "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", Duration: day}, nil},
		{"nothing", Window{}, []string{
			`recur: is empty; expected a rule such as "FREQ=WEEKLY;BYDAY=TU;BYHOUR=23;BYMINUTE=0"`,
			`duration: must be longer than nothing`}},
		{"finer than a day", Window{Recur: "FREQ=HOURLY", Duration: day}, []string{
			`recur: FREQ=HOURLY is finer than a day; write FREQ=DAILY with the hours, as in BYHOUR=1,13`}},
		{"every fault at once", Window{Recur: "FREQ=WEEKY;BYDAYS=TU;BYHOUR=24,-1;INTERVAL=0;BYDAY=DI;BYHOUR=2;WKST=X", Start: "2026-01-06T23:00:00Z", Timezone: "Europe/Berln"}, []string{
			`start: "2026-01-06T23:00:00Z" is not a local time; expected one such as "2026-01-06T23:00:00", without a zone`,
			`recur: unknown part "BYDAYS"; expected one of ` + strings.Join(partNames, ", "),
			`recur: BYHOUR is set twice`,
			`recur: FREQ=WEEKY is not a frequency; expected one of DAILY, WEEKLY, MONTHLY, YEARLY`,
			`recur: INTERVAL=0; expected a whole number from 1 to 10000`,
			`recur: BYDAY: "DI"; expected MO, TU, WE, TH, FR, SA or SU, in months and years also with a number, as in 2TU or -1FR`,
			`recur: WKST=X; expected one of MO, TU, WE, TH, FR, SA, SU`,
			`recur: BYHOUR: "24"; expected numbers from 0 to 23`,
			`recur: BYHOUR: "-1"; expected numbers from 0 to 23`,
			`timezone: "Europe/Berln" is not a time zone; expected an IANA name such as "Europe/Berlin" or "UTC"`,
			`duration: must be longer than nothing`}},
		{"parts that do not go together", Window{Recur: "FREQ=WEEKLY;COUNT=3;UNTIL=20260101;BYWEEKNO=3;BYYEARDAY=1;BYMONTHDAY=3;BYDAY=2TU", Duration: day}, []string{
			`recur: COUNT and UNTIL do not go together; leave one out`,
			`recur: BYWEEKNO does not go with FREQ=WEEKLY`,
			`recur: BYYEARDAY does not go with FREQ=WEEKLY`,
			`recur: BYMONTHDAY does not go with FREQ=WEEKLY`,
			`recur: BYDAY with a number does not go with FREQ=WEEKLY; only months and years have a second or a last weekday`}},
		{"a day that nobody named", Window{Recur: "FREQ=WEEKLY;BYHOUR=23", Duration: day}, []string{
			`recur: nothing says on which day of the week; add BYDAY, as in BYDAY=TU, or "start"`}},
		{"a count from nowhere", Window{Recur: "FREQ=DAILY;COUNT=9", Duration: day}, []string{
			`recur: COUNT counts from "start", which is missing`}},
		{"never", Window{Recur: "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", Duration: day}, []string{
			`recur: never occurs; no day of any year is as it asks`}},
		{"over before it began", Window{Recur: "FREQ=DAILY;UNTIL=20200101", Start: "2026-01-06T23:00:00", Duration: day}, []string{
			`recur: ends with UNTIL before it first occurs`}},
		{"never closes", Window{Recur: "FREQ=DAILY", Duration: 25 * time.Hour}, []string{
			`duration: is longer than the time from one occurrence to the next, so that the window never closes`}},
		{"fifth of nothing", Window{Recur: "FREQ=MONTHLY;BYDAY=6TU", Duration: day}, []string{
			`recur: BYDAY: a month has no weekday number 6; expected 1 to 5, or -1 to -5 counted from the end`}},
		{"positions of nothing", Window{Recur: "FREQ=DAILY;BYSETPOS=1", Duration: day}, []string{
			`recur: BYSETPOS picks from what another part lists; add BYDAY or BYMONTHDAY`}},
		{"with its property name", Window{Recur: "RRULE:FREQ=DAILY", Duration: day}, []string{
			`recur: leave out "RRULE:"; the rule begins with FREQ=`}},
		{"Local is no zone", Window{Recur: "FREQ=DAILY", Duration: day, Timezone: "Local"}, []string{
			`timezone: "Local" is not a time zone; expected an IANA name such as "Europe/Berlin" or "UTC"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, p := range tt.w.Check() {
				got = append(got, p.Attribute+": "+p.Message)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Check() (-want +got):\n%s", diff)
			}
			if list := tt.w.Between(at(t, "2026-01-01T00:00:00Z"), at(t, "2026-01-02T00:00:00Z")); len(got) > 0 && list != nil {
				t.Errorf("Between() = %v of a window that Check refuses", list)
			}
		})
	}
}

func TestWindowNext(t *testing.T) {
	tests := []struct {
		name, recur, start, zone, at, want string
	}{
		{"open now", "FREQ=DAILY;BYHOUR=22", "", "", "2026-03-03T01:59:59Z", "2026-03-02T22:00:00Z"},
		{"its end is over", "FREQ=DAILY;BYHOUR=22", "", "", "2026-03-03T02:00:00Z", "2026-03-03T22:00:00Z"},
		{"years away", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "", "Asia/Tokyo", "2096-03-01T00:00:00Z", "2104-02-28T15:00:00Z"},
		{"before its start", "FREQ=DAILY", "2030-01-01T05:00:00", "", "2026-03-01T00:00:00Z", "2030-01-01T05:00:00Z"},
		{"over", "FREQ=DAILY;UNTIL=20260101", "", "", "2026-03-01T00:00:00Z", ""},
		{"counted out", "FREQ=WEEKLY;COUNT=2", "2026-01-06T05:00:00", "", "2026-01-13T09:00:00Z", ""},
		{"a skipped day", "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=30;BYHOUR=12", "", "Pacific/Apia", "2011-12-01T00:00:00Z", "2011-12-30T22:00:00Z"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := Window{Recur: tt.recur, Start: tt.start, Timezone: tt.zone, Duration: 4 * time.Hour}
			got, ok := w.Next(at(t, tt.at))
			if ok != (tt.want != "") || ok && got.Start.Format(time.RFC3339) != tt.want {
				t.Errorf("Next() = %v, %v, want %q", got, ok, tt.want)
			}
		})
	}
}

func BenchmarkWindowNext(b *testing.B) {
	for _, bb := range []struct {
		name string
		w    Window
	}{
		{"weekly", Window{Recur: "FREQ=WEEKLY;BYDAY=TU;BYHOUR=23;BYMINUTE=0", Duration: 4 * time.Hour, Timezone: "Europe/Berlin"}},
		{"monthly", Window{Recur: "FREQ=MONTHLY;BYDAY=2TU;BYHOUR=23;BYMINUTE=0", Duration: 4 * time.Hour, Timezone: "America/New_York"}},
		{"yearly", Window{Recur: "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", Duration: 4 * time.Hour, Timezone: "America/New_York"}},
		{"count", Window{Recur: "FREQ=DAILY;COUNT=10000", Start: "2020-01-01T02:00:00", Duration: 4 * time.Hour, Timezone: "Europe/Berlin"}},
	} {
		now := at(b, "2026-03-02T09:00:00Z")
		b.Run(bb.name, func(b *testing.B) {
			for b.Loop() {
				if _, ok := bb.w.Next(now); !ok {
					b.Fatal("no next occurrence")
				}
			}
		})
		b.Run(bb.name+"/calendar", func(b *testing.B) {
			c, _ := bb.w.Calendar()
			for b.Loop() {
				if _, ok := c.Next(now); !ok {
					b.Fatal("no next occurrence")
				}
			}
		})
	}
}

func BenchmarkWindowBetween(b *testing.B) {
	w := Window{Recur: "FREQ=WEEKLY;BYDAY=TU;BYHOUR=23;BYMINUTE=0", Duration: 4 * time.Hour, Timezone: "Europe/Berlin"}
	now := at(b, "2026-03-02T09:00:00Z")
	for b.Loop() {
		if len(w.Between(now, now.Add(90*24*time.Hour))) != 13 {
			b.Fatal("not 13 Tuesdays")
		}
	}
}

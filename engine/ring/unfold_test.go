package ring

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestUnfold: a freeze that comes again is one for each time, by the clocks of its
// zone; one that comes once stays as it is.
func TestUnfold(t *testing.T) {
	date := func(m time.Month, d, h int) time.Time { return time.Date(2026, m, d, h, 0, 0, 0, time.UTC) }
	once := Freeze{Name: "board", From: date(3, 5, 0), To: date(3, 7, 0), Services: []string{"*"}}
	monthly := Freeze{Name: "month-end", Services: []string{"shop"}, Reason: "closing the books", Every: &Window{
		Recur: "FREQ=MONTHLY;BYMONTHDAY=-1;BYHOUR=0;BYMINUTE=0", Duration: 24 * time.Hour, Timezone: "Europe/Berlin"}}
	at := func(from, to time.Time) Freeze {
		return Freeze{Name: "month-end", From: from, To: to, Services: []string{"shop"}, Reason: "closing the books"}
	}
	got := Unfold([]Freeze{once, monthly}, date(2, 28, 12), date(5, 1, 0))
	want := []Freeze{once, at(date(2, 27, 23), date(2, 28, 23)), at(date(3, 30, 22), date(3, 31, 22)), at(date(4, 29, 22), date(4, 30, 22))}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := Unfold([]Freeze{once}, date(8, 1, 0), date(9, 1, 0)); len(got) != 1 {
		t.Errorf("Unfold() of one that comes once = %v", got)
	}
}

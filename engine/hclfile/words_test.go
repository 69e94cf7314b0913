package hclfile

import (
	"strings"
	"testing"
)

func TestExpected(t *testing.T) {
	many := strings.Split("alpha bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike", " ")
	tests := []struct {
		got   string
		words []string
		want  string
	}{
		{"x", nil, `none is declared`},
		{"pilto", []string{"pilot"}, `expected "pilot"`},
		{"pilto", []string{"canary", "pilot"}, `did you mean "pilot"? expected one of "canary", "pilot"`},
		{"zzz", []string{"canary", "pilot"}, `expected one of "canary", "pilot"`},
		{"", []string{"canary", "pilot"}, `expected one of "canary", "pilot"`},
		{"kiol", many, `did you mean "kilo"? expected one of "kilo", "golf", "lima", "mike", "echo" and 8 more`},
	}
	for _, tt := range tests {
		if got := Expected(tt.got, tt.words); got != tt.want {
			t.Errorf("Expected(%q) = %s, want %s", tt.got, got, tt.want)
		}
	}
}

func TestNearest(t *testing.T) {
	words := []string{"timezone", "clock", "review", "open_plans", "owners"}
	for got, want := range map[string]string{"time_zone": "timezone", "clokc": "clock", "REVIEW": "review", "openplans": "open_plans", "own": "", "": "", "x": "", "owner": "owners",
		strings.Repeat("clock", 1000): ""} {
		if near := Nearest(got, words); near != want {
			t.Errorf("Nearest(%.20q) = %q, want %q", got, near, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "", 3}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"kitten", "sitting", 3}, {"ca", "abc", 3}} {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
		if got, back := distance(tt.a, tt.b), distance(tt.b, tt.a); got != back {
			t.Errorf("distance(%q, %q) = %d, and %d the other way round", tt.a, tt.b, got, back)
		}
	}
}

package report

import "testing"

func TestBecause(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"", ""},
		{"a plan of this class", "a plan of this class"},
		{"shop: no history; orders: no history; shop: a reboot", "no history (shop, orders); a reboot (shop)"},
		{"a: r; b: r; c: r; d: r; e: r; f: r", "r (a, b, c, d, 2 more)"},
	} {
		if got := Because(tc.in); got != tc.want {
			t.Errorf("Because(%q) = %q, want %q", tc.in, got, tc.want)
		}
	}
}

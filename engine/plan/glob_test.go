package plan

import "testing"

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern string
		id      PatchID
		want    bool
	}{
		{"deb:openssl@*", "deb:openssl@3.0.15-1~deb12u1", true},
		{"deb:openssl@*", "deb:openssl-dev@3.0.15", false},
		{"*", "generic:golang.org/x/net@0.1.0", true},
		{"generic:golang.org/*", "generic:golang.org/x/net@0.1.0", true},
		{"generic:golang.org/x/ne?@*", "generic:golang.org/x/net@0.1.0", true},
		{"deb:[", "deb:[", false},
		{"", "deb:a@1", false},
	} {
		if got := c.id.Matches(c.pattern); got != c.want {
			t.Errorf("%q.Matches(%q) = %v, want %v", c.id, c.pattern, got, c.want)
		}
	}
}

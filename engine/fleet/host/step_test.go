package host

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
)

// What a host keeps of a step.
func TestRequest(t *testing.T) {
	w := Work{Step: fleet.Step{Key: "k", Reboot: "if-needed"}, Op: "rollback", Moves: []Move{{"a", "2", "1"}},
		Weighed: Weighed{Undoes: "apply-1", Along: []Move{{"lib", "2", "1"}, {"new", "1", "-"}}}}
	for _, tc := range []struct {
		name   string
		policy Policy
		want   string
	}{
		{"a rollback", Policy{}, `op rollback|key k|reboot if-needed|conffiles keep|undoes apply-1|move a 2 1|with lib 2 1|with new 1 -`},
		{"by a policy", Policy{NoRestart: true, NewConffiles: true, Running: map[string]Running{"lib": {[]string{"x", "it's"}, []string{"y"}}, "other": {Command: []string{"z"}}}},
			`op rollback|key k|reboot never|conffiles new|undoes apply-1|move a 2 1|with lib 2 1|with new 1 -|running lib 'x' 'it'\''s'|again lib 'y'`},
	} {
		got := strings.NewReplacer("\n", "|", "\t", " ").Replace(tc.policy.request(w))
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: request() (-want +got):\n%s", tc.name, diff)
		}
	}
}

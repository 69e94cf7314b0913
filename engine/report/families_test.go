package report

import (
	"strings"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

func TestBegins(t *testing.T) {
	lab, canary := &plan.Ring{Name: "lab", Sandbox: true}, &plan.Ring{Name: "canary"}
	for _, tt := range []struct {
		test string
		r    *plan.Ring
		want string
	}{
		{"canary", lab, "lab"},
		{"fast", canary, "canary"},
		{"sandbox", lab, "lab, tried there before"},
		{"sandbox", canary, "canary: it is to be tried in a sandbox first, and no ring"},
	} {
		if got := begins(plan.Patch{Test: tt.test}, tt.r); !strings.HasPrefix(got, tt.want) || tt.test != "sandbox" && got != tt.want {
			t.Errorf("begins(%s, %s) = %q, want %q", tt.test, tt.r.Name, got, tt.want)
		}
	}
}

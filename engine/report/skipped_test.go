package report

import (
	"strings"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Where nobody can tell which packages a host should have, no name stands for them.
func TestSkippedWithoutPackage(t *testing.T) {
	p := &plan.Plan{NotPlanned: []plan.Skipped{
		{Patch: "deb:curl", Host: "web-1", Why: "a window"},
		{Host: "web-2", Why: "undecided: advisories speak of source packages"},
	}}
	text := skipped(waits(p), len(p.NotPlanned), whole)
	if want := "| undecided: advisories speak of source packages | any package | `web-2` |"; !strings.Contains(text, want) || !strings.Contains(text, "| a window | `deb:curl` | `web-1` |") {
		t.Errorf("skipped() = %s\nwant %s", text, want)
	}
	if all := WaitingOf([]*plan.Plan{p}, "nothing"); len(all) != 2 || len(all[0].Patches) != 1 || all[1].Patches == nil || len(all[1].Patches) != 0 {
		t.Errorf("WaitingOf() = %+v, want a package only where one is known", all)
	}
}

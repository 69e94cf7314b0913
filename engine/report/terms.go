package report

import (
	"fmt"
	"slices"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// terms draws what made the risk of the plan's riskiest patch differ from the
// base rate, one bar for each reason; nil where nothing did.
func terms(s *sheet) []byte {
	i := slices.IndexFunc(s.Patches, func(x plan.Patch) bool { return x.ID == s.worst.Patch })
	if i < 0 {
		return nil
	}
	x := s.Patches[i]
	var list []plan.Reason
	most, base := 0.0, ""
	for _, r := range x.Reasons {
		switch {
		case r.Term == "base rate":
			base = r.Value + "; "
		case r.Effect != 0:
			list, most = append(list, r), max(most, r.Effect, -r.Effect)
		}
	}
	if len(list) == 0 {
		return nil
	}
	list = list[:min(len(list), 20)]
	const wide, middle, half, row = 800, 560, 180, 22
	p := draw(wide, 46+len(list)*row, "What made the risk of "+string(x.ID))
	p.text(10, 20, "start", "name", fmt.Sprintf("%s: %s", x.ID, risk(x.DeployRisk)), 60)
	p.text(middle, 20, "middle", "dim", base+"log-odds", 60)
	p.line(middle, 30, middle, 38+len(list)*row, "axis")
	for i, r := range list {
		y := 34 + i*row
		p.text(10, y+14, "start", "name", r.Term+": "+r.Value, 52)
		n := int(max(r.Effect, -r.Effect) / most * half)
		if r.Effect > 0 {
			p.box(middle, y+2, n, 15, "up", "")
			p.text(middle-6, y+14, "end", "dim", fmt.Sprintf("%+.2f", r.Effect), 8)
			continue
		}
		p.box(middle-n, y+2, n, 15, "down", "")
		p.text(middle+6, y+14, "start", "dim", fmt.Sprintf("%+.2f", r.Effect), 8)
	}
	return p.bytes()
}

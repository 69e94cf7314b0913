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
	const middle, half, top, row = pictureWide / 2, 180, 48, 38
	p := draw(pictureWide, top+8+len(list)*row, "What made the risk of "+string(x.ID))
	p.text(10, 20, "start", "name", fmt.Sprintf("%s: %s", clip(string(x.ID), 50), risk(x.DeployRisk)), 80)
	p.text(10, 38, "start", "dim", base+"each bar is what moved it, in log-odds", 80)
	for i, r := range list {
		y := top + i*row
		p.text(10, y+13, "start", "name", r.Term+": "+r.Value, 80)
		p.line(middle, y+17, middle, y+34, "axis")
		n := int(max(r.Effect, -r.Effect) / most * half)
		if r.Effect > 0 {
			p.box(middle, y+19, n, 13, "up", "")
			p.text(middle-6, y+30, "end", "dim", fmt.Sprintf("%+.2f", r.Effect), 8)
			continue
		}
		p.box(middle-n, y+19, n, 13, "down", "")
		p.text(middle+6, y+30, "start", "dim", fmt.Sprintf("%+.2f", r.Effect), 8)
	}
	return p.bytes()
}

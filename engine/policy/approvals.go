package policy

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// DefaultTeam is asked where a rule requires people and does not say whom.
const DefaultTeam = "owners"

// Approvals turns the require decisions of a plan into approvals. A rule that
// requires people sets facts {"from": team, "count": n, "by": RFC 3339,
// "escalate_to": team}; message is why. Equal teams are joined, the larger
// count and the earlier time count.
func Approvals(decisions []plan.Decision) []plan.Approval {
	var list []plan.Approval
	because := map[string][]string{}
	for _, d := range sorted(slices.Clone(decisions)) {
		if d.Effect != plan.Require {
			continue
		}
		a := approval(d)
		because[a.From] = append(because[a.From], d.Message)
		i := slices.IndexFunc(list, func(x plan.Approval) bool { return x.From == a.From })
		if i < 0 {
			list = append(list, a)
			continue
		}
		list[i] = stricter(list[i], a)
	}
	for i := range list {
		list[i].Because = strings.Join(slices.Compact(because[list[i].From]), "; ")
	}
	slices.SortFunc(list, func(a, b plan.Approval) int { return strings.Compare(a.From, b.From) })
	return list
}

func approval(d plan.Decision) plan.Approval {
	said := func(name string) string {
		s, _ := d.Facts[name].(string)
		return s
	}
	a := plan.Approval{From: cmp.Or(said("from"), DefaultTeam), Count: 1, EscalateTo: said("escalate_to")}
	switch n := d.Facts["count"].(type) {
	case float64:
		a.Count = max(1, int(math.Ceil(min(n, 1000))))
	case int:
		a.Count = max(1, n)
	}
	if t, err := time.Parse(time.RFC3339, said("by")); err == nil {
		a.By = t.UTC()
	}
	return a
}

func stricter(a, b plan.Approval) plan.Approval {
	a.Count = max(a.Count, b.Count)
	if a.By.IsZero() || !b.By.IsZero() && b.By.Before(a.By) {
		a.By = b.By
	}
	a.EscalateTo = cmp.Or(a.EscalateTo, b.EscalateTo)
	return a
}

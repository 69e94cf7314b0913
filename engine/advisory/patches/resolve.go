package patches

import (
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
)

// Latest returns one advisory an id, sorted by id: the last line that has it,
// lines in the order given. Supersedes is made transitive, also over patches
// that are not in the list. Patches that supersede each other in a circle are
// returned by id as knots: none of them is the newest.
func Latest(lines []advisory.Advisory) (list []advisory.Advisory, knots []string) {
	at := map[string]int{}
	for _, a := range lines {
		if i, seen := at[a.ID]; seen {
			list[i] = a
			continue
		}
		at[a.ID] = len(list)
		list = append(list, a)
	}
	written := make([][]string, len(list))
	for i := range list {
		written[i] = list[i].Supersedes
	}
	for i := range list {
		older := reach(i, at, written)
		if _, knotted := slices.BinarySearch(older, list[i].ID); knotted {
			knots = append(knots, list[i].ID)
		}
		list[i].Supersedes = older
	}
	slices.SortFunc(list, func(a, b advisory.Advisory) int { return strings.Compare(a.ID, b.ID) })
	slices.Sort(knots)
	return list, knots
}

// reach returns what a patch supersedes, directly or through others, sorted.
func reach(from int, at map[string]int, written [][]string) []string {
	seen := map[string]bool{}
	todo := slices.Clone(written[from])
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[id] {
			continue
		}
		seen[id] = true
		if i, known := at[id]; known {
			todo = append(todo, written[i]...)
		}
	}
	var list []string
	for id := range seen {
		list = append(list, id)
	}
	slices.Sort(list)
	return list
}

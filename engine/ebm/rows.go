package ebm

import (
	"cmp"
	"math"
	"slices"
)

// rows are the rows that are fitted to, in canonical order: by fold, within a
// fold by a hash of what stands in them. So the order they came in is forgotten
// before anything is added up.
type rows struct {
	n      int
	source []int // row of the table
	start  []int // fold b is rows start[b] to start[b+1]
	y      []float32
	weight []float32
	offset []float32
}

// folds is in how many parts the rows are.
func (r *rows) folds() int { return len(r.start) - 1 }

// order puts the rows of a table that are not held into canonical order. Rows
// that are equal in everything may change places: nobody can tell.
func order(t Table, label []bool, o Options, bags int) *rows {
	var list []int
	for i := range t.Rows {
		if o.Held == nil || !o.Held[i] {
			list = append(list, i)
		}
	}
	hash := hashes(t, label, o, list)
	at := make([]int, len(list))
	for k := range at {
		at[k] = k
	}
	slices.SortFunc(at, func(a, b int) int {
		if c := cmp.Compare(hash[a], hash[b]); c != 0 {
			return c
		}
		return compareRows(t, label, list[a], list[b])
	})
	fold := assign(at, list, label, o, bags)
	slices.SortStableFunc(at, func(a, b int) int { return cmp.Compare(fold[a], fold[b]) })

	r := &rows{n: len(list), source: make([]int, len(list)), start: make([]int, bags+1)}
	r.y, r.weight, r.offset = make([]float32, r.n), make([]float32, r.n), make([]float32, r.n)
	for k, a := range at {
		i := list[a]
		r.source[k], r.weight[k] = i, 1
		r.start[fold[a]+1]++
		if label[i] {
			r.y[k] = 1
		}
		if o.Weight != nil {
			r.weight[k] = float32(o.Weight[i])
		}
		if o.Offset != nil {
			r.offset[k] = float32(o.Offset[i])
		}
	}
	for b := range bags {
		r.start[b+1] += r.start[b]
	}
	return r
}

// assign deals rows, in canonical order, to folds: class by class, so that each
// fold has its share of either label. Rows of a group stay together, each group
// going where the fewest rows of its kind are.
func assign(at, list []int, label []bool, o Options, bags int) []int {
	fold := make([]int, len(list))
	type groupRows struct {
		key  uint64
		rows []int
	}
	var groups []*groupRows
	byName := map[string]*groupRows{}
	dealt := 0
	for _, class := range []bool{false, true} {
		for _, a := range at {
			i := list[a]
			if o.Group != nil && o.Group[i] != "" {
				if class {
					continue
				}
				g := byName[o.Group[i]]
				if g == nil {
					g = &groupRows{key: mix(hashWord(o.Group[i]) ^ o.Seed)}
					byName[o.Group[i]] = g
					groups = append(groups, g)
				}
				g.rows = append(g.rows, a)
				continue
			}
			if label[i] == class {
				fold[a] = dealt % bags
				dealt++
			}
		}
	}
	slices.SortFunc(groups, func(a, b *groupRows) int { return cmp.Compare(a.key, b.key) })
	load := make([][2]int, bags)
	for _, g := range groups {
		positive := 0
		for _, a := range g.rows {
			if label[list[a]] {
				positive++
			}
		}
		least := 0
		for b := range load {
			if c := cmp.Compare(load[b][0], load[least][0]); positive > 0 && (c < 0 || c == 0 && load[b][1] < load[least][1]) || positive == 0 && load[b][1] < load[least][1] {
				least = b
			}
		}
		load[least][0] += positive
		load[least][1] += len(g.rows)
		for _, a := range g.rows {
			fold[a] = least
		}
	}
	return fold
}

// hashes gives every row of list a hash of all that stands in it.
func hashes(t Table, label []bool, o Options, list []int) []uint64 {
	h := make([]uint64, len(list))
	for k, i := range list {
		h[k] = mix(o.Seed + 0x9e3779b97f4a7c15)
		if o.Weight != nil {
			h[k] = mix(h[k] ^ hashNumber(o.Weight[i]))
		}
		if o.Offset != nil {
			h[k] = mix(h[k] ^ hashNumber(o.Offset[i]))
		}
		if o.Time != nil {
			h[k] = mix(h[k] ^ hashNumber(o.Time[i]))
		}
		if o.Group != nil {
			h[k] = mix(h[k] ^ hashWord(o.Group[i]))
		}
	}
	for _, c := range t.Columns {
		if c.Numbers != nil {
			for k, i := range list {
				h[k] = mix(h[k] ^ hashNumber(c.Numbers[i]))
			}
			continue
		}
		for k, i := range list {
			h[k] = mix(h[k] ^ hashWord(c.Words[i]))
		}
	}
	for k, i := range list {
		if label[i] {
			h[k] = mix(h[k] + 1)
		}
	}
	return h
}

// compareRows orders two rows whose hashes are equal.
func compareRows(t Table, label []bool, a, b int) int {
	for _, c := range t.Columns {
		order := 0
		if c.Numbers != nil {
			order = cmp.Compare(c.Numbers[a], c.Numbers[b])
		} else {
			order = cmp.Compare(c.Words[a], c.Words[b])
		}
		if order != 0 {
			return order
		}
	}
	switch {
	case label[a] == label[b]:
		return 0
	case label[b]:
		return -1
	}
	return 1
}

// mix is the finisher of splitmix64 (Steele, Lea and Flood 2014).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func hashNumber(x float64) uint64 {
	switch {
	case math.IsNaN(x):
		return 0x7ff8000000000001
	case x == 0:
		return 0x51 // one zero
	}
	return math.Float64bits(x) * 0x9e3779b97f4a7c15
}

// hashWord is FNV-1a.
func hashWord(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

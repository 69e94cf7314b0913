package policy

import (
	"reflect"
	"time"
	"unsafe"

	"github.com/open-policy-agent/opa/v1/ast"
)

// memo knows the projections met so far. Equal projections have equal classes,
// numbered as they are met.
type memo struct {
	view     *view
	sections []sectionMemo
	groups   []groupMemo
	joins    []joinMemo
	current  []int32 // node → class of the input at hand
	buffer   []byte

	host HostInput // a host with what is derived
	days int64
	disk int64

	seen    bool
	scalars common
	estate  Estate
	history History
}

// common are the scalars.
type common struct {
	schema string
	point  Point
	phase  string
	at     time.Time
}

// sectionMemo remembers sections by pointer: the same pointer is the same content
// for the time of one Batch.
type sectionMemo struct {
	groups []int
	last   unsafe.Pointer
	met    bool
	known  map[unsafe.Pointer][]int32
}

// remembered is how many pointers a section keeps: patches, services, tiers and
// rings come again and again, hosts may be made anew for every change.
const remembered = 1 << 12

type groupMemo struct {
	classes map[string]int32
	values  []groupValue
}

// groupValue is what the attributes of a group are.
type groupValue struct {
	members [][2]*ast.Term // of the section, or of input for scalars
	present bool           // the section is there
	trace   bool           // something is absent, or anything could be inside
	shapes  []shape        // what objects inside have, each once
	fault   string         // what cannot be written as JSON
}

type joinMemo struct {
	classes map[uint64]int32
	parts   [][2]int32
	key     uint64
	class   int32
	met     bool
}

func newMemo(v *view) *memo {
	m := &memo{
		view: v, sections: make([]sectionMemo, len(order)), groups: make([]groupMemo, len(v.groups)),
		joins: make([]joinMemo, len(v.joins)), current: make([]int32, len(v.groups)+len(v.joins)),
	}
	for i, g := range v.groups {
		m.groups[i].classes = map[string]int32{}
		s := &m.sections[g.section]
		s.groups = append(s.groups, i)
		s.known = map[unsafe.Pointer][]int32{}
	}
	for i := range m.joins {
		m.joins[i].classes = map[uint64]int32{}
	}
	return m
}

// classify works out the classes of an input.
func (m *memo) classify(in *Input) {
	v := reflect.ValueOf(in).Elem()
	for i := range m.sections {
		if len(m.sections[i].groups) > 0 {
			m.section(i, in, v)
		}
	}
	m.seen = true
	for i, j := range m.view.joins {
		jm := &m.joins[i]
		key := uint64(uint32(m.current[j.left]))<<32 | uint64(uint32(m.current[j.right]))
		if !jm.met || key != jm.key {
			jm.key, jm.class, jm.met = key, jm.of(key), true
		}
		m.current[len(m.groups)+i] = jm.class
	}
}

func (jm *joinMemo) of(key uint64) int32 {
	class, ok := jm.classes[key]
	if !ok {
		class = int32(len(jm.parts))
		jm.classes[key] = class
		jm.parts = append(jm.parts, [2]int32{int32(key >> 32), int32(uint32(key))})
	}
	return class
}

// section classes the groups of one section, unless it is as before.
func (m *memo) section(i int, in *Input, v reflect.Value) {
	switch order[i] {
	case "":
		now := common{in.Schema, in.Point, in.Phase, in.At}
		if !m.seen || now != m.scalars {
			m.scalars = now
			m.read(i, v)
		}
	case "estate":
		if !m.seen || !sameEstate(&in.Estate, &m.estate) {
			m.estate = in.Estate
			m.read(i, v.Field(fields[i]))
		}
	case "history":
		if !m.seen || in.History != m.history {
			m.history = in.History
			m.read(i, v.Field(fields[i]))
		}
	default:
		m.pointer(i, in, v.Field(fields[i]))
	}
}

// sameEstate compares without looking into lists: the same list is equal.
func sameEstate(a, b *Estate) bool {
	return a.Name == b.Name && a.Clock == b.Clock && a.Review == b.Review && a.Tiers == b.Tiers &&
		len(a.Owners) == len(b.Owners) && unsafe.SliceData(a.Owners) == unsafe.SliceData(b.Owners) &&
		len(a.Exceptions) == len(b.Exceptions) && unsafe.SliceData(a.Exceptions) == unsafe.SliceData(b.Exceptions)
}

// pointer classes a section that is kept by pointer.
func (m *memo) pointer(i int, in *Input, v reflect.Value) {
	s := &m.sections[i]
	p := v.UnsafePointer()
	if s.met && p == s.last {
		return
	}
	s.met, s.last = true, p
	if classes, ok := s.known[p]; ok {
		for n, g := range s.groups {
			m.current[g] = classes[n]
		}
		return
	}
	if order[i] == "host" && in.Host != nil {
		v = reflect.ValueOf(m.derived(in.Host))
	}
	m.read(i, v)
	if len(s.known) < remembered {
		classes := make([]int32, len(s.groups))
		for n, g := range s.groups {
			classes[n] = m.current[g]
		}
		s.known[p] = classes
	}
}

// derived is a host with the coarse values that follow from fine ones.
func (m *memo) derived(h *HostInput) *HostInput {
	if (h.AgeDays != nil || h.AgeSeconds == nil) && (h.DiskFreeGB != nil || h.DiskFreeMB == nil) {
		return h
	}
	m.host = *h
	if h.AgeDays == nil && h.AgeSeconds != nil {
		m.days = *h.AgeSeconds / 86400
		m.host.AgeDays = &m.days
	}
	if h.DiskFreeGB == nil && h.DiskFreeMB != nil {
		m.disk = *h.DiskFreeMB / 1024
		m.host.DiskFreeGB = &m.disk
	}
	return &m.host
}

// read classes every group of a section by what it reads there.
func (m *memo) read(i int, section reflect.Value) {
	for _, g := range m.sections[i].groups {
		b, fault := m.buffer[:0], ""
		for n := range m.view.groups[g].getters {
			var err error
			if b, err = m.view.groups[g].getters[n].appendKey(b, section); err != nil {
				fault = err.Error()
				b = append(append(append(b, '!'), fault...), 0)
			}
		}
		m.buffer = b
		gm := &m.groups[g]
		class, ok := gm.classes[string(b)]
		if !ok {
			class = int32(len(gm.values))
			gm.classes[string(b)] = class
			gm.values = append(gm.values, m.view.groups[g].materialise(b, fault))
		}
		m.current[g] = class
	}
}

// input is what a clause of a node is evaluated on: its projection and nothing
// else. trace says that it may come to something absent, fault that it cannot be
// written down.
func (m *memo) input(node int, class int32, l *lookups) (in *ast.Term, trace bool, fault string) {
	var members [][2]*ast.Term
	for node >= 0 {
		g, c := node, class
		if node >= len(m.groups) {
			j := m.view.joins[node-len(m.groups)]
			parts := m.joins[node-len(m.groups)].parts[class]
			g, c = j.right, parts[1]
			node, class = j.left, parts[0]
		} else {
			node = -1
		}
		v := &m.groups[g].values[c]
		trace = trace || v.trace || !l.complete(v.shapes)
		if fault == "" {
			fault = v.fault
		}
		section := order[m.view.groups[g].section]
		switch {
		case section == "":
			members = append(members, v.members...)
		case v.present:
			members = append(members, [2]*ast.Term{ast.StringTerm(section), ast.ObjectTerm(v.members...)})
		}
	}
	return ast.ObjectTerm(members...), trace, fault
}

package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Then returns what policy would say of an input with changes as Flips makes
// them.
func (s *Set) Then(in *Input, x Exceptions, changes []Alteration) ([]plan.Decision, error) {
	doc, err := documentOf(in)
	if err != nil {
		return nil, err
	}
	f := &finder{doc: doc, exceptions: x, odd: !in.possible()}
	then, x, err := f.altered(changes)
	if err != nil {
		return nil, err
	}
	return s.Decide(then, x), nil
}

// documentOf is an input as JSON has it, without what is derived from the rest.
func documentOf(in *Input) (map[string]any, error) {
	one := *in
	one.Estate.Exceptions = nil
	if in.Host != nil {
		h := *in.Host
		if h.AgeSeconds != nil {
			h.AgeDays = nil
		}
		if h.DiskFreeMB != nil {
			h.DiskFreeGB = nil
		}
		one.Host = &h
	}
	text, err := plan.Canonical(&one)
	if err != nil {
		return nil, fmt.Errorf("writing the input: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var doc map[string]any
	if err := dec.Decode(&doc); err != nil {
		return nil, fmt.Errorf("reading the input again: %w", err)
	}
	if estate, ok := doc["estate"].(map[string]any); ok {
		delete(estate, "exceptions") // those handed in are filled in again
	}
	return doc, nil
}

func inputOf(doc map[string]any) (*Input, error) {
	text, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	in := &Input{}
	return in, json.Unmarshal(text, in)
}

// sizeOf is about how long a document is.
func sizeOf(v any) int {
	switch v := v.(type) {
	case map[string]any:
		n := 2
		for k, x := range v {
			n += len(k) + 4 + sizeOf(x)
		}
		return n
	case []any:
		n := 2
		for _, x := range v {
			n += 1 + sizeOf(x)
		}
		return n
	case string:
		return len(v) + 2
	}
	return 8
}

// altered is the input with changes, and the exceptions that it is judged with.
func (f *finder) altered(changes []Alteration) (*Input, Exceptions, error) {
	doc := f.doc
	x := f.exceptions
	for _, c := range changes {
		switch {
		case c.exception != nil:
			x = append(slices.Clip(x), *c.exception)
		case !c.moves():
			at, err := replaced(doc, c.path, c.To)
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %w", c.Attribute, err)
			}
			doc = at.(map[string]any)
		}
	}
	whole, _ := compacted(doc)
	in, err := inputOf(whole.(map[string]any))
	if err != nil {
		return nil, nil, err
	}
	if !f.odd && !in.possible() {
		return nil, nil, errors.New("more than there are")
	}
	for _, c := range changes {
		if c.moves() {
			if err := in.move(&c); err != nil {
				return nil, nil, err
			}
		} else {
			in.settle(c.path)
		}
	}
	return in, x, nil
}

// possible says that no part of a wave is more than the whole.
func (in *Input) possible() bool {
	if in.Wave == nil {
		return true
	}
	for _, s := range in.Wave.Services {
		if s.InWave > s.Total || s.Down > s.Total || s.MinAvailable > s.Total || s.Reboots != nil && *s.Reboots > s.InWave {
			return false
		}
	}
	return in.Wave.Hosts <= in.Wave.FleetHosts
}

// gone stands for an element that was taken out, until all changes are made:
// the numbers of the others stay what they are.
type gone struct{}

// replaced is v with another value at a path; nil takes it away. What is not on
// the path is shared with v.
func replaced(v any, path []string, to any) (any, error) {
	if len(path) == 0 {
		return to, nil
	}
	switch v := v.(type) {
	case map[string]any:
		out := maps.Clone(v)
		if len(path) == 1 && to == nil {
			delete(out, path[0])
			return out, nil
		}
		x, err := replaced(v[path[0]], path[1:], to)
		out[path[0]] = x
		return out, err
	case []any:
		i, err := strconv.Atoi(path[0])
		if err != nil || i < 0 || i > len(v) {
			return nil, fmt.Errorf("%q is not a place in a list of %d", path[0], len(v))
		}
		out := slices.Clone(v)
		if i == len(v) {
			out = append(out, nil)
		}
		if len(path) == 1 && to == nil {
			out[i] = gone{}
			return out, nil
		}
		out[i], err = replaced(out[i], path[1:], to)
		return out, err
	case nil:
		if len(path) == 1 {
			return map[string]any{path[0]: to}, nil
		}
	}
	return nil, fmt.Errorf("there is nothing to change at %q", path[0])
}

// compacted is v without what is gone, and whether anything was.
func compacted(v any) (any, bool) {
	switch v := v.(type) {
	case map[string]any:
		var out map[string]any
		for k, x := range v {
			if y, less := compacted(x); less {
				if out == nil {
					out = maps.Clone(v)
				}
				out[k] = y
			}
		}
		if out != nil {
			return out, true
		}
	case []any:
		out, less := make([]any, 0, len(v)), false
		for _, x := range v {
			if x == any(gone{}) {
				less = true
				continue
			}
			y, l := compacted(x)
			out, less = append(out, y), less || l
		}
		if less {
			return out, true
		}
	}
	return v, false
}

// moves says that a change is about the time: everything that hangs on it
// changes along.
func (c *Alteration) moves() bool {
	return slices.Equal(c.path, []string{"at"}) || slices.Equal(c.path, []string{"wave", "start"})
}

// move brings an input to another time. What ages has aged, what ends has
// ended, and everything else is as it is now.
func (in *Input) move(c *Alteration) error {
	text, _ := c.To.(string)
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return err
	}
	if c.path[0] == "wave" {
		in.moveWave(t)
		return nil
	}
	seconds := int64(t.Sub(in.At) / time.Second)
	days := int64(t.Sub(in.At) / (24 * time.Hour))
	in.At = t
	if in.History.ModelAgeDays != nil {
		*in.History.ModelAgeDays += days
	}
	if p := in.Patch; p != nil {
		if p.AgeSeconds != nil {
			*p.AgeSeconds += seconds
		}
		p.Alarms = slices.DeleteFunc(p.Alarms, func(a Alarm) bool { return !t.Before(a.Until) })
	}
	if h := in.Host; h != nil {
		if h.AgeSeconds != nil {
			*h.AgeSeconds += seconds
		}
		h.Holds = slices.DeleteFunc(h.Holds, func(o Override) bool { return !o.Until.IsZero() && !t.Before(o.Until) })
		h.Quarantine = slices.DeleteFunc(h.Quarantine, func(q Quarantine) bool { return !t.Before(q.Until) })
	}
	return nil
}

// moveWave lets a wave begin at another time, as long as it is now.
func (in *Input) moveWave(t time.Time) {
	w := in.Wave
	w.End = t.Add(w.End.Sub(w.Start))
	w.Start = t
	w.Freezes = slices.DeleteFunc(w.Freezes, func(f FreezeInput) bool { return !f.From.Before(w.End) || !w.Start.Before(f.To) })
	for i := range w.Earlier {
		w.Earlier[i].Over = !w.Earlier[i].Ends.After(w.Start)
	}
}

// settle keeps a risk an interval with its probability inside, when one of the
// three was changed.
func (in *Input) settle(path []string) {
	if len(path) != 3 {
		return
	}
	var r *plan.Risk
	switch {
	case path[0] == "host" && path[1] == "deploy_risk":
		r = &in.Host.DeployRisk
	case path[0] == "patch" && path[1] == "deploy_risk":
		r = &in.Patch.DeployRisk
	case path[0] == "patch" && path[1] == "exploit_risk":
		r = &in.Patch.ExploitRisk
	default:
		return
	}
	switch path[2] {
	case "p":
		r.Low, r.High = min(r.Low, r.P), max(r.High, r.P)
	case "high":
		r.P = min(r.P, r.High)
		r.Low = min(r.Low, r.P)
	case "low":
		r.P = max(r.P, r.Low)
		r.High = max(r.High, r.P)
	}
}

package policy

import (
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// exceptedFor is how long the exception lasts that a search considers.
const exceptedFor = 30 * 24 * time.Hour

// excepted is the exception that lets through what is stopped: for this patch,
// these services and those of the stopping rules that yield to one.
func (f *finder) excepted() *Flip {
	if !f.result.Stopped {
		return nil
	}
	e, ok := f.exception()
	if !ok {
		return nil
	}
	to := map[string]any{"patch": e.Patch, "services": e.Services, "rules": e.Rules, "until": e.Until.Format(time.RFC3339)}
	flip, ok := f.prove([]Alteration{{Attribute: "exception", To: to, By: ByException, exception: &e}})
	if !ok {
		return nil
	}
	return &flip
}

func (f *finder) exception() (e inventory.Exception, ok bool) {
	in := f.base
	e = inventory.Exception{Name: "new", Patch: "*", Owner: "owner", Reason: "reason", Until: in.At.Add(exceptedFor)}
	for _, c := range f.set.concerned(in, f.exceptions, true) {
		if c.exceptable && !slices.Contains(e.Rules, c.rule) {
			e.Rules = append(e.Rules, c.rule)
		}
	}
	switch {
	case len(e.Rules) == 0:
		return e, false
	case in.Point == Change && in.Patch != nil:
		e.Patch = in.Patch.ID
		if in.Service != nil {
			e.Services = []string{in.Service.Name}
		}
	case in.Point == Wave && in.Wave != nil:
		for _, s := range in.Wave.Services {
			e.Services = append(e.Services, s.Name)
		}
	default:
		return e, false
	}
	return e, true
}

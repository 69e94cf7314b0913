package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"reflect"
	"strings"
	"time"
)

// A plan of a large fleet has a million changes that share a few thousand risks
// and decisions. Its canonical bytes are therefore written by hand where it is
// long, and what is shared is written once and copied; everything else, and
// what these bytes must equal, is Canonical's.

// writer appends the canonical bytes of a plan. The first error stays.
type writer struct {
	b         []byte
	err       error
	risks     map[Risk]span
	decisions map[decisionList]span
}

// span is where something was written.
type span struct{ from, to int }

// decisionList is a list of decisions by where it is kept.
type decisionList struct {
	first *Decision
	n     int
}

// blank stands for a digest until it is known.
var blank = "sha256:" + strings.Repeat("0", 2*sha256.Size)

// document returns the canonical bytes of a plan without the newline, and
// where its digest is: the member with the comma that follows.
func document(p *Plan) (data []byte, digest span, err error) {
	w := writer{b: make([]byte, 0, size(p)), risks: map[Risk]span{}, decisions: map[decisionList]span{}}
	w.any(`{"approvals":`, p.Approvals)
	w.time(`,"at":`, p.At)
	w.add(",")
	digest.from = len(w.b)
	w.text(`"digest":`, p.Digest)
	w.add(",")
	digest.to = len(w.b)
	w.time(`"expires":`, p.Expires)
	w.text(`,"id":`, p.ID)
	w.any(`,"inputs":`, p.Inputs)
	w.add(`,"not_planned":`)
	each(&w, p.NotPlanned, w.skipped)
	w.any(`,"patches":`, p.Patches)
	w.any(`,"population":`, p.Population)
	w.add(`,"rings":`)
	each(&w, p.Rings, w.ring)
	w.any(`,"scanners":`, p.Scanners)
	w.text(`,"schema":`, p.Schema)
	w.text(`,"timezone":`, p.Timezone)
	w.add("}")
	return w.b, digest, w.err
}

// size is about how many bytes a plan takes, so that they are allocated once.
func size(p *Plan) int {
	n := 1<<14 + len(p.Patches)<<11 + len(p.NotPlanned)<<8 + len(p.Scanners)<<8
	for i := range p.Rings {
		for j := range p.Rings[i].Waves {
			for _, c := range p.Rings[i].Waves[j].Changes {
				n += 136 + len(c.Host) + len(c.Patch) + len(c.From)
				for k := range c.Decisions {
					d := &c.Decisions[k]
					n += 80 + len(d.Rule) + len(d.Message) + len(d.Remedy) + 40*len(d.Facts)
				}
			}
		}
	}
	return n
}

// sumWithout is the Sum of data without a span of it.
func sumWithout(data []byte, s span) string {
	h := sha256.New()
	h.Write(data[:s.from])
	h.Write(data[s.to:])
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// sealed says whether data is the file of p, digest and all. false says
// nothing: p may have been decoded from bytes with members that it does not know.
func sealed(p *Plan, data []byte) bool {
	want, digest, err := document(p)
	n := len(data) - 1
	return err == nil && n >= 0 && data[n] == '\n' && bytes.Equal(want, data[:n]) && sumWithout(want, digest) == p.Digest
}

func (w *writer) add(text string) { w.b = append(w.b, text...) }

// took keeps what an encoder returned.
func (w *writer) took(b []byte, err error) {
	if err == nil {
		w.b = b
	} else if w.err == nil {
		w.err = err
	}
}

func (w *writer) any(name string, v any) {
	w.add(name)
	w.took(encode(w.b, reflect.ValueOf(v)))
}

func (w *writer) text(name, s string) {
	w.add(name)
	w.took(quote(w.b, s))
}

func (w *writer) time(name string, at time.Time) {
	w.add(name)
	w.b = instant(w.b, at)
}

// each writes a list.
func each[T any](w *writer, list []T, write func(*T)) {
	w.add("[")
	for i := range list {
		if i > 0 {
			w.add(",")
		}
		write(&list[i])
	}
	w.add("]")
}

func (w *writer) ring(r *Ring) {
	w.any(`{"gates":`, r.Gates)
	w.any(`,"max_failures":`, r.MaxFailures)
	w.text(`,"name":`, r.Name)
	if r.Sandbox {
		w.add(`,"sandbox":true`)
	}
	w.text(`,"soak":`, r.Soak)
	if r.StandsFor != nil {
		w.any(`,"stands_for":`, *r.StandsFor)
	}
	if r.Watch != nil {
		w.any(`,"watch":`, r.Watch)
	}
	w.add(`,"waves":`)
	each(w, r.Waves, w.wave)
	w.add("}")
}

func (w *writer) wave(v *Wave) {
	w.add(`{"changes":`)
	each(w, v.Changes, w.change)
	w.time(`,"end":`, v.End)
	w.time(`,"not_after":`, v.NotAfter)
	w.text(`,"soak":`, v.Soak)
	w.time(`,"start":`, v.Start)
	w.add("}")
}

func (w *writer) change(c *Change) {
	w.add(`{"decisions":`)
	w.decided(c.Decisions)
	w.add(`,"deploy_risk":`)
	w.risk(c.DeployRisk)
	w.text(`,"from":`, c.From)
	w.text(`,"host":`, string(c.Host))
	w.text(`,"patch":`, string(c.Patch))
	w.add("}")
}

func (w *writer) decided(list []Decision) {
	if len(list) == 0 {
		w.add("[]")
		return
	}
	key := decisionList{&list[0], len(list)}
	known, ok := w.decisions[key]
	if ok {
		w.b = append(w.b, w.b[known.from:known.to]...)
		return
	}
	from := len(w.b)
	w.any("", list)
	w.decisions[key] = span{from, len(w.b)}
}

func (w *writer) risk(r Risk) {
	known, ok := w.risks[r]
	if ok {
		w.b = append(w.b, w.b[known.from:known.to]...)
		return
	}
	from := len(w.b)
	w.any("", r)
	w.risks[r] = span{from, len(w.b)}
}

func (w *writer) skipped(s *Skipped) {
	w.add("{")
	if !s.Deadline.IsZero() {
		w.time(`"deadline":`, s.Deadline)
		w.add(",")
	}
	w.text(`"host":`, string(s.Host))
	w.any(`,"overdue":`, s.Overdue)
	w.text(`,"patch":`, string(s.Patch))
	if !s.Until.IsZero() {
		w.time(`,"until":`, s.Until)
	}
	w.text(`,"why":`, s.Why)
	w.add("}")
}

package review

import (
	"cmp"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
)

// Verdict is a person's disagreement with a score, scored itself by what then
// happened to the changes it was about.
type Verdict struct {
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	Patch   string    `json:"patch"`
	Said    string    `json:"said"` // high | low
	Type    string    `json:"reason_type,omitempty"`
	Reason  string    `json:"reason"`
	Model   float64   `json:"model"` // the score disagreed with
	N       int       `json:"n"`     // changes it was about that ended since, up to the end of the span
	Bad     int       `json:"bad"`
	Nearer  string    `json:"nearer"` // person | model | neither: whose Brier score over the N is the lower
	Meaning string    `json:"meaning"`
}

// What a person's word is taken for, as in planning.
const saidHigh, saidLow = 0.5, 0.01

// people scores the overrides of a risk that were made before the span ended and
// about which something has ended in it.
func people(all []change, in Input) []Verdict {
	list := []Verdict{}
	for _, o := range in.Overrides {
		if o.Kind != "risk" || o.Predicted == nil || !o.At.Before(in.To) {
			continue
		}
		v := Verdict{By: o.By, At: o.At.UTC(), Patch: o.Patch, Said: o.Value, Type: o.ReasonType, Reason: o.Reason, Model: exact.Round5(*o.Predicted)}
		fresh := false
		for i := range all {
			c := &all[i]
			if !about(o, c) || c.ended.IsZero() || c.ended.Before(o.At) || !c.ended.Before(in.To) {
				continue
			}
			fresh = fresh || !c.ended.Before(in.From)
			v.N++
			if c.failed {
				v.Bad++
			}
		}
		if fresh {
			v.judge()
			list = append(list, v)
		}
	}
	slices.SortFunc(list, func(a, b Verdict) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.By, b.By), cmp.Compare(a.Patch, b.Patch))
	})
	return list
}

// judge compares the Brier scores of both over the changes. With n changes of
// which b failed, a constant q scores (b(1−q)² + (n−b)q²)/n.
func (v *Verdict) judge() {
	said := saidHigh
	if v.Said == "low" {
		said = saidLow
	}
	score := func(q float64) float64 {
		return float64(float64(v.Bad)*(1-q)*(1-q)) + float64(float64(v.N-v.Bad)*q*q)
	}
	person, model := exact.Round5(score(said)), exact.Round5(score(v.Model))
	switch {
	case person < model:
		v.Nearer, v.Meaning = "person", "the person was nearer to what happened"
	case model < person:
		v.Nearer, v.Meaning = "model", "the score was nearer to what happened"
	default:
		v.Nearer, v.Meaning = "neither", "both were as near"
	}
}

// about says whether an override speaks of a change. One that names a service is
// taken at its patch and host alone: ledgers do not say what a host served then.
func about(o outcome.Override, c *change) bool {
	return (o.Host == "" || o.Host == c.host) && (o.Plan == "" || o.Plan == c.plan) && (o.Patch == "" || c.patch.ID.Matches(o.Patch))
}

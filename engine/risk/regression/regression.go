// Package regression is what the industry knows before an estate knows anything:
// how likely a distribution's update is to have to be fixed again.
//
// The model was trained on what Debian and Ubuntu published of their own security
// updates (README.md is its data card) and ships with the engine. It is a sum of
// log-odds, so that its reasons are its summands:
//
//	shift = c(distribution) + cves·ln((1+n)/3) + releases + package
//
// for n CVEs fixed at once. The weights are a logistic regression's with a ridge
// penalty; on a package's own weight that is a normal prior around the average,
// which makes it a shrunk track record. Both distributions share a package's
// weight, and each has one of its own beside it.
//
// A shift is relative to the distribution's own base rate, so that only the order
// of updates is carried over, not the rate of public notices. It counts for a few
// changes and no more: an estate's own outcomes outweigh it. Types other than deb
// and other distributions are none of its business.
package regression

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Update is what is known of an update when it is decided. What is not known is
// left as the comment says, and shifts nothing.
type Update struct {
	Type         string // deb | rpm | …
	Distribution string // Debian | Ubuntu, in any case; others are not judged
	Package      string // the source package where it is known
	CVEs         int    // fixed at once; below 0 = not known
	Releases     int    // of the distribution that the notice is for, those under paid extension apart; 0 = not known
}

// Prior is what the model makes of an update.
type Prior struct {
	LogOdds   float64 // relative to the base rate
	Low, High float64 // its central 90 % interval
	Strength  float64 // the changes it counts for
	Reasons   []plan.Reason
	Why       string // where it is silent, why
}

//go:embed model.json
var shipped []byte

var model = sync.OnceValue(func() *Model {
	m, err := Parse(shipped)
	if err != nil {
		panic(fmt.Sprintf("regression: the shipped model: %v", err))
	}
	return m
})

// Shipped is the model that ships with the engine. It is not to be changed.
func Shipped() *Model { return model() }

// Score asks the shipped model; ok is false where it is silent, and then Why says
// why. The effects of the reasons add up to LogOdds.
func Score(u Update) (Prior, bool) { return Shipped().Score(u) }

// Score is the model's answer to an update.
func (m *Model) Score(u Update) (Prior, bool) {
	name := strings.ToLower(u.Distribution)
	d, known := m.Distributions[name]
	switch {
	case u.Type != "deb":
		return Prior{Why: fmt.Sprintf("industry prior: silent, since it knows deb packages only, not %q", u.Type)}, false
	case !known:
		return Prior{Why: fmt.Sprintf("industry prior: silent, since it knows Debian and Ubuntu only, not %q", u.Distribution)}, false
	case d.Scale == 0:
		return Prior{Why: fmt.Sprintf("industry prior: silent, since what it learnt of %s was not shown to hold for later updates", u.Distribution)}, false
	case u.Package == "":
		return Prior{Why: "industry prior: silent, since the package is not known"}, false
	}
	p := Prior{Strength: m.Strength, Reasons: m.reasons(name, d, u)}
	for _, r := range p.Reasons {
		p.LogOdds += r.Effect
	}
	p.LogOdds = exact.Round5(p.LogOdds)
	p.Low, p.High = d.interval(p.LogOdds, m.Strength)
	return p, true
}

// reasons are the parts of a shift: the package, which is always said, and what
// else there is.
func (m *Model) reasons(name string, d Distribution, u Update) []plan.Reason {
	family := Family(u.Package)
	effect := func(features map[string]float64, about float64) float64 {
		for _, f := range order(features) {
			about += float64(m.Weights[f] * features[f])
		}
		return exact.Round5(float64(d.Scale * about))
	}
	own := effect(packageFeatures(name, family), d.Typical-exact.Logit(d.Rate))
	list := []plan.Reason{{Term: "industry: package", Value: m.told(family), Effect: own}}
	if e := effect(cveFeatures(u.CVEs), 0); e != 0 {
		list = append(list, plan.Reason{Term: "industry: cves at once", Value: fmt.Sprint(u.CVEs), Effect: e})
	}
	if e := effect(releaseFeatures(name, u.Releases), 0); e != 0 {
		list = append(list, plan.Reason{Term: "industry: releases at once", Value: fmt.Sprint(u.Releases), Effect: e})
	}
	return list
}

// told is a family's record in words.
func (m *Model) told(family string) string {
	r, ok := m.Records[family]
	if !ok {
		return fmt.Sprintf("%s: no record of its own in public notices", family)
	}
	var parts []string
	for _, d := range order(r) {
		parts = append(parts, fmt.Sprintf("%d of %d updates of %s had to be fixed again", r[d].Regressed, r[d].Updates, title(d)))
	}
	return family + ": " + strings.Join(parts, ", ")
}

func title(distribution string) string {
	if distribution == "" {
		return ""
	}
	return strings.ToUpper(distribution[:1]) + distribution[1:]
}

// interval is the central 90 % of the beta distribution whose mean is the shifted
// base rate and which is worth the strength in changes, as log-odds relative to
// the base rate, widened to hold the shift.
func (d Distribution) interval(shift, strength float64) (low, high float64) {
	at := exact.Logit(d.Rate)
	p := exact.Expit(at + shift)
	l, h := exact.Beta{A: float64(p * strength), B: float64((1 - p) * strength)}.Interval(0.9)
	relative := func(x float64) float64 { return exact.Round5(exact.Logit(min(max(x, 1e-5), 1-1e-5)) - at) }
	return min(relative(l), shift), max(relative(h), shift)
}

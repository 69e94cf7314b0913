package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
	"github.com/ringmaster-dev/ringmaster/engine/linear"
	"github.com/ringmaster-dev/ringmaster/engine/risk/regression"
)

// penalty is the ridge, chosen once on held-out updates among 0.5 to 5: the
// figures hardly differ from 1.5 to 5.
const penalty = 3

// rare is how many updates a package has at least to have a record of its own; a
// regression among fewer says next to nothing.
const rare = 3

// parts says which of the features a model may use.
type parts func(feature string) bool

func everything(string) bool { return true }
func record(feature string) bool {
	return strings.HasPrefix(feature, "package ") || feature == "ubuntu"
}
func metadata(feature string) bool {
	return !strings.HasPrefix(feature, "package ")
}

// fit trains a model on what was known on a day, with every scale 1.
func fit(rows []row, day time.Time, use parts) (*regression.Model, error) {
	m := &regression.Model{Schema: regression.Schema, At: day, Penalty: penalty, Distributions: map[string]regression.Distribution{}, Records: map[string]map[string]regression.Updates{}}
	var known []linear.Row
	releases := map[string]map[string]int{}
	for _, r := range rows {
		bad, ok := r.label(day)
		if !ok {
			continue
		}
		features := regression.Features(r.Update)
		for name := range features {
			if !use(name) {
				delete(features, name)
			}
		}
		known = append(known, linear.Row{Features: linear.VectorOf(features), Bad: bad})
		count(m, r, bad)
		if name := strings.ToLower(r.Distribution); r.Releases > 0 {
			if releases[name] == nil {
				releases[name] = map[string]int{}
			}
			releases[name][[...]string{"1", "2", "3+"}[min(r.Releases, 3)-1]]++
		}
	}
	forget(m)
	fitted, err := linear.Fit(known, linear.Options{L2: penalty, Rare: rare})
	if err != nil {
		return nil, fmt.Errorf("fitting to what was known on %s: %w", day.Format(time.DateOnly), err)
	}
	m.Weights = fitted.Weights
	ubuntu := m.Weights["ubuntu"]
	delete(m.Weights, "ubuntu")
	for name, d := range m.Distributions {
		d.Typical, d.Scale = fitted.Intercept, 1
		if name == "ubuntu" {
			d.Typical += ubuntu
		}
		d.Typical = exact.Round5(d.Typical + center(m.Weights, name, releases[name]))
		d.Rate = exact.Round5(float64(d.Regressed) / float64(d.Updates.Updates))
		m.Distributions[name] = d
	}
	return m, nil
}

// center moves the weights of releases so that they are 0 on average over a
// distribution's updates, and returns what they were: an update of which the
// number is not known is an average one.
func center(weights map[string]float64, distribution string, updates map[string]int) float64 {
	sum, n := 0.0, 0
	for _, k := range []string{"1", "2", "3+"} {
		sum += float64(weights["releases "+distribution+" "+k] * float64(updates[k]))
		n += updates[k]
	}
	if n == 0 {
		return 0
	}
	mean := sum / float64(n)
	for _, k := range []string{"1", "2", "3+"} {
		if name := "releases " + distribution + " " + k; weights[name] != 0 {
			weights[name] = exact.Round5(weights[name] - mean)
		}
	}
	return mean
}

// count adds an update to its distribution's and its family's numbers.
func count(m *regression.Model, r row, bad bool) {
	name, family := strings.ToLower(r.Distribution), regression.Family(r.Package)
	d := m.Distributions[name]
	d.Updates = more(d.Updates, bad)
	d.Last = r.At.Format(time.DateOnly)
	if d.First == "" {
		d.First = d.Last
	}
	m.Distributions[name] = d
	if m.Records[family] == nil {
		m.Records[family] = map[string]regression.Updates{}
	}
	m.Records[family][name] = more(m.Records[family][name], bad)
}

// forget drops the records of families with too few updates.
func forget(m *regression.Model) {
	for family, in := range m.Records {
		n := 0
		for _, u := range in {
			n += u.Updates
		}
		if n < rare {
			delete(m.Records, family)
		}
	}
}

func more(u regression.Updates, bad bool) regression.Updates {
	u.Updates++
	if bad {
		u.Regressed++
	}
	return u
}

// Command regressions trains the industry prior that ships with the engine.
//
//	go run ./testdata/train/regressions -data ../shared/data/regressions -out engine/risk/regression/model.json
//
// It prints the results on held-out updates, each block of time by a model that
// knew only what was published before, and writes the model with them. The same
// data makes the same bytes.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
	"github.com/ringmaster-dev/ringmaster/engine/risk/regression"
)

func main() {
	data := flag.String("data", "../shared/data/regressions", "the folder of the two tables")
	out := flag.String("out", "engine/risk/regression/model.json", "the model to write")
	flag.Parse()
	if err := run(*data, *out); err != nil {
		fmt.Fprintln(os.Stderr, "regressions:", err)
		os.Exit(1)
	}
}

func run(data, out string) error {
	rows, err := read(data)
	if err != nil {
		return err
	}
	last := rows[len(rows)-1].At.AddDate(0, 0, 366) // all is settled
	m, err := fit(rows, last, everything)
	if err != nil {
		return err
	}
	m.At = rows[len(rows)-1].At
	if err := judge(m, rows); err != nil {
		return err
	}
	text, err := m.Bytes()
	if err != nil {
		return err
	}
	return os.WriteFile(out, text, 0o644)
}

// most is the most changes that a shift may count for: what the rules do, so that
// an estate's own outcomes soon outweigh it.
const most = 20

// judge sets how far the model may go, by what it was worth on held-out updates
// when it was two years old: it ships once and is used for years.
func judge(m *regression.Model, rows []row) error {
	m.HeldOut = map[string]map[string]regression.Figures{}
	var all []prediction
	for _, s := range sources {
		name := strings.ToLower(s.distribution)
		m.HeldOut[name] = map[string]regression.Figures{}
		for _, v := range []struct {
			name string
			use  parts
			aged int
		}{{"model", everything, 0}, {"record alone", record, 0}, {"metadata alone", metadata, 0}, {"model, two years old", everything, 2}} {
			list, err := heldOut(rows, s.distribution, v.use, v.aged)
			if err != nil {
				return err
			}
			if len(list) == 0 {
				continue
			}
			show(m.HeldOut[name], s.distribution, v.name, list)
			if rest := without(list, "firefox"); s.distribution == "Ubuntu" || v.name == "model" {
				show(m.HeldOut[name], s.distribution, v.name+", without Firefox", rest)
			}
			if v.aged > 0 {
				all = append(all, list...)
				earn(m, name, list)
				show(m.HeldOut[name], s.distribution, v.name+", scaled as it ships", scaled(list, m.Distributions[name].Scale))
			}
		}
	}
	likeliest, least := strength(all)
	m.Strength = min(least, most)
	fmt.Printf("strength: likeliest %v, at least %v, used %v\n", likeliest, least, m.Strength)
	return nil
}

// scaled are predictions with their shifts scaled.
func scaled(list []prediction, by float64) []prediction {
	list = slices.Clone(list)
	for i, p := range list {
		list[i].p = exact.Expit(exact.Logit(p.base) + float64(by*p.shift))
	}
	return list
}

func show(into map[string]regression.Figures, distribution, name string, list []prediction) {
	f := figures(list)
	into[name] = f
	fmt.Println(f.Row(strings.ToLower(distribution), name))
}

// earn scales a distribution's weights to what a unit of shift was worth, at most
// 1, and silences it where that may as well have been nothing.
func earn(m *regression.Model, name string, list []prediction) {
	var slopes []float64
	for _, sample := range samples(list, 100) {
		slopes = append(slopes, slope(sample))
	}
	worth := estimate(slope(list), slopes)
	d := m.Distributions[name]
	d.Scale = exact.Round5(min(max(worth.V, 0), 1))
	if worth.Low <= 0 {
		d.Scale = 0
	}
	m.Distributions[name] = d
	fmt.Printf("%s: a unit of shift was worth %s; scale %v\n", name, worth, d.Scale)
}

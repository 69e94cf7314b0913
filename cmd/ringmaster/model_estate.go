package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/ringmaster-dev/ringmaster/engine/risk"
	"github.com/ringmaster-dev/ringmaster/engine/risk/exploitation"
)

// shippedModel is the word for the model of exploitation that ships with the
// engine, where a file is asked for.
const shippedModel = "exploitation"

// showOther prints what is no boosting machine by itself: the models of an estate
// and the one that ships with the engine. done is false for all else.
func (a *app) showOther(name string) (done bool, err error) {
	if name == shippedModel {
		_, err := fmt.Fprint(a.out, exploitation.Shipped().Text(20))
		return true, err
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return false, err
	}
	var head struct{ Schema string }
	if json.Unmarshal(data, &head) != nil {
		return false, nil // its own reader says what is wrong
	}
	switch head.Schema {
	case risk.DeploymentSchema:
		return true, a.showDeployment(name, data)
	case risk.Schema:
		return true, a.showRecord(name, data)
	}
	return false, nil
}

func (a *app) showDeployment(name string, data []byte) error {
	m, err := risk.ParseDeployment(data)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if a.format == "json" {
		_, err := a.out.Write(data)
		return err
	}
	fmt.Fprintf(a.out, "%s\nrules count %.2f times, the base rate is moved by %+.2f log-odds, peers vary by a shape of %.2f\n", m, m.Rules.Slope, m.Rules.Shift, m.Peers)
	for _, p := range m.Pairs {
		fmt.Fprintf(a.out, "  %+.2f  %s\n", p.Effect, line(p.String()))
	}
	if learnt := m.Learnt(); learnt != nil && m.Share > 0 {
		fmt.Fprintf(a.out, "\nwhat was learnt beyond that, of which %.2f counts:\n\n", m.Share)
		return a.showModel(learnt)
	}
	return nil
}

func (a *app) showRecord(name string, data []byte) error {
	m, err := risk.ParseTrackRecord(data)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if a.format == "json" {
		_, err := a.out.Write(data)
		return err
	}
	fmt.Fprintf(a.out, "%d changes seen, %d of them the estate's own; %d went wrong\n", m.Trials, m.Own, m.Failures)
	for _, t := range []struct {
		what string
		list map[string]risk.Record
	}{{"vendor", m.Vendors}, {"package", m.Packages}, {"package × role", m.Roles}} {
		for _, key := range risk.Worst(t.list, 20) {
			r := t.list[key]
			fmt.Fprintf(a.out, "  %-14s %-30s %5.1f %% (%.1f–%.1f %%), %.0f of %.0f\n", t.what, line(key), 100*r.P, 100*r.Low, 100*r.High, r.Bad, r.N)
		}
	}
	return nil
}

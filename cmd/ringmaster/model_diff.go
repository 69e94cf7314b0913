package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/ebm"
	"github.com/ringmaster-dev/ringmaster/engine/replay"
	"github.com/ringmaster-dev/ringmaster/engine/risk"
)

// showDiff prints what became of a model.
func (a *app) showDiff(cmd *cobra.Command, before, after, csv string, at []float64) error {
	old, err := a.anyModel(before)
	if err != nil {
		return err
	}
	fresh, err := a.anyModel(after)
	switch {
	case err != nil:
		return err
	case old.kind() != fresh.kind():
		return usage("%s is %s and %s is %s; expected two of a kind", before, old.kind(), after, fresh.kind())
	case csv != "" && old.bytes != nil:
		return usage("--csv scores rows by two models of a table, and %s is %s", before, old.kind())
	case old.deployment != nil:
		r, err := a.flipped(cmd, "models/deployment.json", after, fresh.bytes)
		if err != nil {
			return err
		}
		return a.showDeploymentDiff(risk.CompareDeployments(old.deployment, fresh.deployment), r)
	case old.record != nil:
		r, err := a.flipped(cmd, "models/track-record.json", after, fresh.bytes)
		if err != nil {
			return err
		}
		return a.showRecordDiff(risk.CompareRecords(old.record, fresh.record), r)
	}
	return a.showTableDiff(old.table, fresh.table, csv, at)
}

// flipped replays the estate's history with a model in the place of HEAD's; nil
// outside of an estate, where there is no history.
func (a *app) flipped(cmd *cobra.Command, path, name string, data []byte) (r *replay.Report, err error) {
	dir, err := a.folder()
	if err != nil {
		return nil, nil
	}
	if _, err := os.Stat(filepath.Join(dir, ".git")); err != nil {
		return nil, nil
	}
	err = a.withEnv(cmd, func(e *engine.Env) error {
		r, err = e.ReplayModel(cmd.Context(), path, data, "models/ of HEAD with "+name)
		return err
	})
	return r, err
}

// printFlips prints which past decisions a model would have changed.
func (a *app) printFlips(r *replay.Report) error {
	if r == nil {
		return nil
	}
	fmt.Fprintln(a.out)
	return r.Text(a.out)
}

// showTableDiff prints what became of a boosting machine.
func (a *app) showTableDiff(old, fresh *ebm.Model, csv string, at []float64) error {
	d := ebm.Compare(old, fresh)
	var rows *movedRows
	var err error
	if csv != "" {
		if rows, err = scoreBoth(old, fresh, csv, at); err != nil {
			return a.modelFaults(csv, err)
		}
	}
	if a.format == "json" {
		return json.NewEncoder(a.out).Encode(map[string]any{"intercept": d.Intercept, "terms": d.Terms, "rows": rows})
	}
	fmt.Fprintf(a.out, "rows fitted to: %d → %d; log loss of rows left out: %.4f → %.4f\n", old.Facts().Rows, fresh.Facts().Rows, old.Facts().LogLoss, fresh.Facts().LogLoss)
	a.printTerms(d)
	if rows != nil {
		rows.print(a.out)
	}
	return nil
}

// printTerms prints what became of each term.
func (a *app) printTerms(d ebm.Change) {
	fmt.Fprintf(a.out, "intercept: %+.5f → %+.5f\n\n", d.Intercept[0], d.Intercept[1])
	wide := 4
	for _, t := range d.Terms {
		wide = min(40, max(wide, len([]rune(t.Name))))
	}
	fmt.Fprintf(a.out, "%-*s  importance        mean change  most, and where\n", wide, "term")
	for _, t := range d.Terms {
		fmt.Fprintf(a.out, "%s  %-16s  %11.4f  %s\n", pad(t.Name, wide), importances(t), t.Mean, line(t.Where()))
	}
}

func importances(t ebm.TermChange) string {
	switch {
	case t.Added:
		return fmt.Sprintf("new → %.4f", t.After)
	case t.Removed:
		return fmt.Sprintf("%.4f → gone", t.Before)
	}
	return fmt.Sprintf("%.4f → %.4f", t.Before, t.After)
}

// mostChanged is how many track records of a diff are printed.
const mostChanged = 20

// showDeploymentDiff prints what a retraining made of an estate's deployment model.
func (a *app) showDeploymentDiff(d risk.DeploymentChange, r *replay.Report) error {
	if a.format == "json" {
		return a.json(struct {
			risk.DeploymentChange
			Replay *replay.Report `json:"replay,omitempty"`
		}{d, r})
	}
	for _, n := range d.Numbers {
		fmt.Fprintf(a.out, "%-46s %s\n", n.Name, numbers(n.Before, n.After))
	}
	fmt.Fprintf(a.out, "\nincompatibilities: %s\n", changedOf(len(d.Pairs)))
	for _, c := range d.Pairs {
		switch {
		case c.Before == nil:
			fmt.Fprintf(a.out, "  new      %+.2f          %s\n", c.After.Effect, line(c.After.String()))
		case c.After == nil:
			fmt.Fprintf(a.out, "  gone     %+.2f          %s\n", c.Before.Effect, line(c.Before.String()))
		default:
			fmt.Fprintf(a.out, "  changed  %+.2f → %+.2f  %s; before, %s\n", c.Before.Effect, c.After.Effect, line(c.After.String()), line(c.Before.String()))
		}
	}
	a.printRecords(d.Records)
	fmt.Fprintf(a.out, "\ncalibration: %s\n", changedOf(len(d.Calibration)))
	for _, c := range d.Calibration {
		fmt.Fprintf(a.out, "  scores from %6.2f %%  %s → %s\n", 100*chance(c.From), shareSpan(c.Before), shareSpan(c.After))
	}
	if d.Learnt != nil {
		fmt.Fprintf(a.out, "\nwhat was learnt beyond that\n")
		a.printTerms(*d.Learnt)
	}
	return a.printFlips(r)
}

// showRecordDiff prints which track records a retraining changed.
func (a *app) showRecordDiff(list []risk.RecordChange, r *replay.Report) error {
	if a.format == "json" {
		return a.json(map[string]any{"records": list, "replay": r})
	}
	a.printRecords(list)
	return a.printFlips(r)
}

func (a *app) printRecords(list []risk.RecordChange) {
	fmt.Fprintf(a.out, "\ntrack records: %s\n", changedOf(len(list)))
	for _, c := range list[:min(len(list), mostChanged)] {
		fmt.Fprintf(a.out, "  %s %s %s → %s\n", pad(c.Kind, 14), pad(c.Name, 30), rate(c.Before), rate(c.After))
	}
	if more := len(list) - mostChanged; more > 0 {
		fmt.Fprintf(a.out, "  … and %d more\n", more)
	}
}

func changedOf(n int) string {
	if n == 0 {
		return "unchanged"
	}
	return fmt.Sprintf("%d changed", n)
}

// numbers is a figure before and after, in as many digits as it has.
func numbers(before, after *float64) string {
	one := func(x *float64) string {
		if x == nil {
			return "none"
		}
		return strconv.FormatFloat(*x, 'f', -1, 64)
	}
	if one(before) == one(after) {
		return one(after) + ", unchanged"
	}
	return one(before) + " → " + one(after)
}

func rate(r *risk.Record) string {
	if r == nil {
		return "none"
	}
	return fmt.Sprintf("%.1f %%, %.0f of %.0f", 100*r.P, r.Bad, r.N)
}

func shareSpan(b *[2]float64) string {
	if b == nil {
		return "unknown"
	}
	return fmt.Sprintf("%.1f–%.1f %%", 100*b[0], 100*b[1])
}

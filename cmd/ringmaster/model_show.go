package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ringmaster-dev/ringmaster/engine/ebm"
)

func (a *app) modelShow() *cobra.Command {
	var diff bool
	var svg, csv string
	var at []float64
	cmd := &cobra.Command{
		Use: "show FILE", Short: "prints a model so that a person can review it",
		Long: `Prints a model: its terms by importance (the mean absolute effect over the rows
fitted to, in log-odds), each with its shape, its pairs as tables, and how it is
calibrated. FILE may also be a model of an estate, models/deployment.json or
models/track-record.json, or the word "exploitation", for the model that ships
with the engine. With --diff OLD NEW, what a retraining changed, term by term; with
--csv, which rows' scores it changed most and how many decisions it flips.`,
		Example: "  ringmaster model show model.json\n  ringmaster model show --diff old.json new.json --csv rows.csv --threshold 0.1",
		Args: func(_ *cobra.Command, args []string) error {
			if diff && len(args) != 2 {
				return errors.New("two models are compared: --diff OLD NEW")
			}
			if !diff && len(args) != 1 {
				return errors.New("one model is shown")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if diff {
				return a.showDiff(args[0], args[1], csv, at)
			}
			if done, err := a.showOther(args[0]); done || err != nil {
				return err
			}
			m, err := readModel(args[0])
			if err != nil {
				return err
			}
			if svg != "" {
				return a.writeSVGs(m, svg)
			}
			return a.showModel(m)
		},
	}
	cmd.Flags().BoolVar(&diff, "diff", false, "compare two models, the old and the new one")
	cmd.Flags().StringVar(&svg, "svg", "", "write a chart of every term into this `folder` instead")
	cmd.Flags().StringVar(&csv, "csv", "", "with --diff: a `file` of rows to score by both")
	cmd.Flags().Float64SliceVar(&at, "threshold", []float64{0.5}, "with --diff and --csv: `probabilities` that decisions are taken at")
	return cmd
}

// showModel prints a model.
func (a *app) showModel(m *ebm.Model) error {
	if a.format == "json" {
		return a.json(modelView(m))
	}
	p := &chart{out: a.out, width: min(a.width(a.out), 120), color: a.color(a.out)}
	f := m.Facts()
	fmt.Fprintf(a.out, "%s, %.2f %% with label 1; log loss of rows left out %.4f, by the base rate %.4f\n", count(f.Rows, "row"), 100*float64(f.Positive)/float64(f.Rows), f.LogLoss, f.BaseLoss)
	fmt.Fprintf(a.out, "every score begins with %+.5f (%.2f %%), and each term adds its effect, in log-odds\n", m.Intercept(), 100/(1+math.Exp(-m.Intercept())))
	if f.RecentRows > 0 {
		fmt.Fprintf(a.out, "the newest %d rows moved that by %+.5f\n", f.RecentRows, f.RecentShift)
	}
	terms := m.Terms()
	fmt.Fprintf(a.out, "\nimportance (mean absolute effect)\n")
	for _, t := range terms {
		p.bar(t.Name, t.Importance, terms[0].Importance)
	}
	for _, t := range terms {
		p.term(t)
	}
	fmt.Fprintln(a.out)
	p.calibration(m, f)
	fmt.Fprintf(a.out, "\nit abstains from rows unlike those it was fitted to; of rows like them, from at most %.3g %%\n", 100*f.Alpha)
	return nil
}

// modelView is a model as JSON for programs that draw it.
func modelView(m *ebm.Model) map[string]any {
	f := m.Facts()
	terms := []any{}
	for _, t := range m.Terms() {
		bins := make([][]string, len(t.Bins))
		for s, list := range t.Bins {
			for _, b := range list {
				bins[s] = append(bins[s], b.Label)
			}
		}
		terms = append(terms, map[string]any{"name": t.Name, "columns": t.Columns, "importance": t.Importance, "bins": bins, "effects": t.Effects, "rows": t.Rows})
	}
	return map[string]any{
		"rows": f.Rows, "positive": f.Positive, "log_loss": f.LogLoss, "log_loss_base_rate": f.BaseLoss, "intercept": m.Intercept(), "terms": terms,
		"calibration": map[string]any{"used": f.Calibrated, "a": f.A, "b": f.B, "c": f.C}, "recent": map[string]any{"rows": f.RecentRows, "shift": f.RecentShift}, "alpha": f.Alpha,
	}
}

// writeSVGs writes a chart of every term.
func (a *app) writeSVGs(m *ebm.Model, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for k, t := range m.Terms() {
		name := filepath.Join(dir, fmt.Sprintf("%02d-%s.svg", k+1, fileWord(t.Name)))
		if err := writeWhole(name, []byte(termSVG(t))); err != nil {
			return err
		}
		fmt.Fprintln(a.out, line(name))
	}
	return nil
}

// fileWord is a name as part of a file's name.
func fileWord(s string) string {
	s = strings.ReplaceAll(s, " × ", "-x-")
	s = strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, s)
	return s[:min(len(s), 80)]
}

// showDiff prints what became of a model.
func (a *app) showDiff(before, after, csv string, at []float64) error {
	old, err := readModel(before)
	if err != nil {
		return err
	}
	fresh, err := readModel(after)
	if err != nil {
		return err
	}
	d := ebm.Compare(old, fresh)
	var rows *movedRows
	if csv != "" {
		if rows, err = scoreBoth(old, fresh, csv, at); err != nil {
			return a.modelFaults(csv, err)
		}
	}
	if a.format == "json" {
		return json.NewEncoder(a.out).Encode(map[string]any{"intercept": d.Intercept, "terms": d.Terms, "rows": rows})
	}
	fmt.Fprintf(a.out, "rows fitted to: %d → %d; log loss of rows left out: %.4f → %.4f\n", old.Facts().Rows, fresh.Facts().Rows, old.Facts().LogLoss, fresh.Facts().LogLoss)
	fmt.Fprintf(a.out, "intercept: %+.5f → %+.5f\n\n", d.Intercept[0], d.Intercept[1])
	wide := 4
	for _, t := range d.Terms {
		wide = min(40, max(wide, len([]rune(t.Name))))
	}
	fmt.Fprintf(a.out, "%-*s  importance        mean change  most, and where\n", wide, "term")
	for _, t := range d.Terms {
		fmt.Fprintf(a.out, "%s  %-16s  %11.4f  %s\n", pad(t.Name, wide), importances(t), t.Mean, line(t.Where()))
	}
	if rows != nil {
		rows.print(a.out)
	}
	return nil
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

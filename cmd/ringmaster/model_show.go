package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ringmaster-dev/ringmaster/engine/ebm"
	"github.com/ringmaster-dev/ringmaster/engine/risk/exploitation"
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
models/track-record.json; BRANCH:FILE is one as a branch or commit has it. Two words
name what is in no file: "exploitation" is the model that ships with the engine, and
"thresholds" what an estate's costs and tolerances make of a probability.
With --diff OLD NEW, what a retraining changed, term by term, and, of an estate's
models, which past decisions it would have changed; with --csv, which rows' scores
it changed most and how many decisions it flips.`,
		Example: "  ringmaster model show model.json\n  ringmaster model show --diff old.json new.json --csv rows.csv --threshold 0.1\n  ringmaster model show --diff main:models/deployment.json ringmaster/models:models/deployment.json",
		Args:    cobra.ArbitraryArgs, // what is wrong with them is said by checkShow
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkShow(cmd, args, diff); err != nil {
				return err
			}
			if diff {
				return a.showDiff(cmd, args[0], args[1], csv, at)
			}
			return a.showOne(cmd.Context(), args[0], svg)
		},
	}
	cmd.Flags().BoolVar(&diff, "diff", false, "compare two models, the old and the new one")
	cmd.Flags().StringVar(&svg, "svg", "", "write a chart of every term into this `folder` instead")
	cmd.Flags().StringVar(&csv, "csv", "", "with --diff: a `file` of rows to score by both")
	cmd.Flags().Float64SliceVar(&at, "threshold", []float64{0.5}, "with --diff and --csv: `probabilities` that decisions are taken at")
	return cmd
}

// checkShow says what is wrong with the words and flags of model show.
func checkShow(cmd *cobra.Command, args []string, diff bool) error {
	const one, two = "ringmaster model show FILE", "ringmaster model show --diff OLD NEW"
	switch {
	case diff && len(args) != 2:
		return usage("--diff compares two models, the old and the new one, and got %s; expected `%s`", count(len(args), "file"), two)
	case !diff && len(args) == 2:
		return usage("one model is shown, or two are compared; expected `%s` or `%s`", one, two)
	case !diff && len(args) != 1:
		return usage("one model is shown, and %s were named; expected `%s`", count(len(args), "file"), one)
	case diff && cmd.Flags().Changed("svg"):
		return usage("--svg draws one model; expected `%s --svg FOLDER`", one)
	case !diff && (cmd.Flags().Changed("csv") || cmd.Flags().Changed("threshold")):
		return usage("--csv and --threshold go with --diff; expected `%s --csv ROWS`, or `ringmaster model score` for the scores of one model", two)
	case diff && cmd.Flags().Changed("threshold") && !cmd.Flags().Changed("csv"):
		return usage("--threshold counts decisions on rows; expected `%s --csv ROWS --threshold P`", two)
	}
	return nil
}

// showOne prints one model, or draws it into a folder.
func (a *app) showOne(ctx context.Context, name, svg string) error {
	switch name {
	case shippedModel:
		_, err := fmt.Fprint(a.out, exploitation.Shipped().Text(20))
		return err
	case thresholdsWord:
		return a.showThresholds(ctx)
	}
	m, err := a.anyModel(name)
	switch {
	case err != nil:
		return err
	case svg != "" && m.table == nil:
		return usage("%s has no shapes to draw; expected a model of a table, or one that learnt beyond its rules", name)
	case svg != "":
		return a.writeSVGs(m.table, svg)
	case a.format == "json" && m.bytes != nil:
		_, err := a.out.Write(m.bytes)
		return err
	case m.deployment != nil:
		return a.showDeployment(m.deployment)
	case m.record != nil:
		return a.showRecord(m.record)
	}
	return a.showModel(m.table)
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

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/ebm"
)

func (a *app) model() *cobra.Command {
	cmd := &cobra.Command{Use: "model", Short: "explainable models from any CSV: fit, score, show"}
	cmd.AddCommand(a.modelFit(), a.modelScore(), a.modelShow())
	return cmd
}

func (a *app) modelFit() *cobra.Command {
	var f engine.ModelFit
	var out string
	var monotone []string
	cmd := &cobra.Command{
		Use: "fit --csv FILE --out FILE", Short: "fits an additive model to the rows of a CSV file", Args: cobra.NoArgs,
		Long: `Fits an explainable boosting machine to a CSV file with a header. A column that
is all numbers or empty is one of numbers, any other a category; an empty cell is
missing, which is neither zero nor a word. Rows whose --split is "test" are never
read for fitting. With --time, the newest rows set the level. The same rows give
the same bytes, in any order and on any machine.

The model is a sum of shapes of single columns and tables of a few pairs; what
takes three columns at once it cannot hold.`,
		RunE: func(*cobra.Command, []string) error {
			if f.CSV == "" || out == "" {
				return usage("model fit needs --csv and --out")
			}
			var err error
			if f.Monotone, err = ways(monotone); err != nil {
				return err
			}
			m, err := fitFile(f)
			if err != nil {
				return a.modelFaults(f.CSV, err)
			}
			if err := writeWhole(out, m.Bytes()); err != nil {
				return err
			}
			return a.printFit(m, out)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.CSV, "csv", "", "the `file` of examples, - for standard input")
	flags.StringVar(&f.Label, "label", "label", "the `column` to foretell, 0 or 1")
	flags.StringVar(&f.Split, "split", "", "the `column` that says \"test\" of rows that are not to be read")
	flags.StringVar(&f.Time, "time", "", "the `column` that says when: a number, a date or an RFC 3339 time")
	flags.StringVar(&out, "out", "", "the `file` to write the model to")
	flags.StringVar(&f.Former, "former", "", "an earlier model's `file`, whose cuts are used again so that both can be compared")
	flags.StringSliceVar(&monotone, "monotone", nil, "a `column=up` or column=down that the effect must follow; may be repeated")
	flags.IntVar(&f.Interactions, "pairs", 0, "at most so many pairs of columns, -1 for none (default 10)")
	flags.Uint64Var(&f.Seed, "seed", 0, "another `number`, other bags")
	return cmd
}

// ways reads what --monotone says.
func ways(list []string) (map[string]int, error) {
	out := map[string]int{}
	for _, m := range list {
		name, way, _ := strings.Cut(m, "=")
		switch way {
		case "up":
			out[name] = 1
		case "down":
			out[name] = -1
		default:
			return nil, usage("--monotone %q; expected a column and up or down, as in age=up", m)
		}
	}
	return out, nil
}

// fitFile opens what a fit reads.
func fitFile(f engine.ModelFit) (*ebm.Model, error) {
	if f.Former != "" {
		former, err := readModel(f.Former)
		if err != nil {
			return nil, err
		}
		f.FormerModel = former
	}
	in, err := openInput(f.CSV)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return engine.FitModel(in, f)
}

// openInput opens a file, or standard input for "-".
func openInput(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(os.Stdin), nil
	}
	return os.Open(name)
}

func readModel(name string) (*ebm.Model, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	m, err := ebm.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return m, nil
}

// modelFaults prints what is wrong with a CSV file, which is wrong usage.
func (a *app) modelFaults(name string, err error) error {
	var faults ebm.Faults
	if !errors.As(err, &faults) {
		return err
	}
	for _, f := range faults {
		fmt.Fprintln(a.err, line(f))
	}
	return usage("%s is not a table of examples: %s", name, count(len(faults), "fault"))
}

// writeWhole writes a file that is there as a whole or not at all.
func writeWhole(name string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}

// printFit says what was fitted and what it is worth.
func (a *app) printFit(m *ebm.Model, out string) error {
	f := m.Facts()
	if a.format == "json" {
		return a.json(map[string]any{"model": out, "rows": f.Rows, "positive": f.Positive, "log_loss": f.LogLoss, "log_loss_base_rate": f.BaseLoss, "terms": f.Terms, "pairs": f.Pairs, "calibrated": f.Calibrated, "recent_rows": f.RecentRows, "recent_shift": f.RecentShift})
	}
	fmt.Fprintf(a.out, "fitted to %s, %.2f %% of them with label 1\n", count(f.Rows, "row"), 100*float64(f.Positive)/float64(f.Rows))
	fmt.Fprintf(a.out, "log loss of rows left out: %.4f (%.4f by the base rate alone)\n", f.LogLoss, f.BaseLoss)
	fmt.Fprintf(a.out, "%s and %s", count(f.Terms, "term"), count(len(f.Pairs), "pair"))
	if len(f.Pairs) > 0 {
		fmt.Fprintf(a.out, ": %s", line(strings.Join(f.Pairs, ", ")))
	}
	fmt.Fprintln(a.out)
	if f.RecentRows > 0 {
		fmt.Fprintf(a.out, "the newest %d rows moved the level by %+.3f\n", f.RecentRows, f.RecentShift)
	}
	fmt.Fprintf(a.out, "next: ringmaster model show %s\n", line(out))
	return nil
}

func (a *app) modelScore() *cobra.Command {
	var model, csv string
	cmd := &cobra.Command{
		Use: "score --model FILE --csv FILE", Short: "scores the rows of a CSV file: row,p,low,high,abstain", Args: cobra.NoArgs,
		Long: `Scores every row: the probability p of label 1, the Venn-Abers interval around
it, and whether the model abstains (1) since the row is unlike what it was fitted
to. With --format json, a line of JSON a row, which also says why.`,
		RunE: func(*cobra.Command, []string) error {
			if csv == "" || model == "" {
				return usage("model score needs --model and --csv")
			}
			m, err := readModel(model)
			if err != nil {
				return err
			}
			in, err := openInput(csv)
			if err != nil {
				return err
			}
			defer in.Close()
			return a.modelFaults(csv, a.scoreRows(m, in, csv))
		},
	}
	cmd.Flags().StringVar(&model, "model", "", "the model's `file`")
	cmd.Flags().StringVar(&csv, "csv", "", "the `file` of rows, - for standard input")
	return cmd
}

// scoreRows prints scores as they are made: a file may be larger than memory.
func (a *app) scoreRows(m *ebm.Model, in io.Reader, name string) error {
	w := bufio.NewWriterSize(a.out, 1<<16)
	var buf []byte
	begin := func() {
		if a.format != "json" {
			w.WriteString("row,p,low,high,abstain\n")
		}
	}
	rows := 0
	each := func(row int, s ebm.Score) error {
		if rows++; row == 0 {
			begin()
		}
		buf = appendScore(buf[:0], row, s, a.format == "json")
		_, err := w.Write(buf)
		return err
	}
	err := m.ScoreCSV(in, name, each)
	if err == nil && rows == 0 {
		begin()
	}
	return errors.Join(err, w.Flush())
}

func appendScore(b []byte, row int, s ebm.Score, asJSON bool) []byte {
	number := func(x float64) { b = strconv.AppendFloat(b, x, 'f', -1, 64) }
	abstain := "0"
	if s.Abstain {
		abstain = "1"
	}
	if !asJSON {
		b = strconv.AppendInt(b, int64(row), 10)
		for _, x := range []float64{s.P, s.Low, s.High} {
			b = append(b, ',')
			number(x)
		}
		b = append(b, ',')
		return append(append(b, abstain...), '\n')
	}
	b = strconv.AppendInt(append(b, `{"row":`...), int64(row), 10)
	for _, m := range []struct {
		key string
		x   float64
	}{{"p", s.P}, {"low", s.Low}, {"high", s.High}} {
		b = append(append(append(b, `,"`...), m.key...), `":`...)
		number(m.x)
	}
	b = append(append(b, `,"abstain":`...), strconv.FormatBool(s.Abstain)...)
	if s.Abstain {
		why, _ := json.Marshal(s.Why)
		b = append(append(b, `,"why":`...), why...)
	}
	return append(b, '}', '\n')
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/ebm"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
	"github.com/ringmaster-dev/ringmaster/engine/risk"
)

// The words for what is in no file, where one is asked for.
const (
	shippedModel   = "exploitation" // the model of exploitation that ships with the engine
	thresholdsWord = "thresholds"
)

// loaded is a model of one of the kinds that there are.
type loaded struct {
	table      *ebm.Model // of a table; beside a deployment, what that learnt beyond its rules
	deployment *risk.Deployment
	record     *risk.TrackRecord
	bytes      []byte // of an estate's model, whose file is what programs read
}

func (l loaded) kind() string {
	switch {
	case l.deployment != nil:
		return "a deployment model"
	case l.record != nil:
		return "a track record"
	}
	return "a model of a table"
}

// anyModel reads a model from a file, or from one as a branch or commit has it.
func (a *app) anyModel(name string) (loaded, error) {
	data, err := a.modelBytes(name)
	if err != nil {
		return loaded{}, err
	}
	var head struct{ Schema string }
	if json.Unmarshal(data, &head) != nil {
		head.Schema = "" // its own reader says what is wrong
	}
	l := loaded{bytes: data}
	switch head.Schema {
	case risk.DeploymentSchema:
		if l.deployment, err = risk.ParseDeployment(data); err == nil {
			l.table = l.deployment.Learnt()
		}
	case risk.Schema:
		l.record, err = risk.ParseTrackRecord(data)
	default:
		l.bytes = nil
		l.table, err = ebm.Parse(data)
	}
	if err != nil {
		return loaded{}, fmt.Errorf("%s: %w", name, err)
	}
	return l, nil
}

// modelBytes reads FILE or, where there is none of that name, BRANCH:FILE.
func (a *app) modelBytes(name string) ([]byte, error) {
	data, err := os.ReadFile(name)
	revision, path, ok := strings.Cut(name, ":")
	if !errors.Is(err, fs.ErrNotExist) || !ok {
		return data, err
	}
	dir, err := a.folder()
	if err != nil {
		return nil, err
	}
	r, err := repo.Open(dir)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	at, err := r.Resolve(revision)
	if errors.Is(err, repo.ErrNotFound) {
		at, err = r.Resolve("origin/" + revision) // a branch that was fetched and never checked out
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %q is neither a branch nor a commit here", name, revision)
	}
	return r.ReadFile(at, path)
}

func (a *app) showDeployment(m *risk.Deployment) error {
	fmt.Fprintf(a.out, "%s\nrules count %.2f times, the base rate is moved by %+.2f log-odds, peers vary by a shape of %.2f\n", m, m.Rules.Slope, m.Rules.Shift, m.Peers)
	p := &chart{out: a.out, width: min(a.width(a.out), 120), color: a.color(a.out)}
	most := 0.0
	for _, pair := range m.Pairs {
		most = max(most, pair.Effect)
	}
	for _, pair := range m.Pairs {
		fmt.Fprintf(a.out, "  %+.2f %s %s\n", pair.Effect, p.paint(pad(blockBar(pair.Effect/most*10), 10), pair.Effect), line(pair.String()))
	}
	if b := m.Bounds; b != nil {
		fmt.Fprintf(a.out, "\nwhat became of %s held out, by the score they had (%d failed)\n", count(b.N, "change"), b.Bad)
		for k, from := range b.From {
			fmt.Fprintf(a.out, "  from %6.2f %%  %5.1f–%5.1f %% %s\n", 100*chance(from), 100*b.Low[k], 100*b.High[k], spanBar(b.Low[k], b.High[k], max(10, p.width-40)))
		}
	}
	if m.Learnt() != nil && m.Share > 0 {
		fmt.Fprintf(a.out, "\nwhat was learnt beyond that, of which %.2f counts:\n\n", m.Share)
		return a.showModel(m.Learnt())
	}
	return nil
}

// chance is the probability at log-odds, for people to read.
func chance(logit float64) float64 { return 1 / (1 + math.Exp(-logit)) }

// spanBar draws an interval of probabilities over 0 to 1.
func spanBar(low, high float64, width int) string {
	from := int(low * float64(width))
	to := min(width, max(from+1, int(math.Ceil(high*float64(width)))))
	return "│" + strings.Repeat(" ", from) + strings.Repeat("█", to-from) + strings.Repeat(" ", width-to) + "│"
}

func (a *app) showRecord(m *risk.TrackRecord) error {
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

// showThresholds prints what probability of exploitation makes a patch how urgent.
func (a *app) showThresholds(ctx context.Context) error {
	e, err := a.env(ctx)
	if err != nil {
		return err
	}
	t, err := e.Thresholds()
	if err != nil {
		return err
	}
	if a.format == "json" {
		return a.json(t)
	}
	from := "the rules' base rate; no model was learnt"
	if t.Learnt {
		from = "what the estate's model has seen"
	}
	fmt.Fprintf(a.out, "Above which probability of exploitation within 30 days a patch is how urgent, where\n%.1f %% of changes go wrong on a host (%s):\n\n", 100*t.DeployRisk, from)
	if t.Currency != "" {
		fmt.Fprintf(a.out, "money is in %s\n", line(t.Currency))
	}
	fmt.Fprintf(a.out, "%-20s %-9s %9s %14s %16s  %8s %8s %8s  %s\n", "tier", "exposure", "tolerance", "a failure costs", "an exploit costs", "standard", "high", "critical", "costs even from")
	for _, r := range t.Rows {
		if r.Fails == 0 && r.Exploited == 0 {
			fmt.Fprintf(a.out, "%-20s %-9s %s\n", line(r.Tier), r.Exposure, r.Why)
			continue
		}
		fmt.Fprintf(a.out, "%-20s %-9s %9s %14.0f %16.0f  %8s %8s %8s  %s\n", line(r.Tier), r.Exposure, strconv.FormatFloat(r.Tolerance, 'f', -1, 64), r.Fails, r.Exploited, above(r.Standard), above(r.High), above(r.Critical), above(r.BreakEven))
	}
	fmt.Fprintf(a.out, "\ntaken: %s\nThe strictest of this and the rules' class counts, and no class goes past its clock;\nwhat a plan says of a patch is worked out from its own risk, hosts and services.\n", t.Taken)
	return nil
}

// above is a threshold that a probability may exceed or not.
func above(p float64) string {
	switch {
	case p >= 0.99999:
		return "never"
	case p < 0.0001:
		return "< 0.01 %"
	}
	return strconv.FormatFloat(100*p, 'f', 2, 64) + " %"
}

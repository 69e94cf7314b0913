package main

import (
	"cmp"
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
)

func (a *app) policy() *cobra.Command {
	cmd := &cobra.Command{Use: "policy", Short: "for policy authors: test, explain, replay, bundle, schema"}
	cmd.AddCommand(a.contained(a.policyTest()), a.contained(a.policyExplain()), a.contained(a.policyReplay()), a.policyComment(), a.contained(a.policyBundle()), a.policySchema())
	return cmd
}

// testOptions are the flags of policy test.
type testOptions struct {
	floor  float64
	strict bool
	cost   bool
	watch  bool
}

// coverageFloor is what tests have to reach unless somebody says otherwise.
const coverageFloor = 80

func (a *app) policyTest() *cobra.Command {
	var o testOptions
	cmd := &cobra.Command{
		Use: "test", Short: "runs the tests beside the policies, as opa test does, and lints the policies", Args: cobra.NoArgs,
		Long: `Compiles the policies of the working tree against the schema of input, runs the
tests beside them as opa test does, says what they do not reach, and looks for
what compiles and is probably not meant. Nothing of the estate but policies/ is
read, unless --cost asks what the rules cost on HEAD's estate.

Ends with 1 where a test fails, less is covered than the floor, or a finding is
wrong for certain; with 2 where the policies do not compile.`,
		Example:     "  ringmaster policy test\n  ringmaster policy test --watch\n  ringmaster policy test --coverage-floor 100 --strict --format github",
		Annotations: map[string]string{"formats": "github sarif"},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.floor < 0 || o.floor > 100 {
				return usage("--coverage-floor %v; expected percent, from 0 to 100", o.floor)
			}
			dir, err := a.folder()
			if err != nil {
				return err
			}
			if o.watch {
				return a.watchPolicies(cmd.Context(), dir, func() error { return a.testPolicies(cmd.Context(), dir, o) })
			}
			return a.testPolicies(cmd.Context(), dir, o)
		},
	}
	f := cmd.Flags()
	f.Float64Var(&o.floor, "coverage-floor", coverageFloor, "fail below this `percent` of lines covered; 0 is none")
	f.BoolVar(&o.strict, "strict", false, "warnings fail too")
	f.BoolVar(&o.cost, "cost", false, "how many evaluations each rule takes to plan HEAD's estate")
	f.BoolVar(&o.watch, "watch", false, "run again whenever a file under policies/ changes")
	return cmd
}

func (a *app) testPolicies(ctx context.Context, dir string, o testOptions) error {
	fsys := os.DirFS(dir)
	r, err := engine.ReviewPolicies(fsys)
	if err != nil {
		return err
	}
	if len(r.Faults) > 0 {
		return a.invalidPolicies(r.Faults)
	}
	v := verdictOf(r, o)
	if o.cost {
		if v.costs, err = a.policyCosts(ctx, dir); err != nil {
			return err
		}
	}
	if err := a.printVerdict(v); err != nil {
		return err
	}
	return failedUnless(len(v.faults) == 0)
}

func (a *app) policyCosts(ctx context.Context, dir string) (*engine.PolicyCosts, error) {
	e, err := a.env(ctx)
	if err != nil {
		return nil, err
	}
	defer e.Repo.Close()
	costs, err := e.PolicyCosts(os.DirFS(dir))
	if err != nil {
		return nil, fmt.Errorf("counting what the rules cost on HEAD's estate: %w", err)
	}
	return costs, nil
}

func (a *app) invalidPolicies(faults []estate.Fault) error {
	return a.printFaults(faults, &usageError{fmt.Errorf("the policies are invalid: %s", count(len(faults), "fault"))})
}

func failedUnless(ok bool) error {
	if ok {
		return nil
	}
	return errFailed
}

// problem is one thing that policy test has to say of a place.
type problem struct {
	estate.Fault
	Check string `json:"check"` // a check of lint, test or coverage
}

// verdict is what policy test found.
type verdict struct {
	faults   []problem // any of them fails it; by place
	warnings []problem // by place
	review   *engine.PolicyReview
	floor    float64
	costs    *engine.PolicyCosts // nil: nobody asked
}

func verdictOf(r *engine.PolicyReview, o testOptions) *verdict {
	v := &verdict{review: r, floor: o.floor}
	for _, f := range r.Findings {
		p := problem{estate.Fault(f.Fault), f.Check}
		if f.Warning && !o.strict {
			v.warnings = append(v.warnings, p)
		} else {
			v.faults = append(v.faults, p)
		}
	}
	for _, t := range r.Tests.Tests {
		if !t.Passed && !t.Skipped {
			v.faults = append(v.faults, problem{estate.Fault{File: t.File, Line: t.Line, Message: fmt.Sprintf("%s failed: %s", t.Name, t.Message)}, "test"})
		}
	}
	if p, under := underFloor(r.Tests, o.floor); under {
		v.faults = append(v.faults, p)
	}
	sortProblems(v.faults)
	return v
}

// underFloor is the fault of tests that cover too little, at the first line of
// the file that they leave out most of. Where there are no policies, there is
// nothing to cover.
func underFloor(r policy.TestReport, floor float64) (problem, bool) {
	if len(r.Files) == 0 || r.Coverage >= floor {
		return problem{}, false
	}
	worst := r.Files[0]
	for _, f := range r.Files {
		if f.Coverage < worst.Coverage {
			worst = f
		}
	}
	p := problem{estate.Fault{File: worst.File, Line: 1, Message: fmt.Sprintf("the tests cover %.1f %% of lines, less than the floor of %v %%", r.Coverage, floor)}, "coverage"}
	if len(worst.Missing) > 0 {
		p.Line = cmp.Or(worst.Missing[0][0], 1)
	}
	return p, true
}

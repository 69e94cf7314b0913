package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/command"
	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
)

// overrideKinds are what an override may do.
var overrideKinds = []string{"hold", "exclude", "risk", outcome.Exception, outcome.Release, outcome.Lift, outcome.BreakGlass}

func (a *app) override() *cobra.Command {
	var o outcome.Override
	var host, until, rule string
	cmd := &cobra.Command{
		Use: "override hold|exclude|risk|exception|release|lift|break-glass", Short: "records a disagreement with its reason and its end: hold, exclude, risk, exception, release, lift, break-glass",
		Long: `Records a disagreement:

  hold         nothing of it begins
  exclude      the same, meant for good
  risk         its risk is taken for --value high or low
  exception    rules that yield to exceptions, or --rule alone, let --patch through
  release      ends before its time what holds, excludes, stops or takes for riskier
               just what it is about
  lift         ends the quarantines of --patch, or of --host, that are there now
  break-glass  --plan, as it is now, begins without those who should approve it, and
               is reported until they have; --until is at most 72 hours away

What adds caution is committed at once. What takes it away becomes a pull request
that an owner other than who asks approves, and lasts for 90 days at most.

It is about every patch, host and service, unless --patch, --host, --service or
--plan narrow it, and holds until --until, or for good. What it holds back is
planned, and begun, no more; what is under way is still judged and rolled back.`,
		Args: cobra.ExactArgs(1), ValidArgs: overrideKinds,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Kind = args[0]
			if err := checkKind(o, rule); err != nil {
				return err
			}
			if rule != "" {
				o.Value = rule
			}
			return a.disagree(cmd, o, host, until)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Patch, "patch", "", "patches it is about, as a `pattern` of ids (default: every one)")
	f.StringVar(&o.Service, "service", "", "the service it is about")
	f.StringVar(&o.Plan, "plan", "", "the plan it is about")
	f.StringVar(&o.Value, "value", "", "risk: high | low")
	f.StringVar(&rule, "rule", "", "exception: the rule that yields, as in freeze.deny (default: every one that may)")
	a.whoAndWhy(cmd, &o, &host, &until)
	return cmd
}

func (a *app) stop() *cobra.Command {
	o := outcome.Override{Kind: "stop"}
	var host, until string
	var all bool
	cmd := &cobra.Command{
		Use: "stop", Short: "stops everything now: nothing more begins until it is taken back by a pull request, or ends",
		Long: `Stops everything, or one plan or host, from the next host on: no change begins,
also in a run that is under way, which asks the protected branch before each host.
Hosts that went wrong are still rolled back, and what was begun is still judged;
--rollbacks holds rollbacks back too. It is committed at once, and ends at
--until, or when an owner approves what ` + "`override release`" + ` proposes.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if all {
				o.Value = outcome.StopAll
			}
			return a.disagree(cmd, o, host, until)
		},
	}
	cmd.Flags().StringVar(&o.Plan, "plan", "", "the plan it is about (default: every one)")
	cmd.Flags().BoolVar(&all, "rollbacks", false, "hold rollbacks back too")
	a.whoAndWhy(cmd, &o, &host, &until)
	return cmd
}

func (a *app) whoAndWhy(cmd *cobra.Command, o *outcome.Override, host, until *string) {
	f := cmd.Flags()
	f.StringVar(host, "host", "", "the host it is about")
	f.StringVar(&o.By, "by", "", "who disagrees (default: $USER)")
	f.StringVar(&o.Reason, "reason", "", "why; models learn from it. It may begin with its type, as in \"business: month end\"")
	f.StringVar(&o.ReasonType, "reason-type", "", "what kind of reason: "+strings.Join(outcome.ReasonWords(), " | "))
	f.StringVar(until, "until", "", "when it ends, as a `date`: 2026-03-09, when that day begins in the estate's time zone, or 2026-03-09T09:00:00Z")
}

func checkKind(o outcome.Override, rule string) error {
	switch {
	case o.Kind != outcome.Exception && rule != "":
		return usage("override %s: --rule is for exception", o.Kind)
	case o.Kind == "risk" && o.Value != "high" && o.Value != "low":
		return usage("override risk: --value %q; expected one of high, low", o.Value)
	case o.Kind != "risk" && o.Value != "":
		return usage("override %s: --value is for risk", o.Kind)
	}
	for _, k := range overrideKinds {
		if k == o.Kind {
			return nil
		}
	}
	return usage("override %q; expected one of %s", o.Kind, strings.Join(overrideKinds, ", "))
}

func (a *app) disagree(cmd *cobra.Command, o outcome.Override, host, until string) error {
	if typ, reason, _ := command.Typed(o.Reason); typ != "" && o.ReasonType == "" {
		o.ReasonType, o.Reason = typ, reason
	}
	if o.ReasonType != "" && !slices.Contains(outcome.ReasonWords(), o.ReasonType) {
		return usage("--reason-type %q; %s", o.ReasonType, hclfile.Expected(o.ReasonType, outcome.ReasonWords()))
	}
	o.Host = inventory.HostID(host)
	if o.By == "" {
		o.By = a.getenv("USER")
	}
	switch {
	case o.By == "":
		return usage("nobody is named; say who with --by")
	case o.Reason == "":
		return usage("an override has a reason, which models learn from; say it with --reason")
	}
	return a.withEnv(cmd, func(e *engine.Env) error {
		if err := setUntil(cmd.Context(), e, &o, until); err != nil {
			return err
		}
		pr, err := e.Override(cmd.Context(), o)
		if err != nil {
			return err
		}
		if pr != nil {
			fmt.Fprintf(a.out, "it takes caution away, so it is proposed as %s for an owner's approval\n", pr.Branch)
			return nil
		}
		fmt.Fprintln(a.out, "recorded; it holds from now on")
		return nil
	})
}

// setUntil reads --until. Only a date alone asks the estate for its time zone, which a
// stop in a hurry does not wait for.
func setUntil(ctx context.Context, e *engine.Env, o *outcome.Override, until string) (err error) {
	if until == "" {
		return nil
	}
	zone := time.UTC
	if _, alone := time.Parse(time.DateOnly, until); alone == nil {
		if zone, err = e.Zone(ctx); err != nil {
			return err
		}
	}
	if o.Until, err = command.Until(until, zone); err != nil {
		return usage("--until %v", err)
	}
	return nil
}

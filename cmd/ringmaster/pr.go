package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/forge"
)

func (a *app) pr() *cobra.Command {
	cmd := &cobra.Command{Use: "pr", Short: "the forge's pull requests: list, show, approve, comment, merge, close, reopen"}
	cmd.AddCommand(a.prList(), a.prShow(), a.prApprove(), a.prComment(), a.prMerge(), a.prClose(), a.prReopen())
	return cmd
}

// withEnv runs f with an open environment.
func (a *app) withEnv(cmd *cobra.Command, f func(*engine.Env) error) error {
	e, err := a.env(cmd.Context())
	if err != nil {
		return err
	}
	defer e.Repo.Close()
	return f(e)
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

// pullStates are what pull requests may be listed by.
var pullStates = []string{"open", "merged", "closed", "all"}

func (a *app) prList() *cobra.Command {
	var state string
	cmd := &cobra.Command{
		Use: "list", Short: "pull requests of plans, models and overrides", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains(pullStates, state) {
				return usage("--state %q; expected one of %s", state, strings.Join(pullStates, ", "))
			}
			return a.withEnv(cmd, func(e *engine.Env) error {
				if state == "all" {
					state = ""
				}
				list, err := e.Pulls(cmd.Context(), state)
				if err != nil {
					return err
				}
				if a.format == "json" {
					return json.NewEncoder(a.out).Encode(list)
				}
				for _, p := range list {
					note := p.State
					if p.NeedsReview {
						note += ", needs review"
					}
					if len(p.Approvals) > 0 {
						note += ", approved by " + strings.Join(p.Approvals, ", ")
					}
					fmt.Fprintf(a.out, "%-28s %-40s %s\n", p.ID, note, line(p.Title))
				}
				if len(list) == 0 {
					fmt.Fprintln(a.out, "none; `ringmaster plan --open` opens them")
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&state, "state", "all", "open | merged | closed | all")
	return cmd
}

func (a *app) prShow() *cobra.Command {
	return &cobra.Command{
		Use: "show [ID]", Short: "a pull request's description, on the local forge its thread, and what it lacks", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withEnv(cmd, func(e *engine.Env) error {
				pr, err := e.Pull(cmd.Context(), first(args))
				if err != nil {
					return err
				}
				missing, err := e.Missing(cmd.Context(), pr)
				if err != nil {
					return err
				}
				thread, err := threadOf(cmd.Context(), e, pr.Branch)
				if err != nil {
					return err
				}
				if a.format == "json" {
					return json.NewEncoder(a.out).Encode(map[string]any{"id": strings.TrimPrefix(pr.Branch, "ringmaster/"), "branch": pr.Branch, "title": pr.Title, "body": pr.Body, "state": pr.State, "head": pr.Head,
						"missing": append([]string{}, missing...), "thread": append([]remark{}, thread...)})
				}
				fmt.Fprintf(a.out, "%s (%s)\n\n%s\n", line(pr.Title), pr.State, plain(strings.TrimRight(pr.Body, "\n")))
				for _, r := range thread {
					r.print(a.out)
				}
				if pr.State == "open" && len(missing) > 0 {
					fmt.Fprintf(a.out, "\nmissing: %s\n", strings.Join(missing, "; "))
				}
				return nil
			})
		},
	}
}

func (a *app) prApprove() *cobra.Command {
	var by string
	cmd := &cobra.Command{
		Use: "approve [ID]", Short: "records a review of what the pull request says now", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withEnv(cmd, func(e *engine.Env) error {
				if err := a.claim(e, &by); err != nil {
					return err
				}
				pr, err := e.Pull(cmd.Context(), first(args))
				if err != nil {
					return err
				}
				if err := e.Forge.Approve(cmd.Context(), pr.Branch, by, e.At); err != nil {
					return err
				}
				if pr, err = e.Forge.Find(cmd.Context(), pr.Branch); err != nil {
					return err
				}
				missing, err := e.Missing(cmd.Context(), pr)
				if err != nil {
					return err
				}
				said, err := acknowledged(cmd.Context(), e, pr, by)
				if err != nil {
					return err
				}
				if len(missing) > 0 {
					fmt.Fprintf(a.out, "%s; still missing: %s\n", said, strings.Join(missing, "; "))
				} else {
					fmt.Fprintf(a.out, "%s; next: ringmaster pr merge %s\n", said, strings.TrimPrefix(pr.Branch, "ringmaster/"))
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&by, "by", "", "who approves, on the local forge: recorded as claimed (default: $USER)")
	return cmd
}

// acknowledged says what an approval is worth, on the local forge, which takes anybody's.
func acknowledged(ctx context.Context, e *engine.Env, pr forge.PullRequest, by string) (string, error) {
	if e.Forge.Name() != "local" {
		return "approved", nil
	}
	why, err := e.Uncounted(ctx, pr, by)
	if why == "" {
		return "approved", err
	}
	return "recorded, and does not count: " + line(why), err
}

// claim settles who acts: on the local forge whoever --by names, else the
// token's owner, whom nobody may name.
func (a *app) claim(e *engine.Env, by *string) error {
	if e.Forge.Name() != "local" {
		if *by != "" {
			return usage("--by is for the local forge; here the token's owner acts")
		}
		return nil
	}
	if *by == "" {
		*by = a.getenv("USER")
	}
	if *by == "" {
		return usage("nobody is named; say who with --by")
	}
	return nil
}

// someone is claim where it matters less who acts than that a person does.
func (a *app) someone(e *engine.Env, by *string) error {
	err := a.claim(e, by)
	if *by != "" {
		return err
	}
	*by = "somebody"
	return nil
}

func (a *app) prMerge() *cobra.Command {
	var by string
	cmd := &cobra.Command{
		Use: "merge [ID]", Short: "merges what has everything it needs", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withEnv(cmd, func(e *engine.Env) error {
				if err := a.claim(e, &by); err != nil {
					return err
				}
				pr, err := e.Merge(cmd.Context(), first(args), by)
				if err != nil {
					return err
				}
				fmt.Fprintf(a.out, "merged %s as %.10s; next: ringmaster execute\n", strings.TrimPrefix(pr.Branch, "ringmaster/"), pr.Merge)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&by, "by", "", "who merges, on the local forge (default: $USER)")
	return cmd
}

func (a *app) prClose() *cobra.Command {
	var by, reason string
	cmd := &cobra.Command{
		Use: "close [ID]", Short: "closes a pull request with a reason; it stays closed until its plan brings something new", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withEnv(cmd, func(e *engine.Env) error {
				if err := a.someone(e, &by); err != nil {
					return err
				}
				pr, err := e.Pull(cmd.Context(), first(args))
				if err != nil {
					return err
				}
				if err := e.Forge.Close(cmd.Context(), pr.Branch, by, reason); err != nil {
					return err
				}
				fmt.Fprintf(a.out, "closed %s\n", strings.TrimPrefix(pr.Branch, "ringmaster/"))
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&by, "by", "", "who closes, on the local forge (default: $USER)")
	cmd.Flags().StringVar(&reason, "reason", "closed by hand", "why")
	return cmd
}

func (a *app) prReopen() *cobra.Command {
	var by string
	cmd := &cobra.Command{
		Use: "reopen ID", Short: "opens again what a person closed; `plan --open` then brings it up to date", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withEnv(cmd, func(e *engine.Env) error {
				if err := a.someone(e, &by); err != nil {
					return err
				}
				pr, err := e.Pull(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if err := e.Forge.Reopen(cmd.Context(), pr.Branch, by, e.At); err != nil {
					return err
				}
				fmt.Fprintf(a.out, "opened %s again; next: ringmaster plan --open\n", strings.TrimPrefix(pr.Branch, "ringmaster/"))
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&by, "by", "", "who opens it, on the local forge (default: $USER)")
	return cmd
}

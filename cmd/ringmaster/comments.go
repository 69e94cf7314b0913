package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/forge/local"
)

func (a *app) comments() *cobra.Command {
	return &cobra.Command{
		Use: "comments", Short: "does what comments on open plans ask for, and answers them in one comment each", Args: cobra.NoArgs,
		Long: `Reads what people wrote below the pull requests of plans that are open, or merged
and not over. A line that begins a paragraph with /ringmaster is a command: explain,
hold, exclude, stop, release, override, exception, replan, ask, help. Only those of
people are done who may write to the repository now, as the forge says. What adds caution is committed at once; what takes it away
becomes a pull request that an owner approves. Each pull request is answered in one
comment, which is edited. Running it twice does nothing twice.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withEnv(cmd, func(e *engine.Env) error {
				list, err := e.Comments(cmd.Context(), engine.CommentsOptions{Tell: func(x *engine.Explanation) string { return explained(x, false) }})
				if printed := a.printThreads(list); printed != nil {
					return printed
				}
				return err
			})
		},
	}
}

// answered is one command as JSON tells it.
type answered struct {
	Plan     string `json:"plan"`
	By       string `json:"by"`
	Asked    string `json:"asked"`
	Became   string `json:"became"`
	Timezone string `json:"timezone"` // of the times in it
}

func (a *app) printThreads(list []engine.Thread) error {
	out := []answered{}
	for _, t := range list {
		if a.format == "markdown" {
			fmt.Fprintf(a.out, "%s\n", t.Answers.Markdown())
		}
		for _, x := range t.Answers.List {
			out = append(out, answered{t.Plan, x.By, x.Text, x.Became, t.Answers.Timezone})
		}
		for _, r := range t.Answers.Refused {
			out = append(out, answered{t.Plan, r.By, count(r.Many, "command"), "not done: it takes the right to write to this repository, and theirs is " + r.May, t.Answers.Timezone})
		}
	}
	switch a.format {
	case "json":
		return a.json(out)
	case "text":
		for _, x := range out {
			fmt.Fprintf(a.out, "%s  %s  %s\n    %s\n", x.Plan, line(x.By), line(x.Asked), line(x.Became))
		}
		if len(out) == 0 {
			fmt.Fprintln(a.out, "nobody asks for anything")
			return nil
		}
		fmt.Fprintf(a.out, "times are those of %s\n", line(list[0].Answers.Timezone))
	}
	return nil
}

func (a *app) prComment() *cobra.Command {
	var by string
	cmd := &cobra.Command{
		Use: "comment ID TEXT", Short: "says something below a pull request of the local forge", Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withEnv(cmd, func(e *engine.Env) error {
				f, ok := e.Forge.(*local.Forge)
				if !ok {
					return usage("pr comment is for the local forge; write a comment on %s itself", e.Forge.Name())
				}
				if err := a.claim(e, &by); err != nil {
					return err
				}
				pr, err := e.Pull(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return f.Comment(cmd.Context(), pr.Branch, by, args[1], e.At)
			})
		},
	}
	cmd.Flags().StringVar(&by, "by", "", "who says it: recorded as claimed (default: $USER)")
	return cmd
}

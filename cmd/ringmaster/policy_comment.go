package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/replay"
)

func (a *app) policyComment() *cobra.Command {
	return &cobra.Command{
		Use: "comment FILE", Short: "keeps what `policy replay --save FILE` found as one comment of HEAD's pull request", Args: cobra.ExactArgs(1),
		Long: `Reads a report that policy replay saved and keeps it as one comment below the pull
request that HEAD is, or is the merge of: made once, and edited in place after that.
No policy is evaluated, and nothing of the file is believed: whatever it says is
shown as text, and so much of it.

A workflow replays where there is no token and comments where there is one. The pull
request of a fork gets no comment; its workflow's summary has the replay.`,
		Example: "  ringmaster policy replay --against HEAD^1 --save replay.json\n  ringmaster policy comment replay.json",
		RunE: func(cmd *cobra.Command, args []string) error {
			saved, err := readSaved(args[0])
			if err != nil {
				return err
			}
			return a.withEnv(cmd, func(e *engine.Env) error {
				branch, err := e.CommentReplay(cmd.Context(), saved)
				switch {
				case err != nil:
					return fmt.Errorf("%s: %w", args[0], err)
				case branch == "":
					fmt.Fprintln(a.out, "no pull request of this repository has HEAD under review, and so nothing is said")
				default:
					fmt.Fprintf(a.out, "said on %s\n", line(branch))
				}
				return nil
			})
		},
	}
}

// readSaved reads no more than what can be a report.
func readSaved(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, replay.MostSaved+1))
}

package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/replay"
)

func (a *app) policyReplay() *cobra.Command {
	var against, models, save string
	due := true
	cmd := &cobra.Command{
		Use: "replay", Short: "decides every plan in history again with the policies as edited here, and says what would have been otherwise", Args: cobra.NoArgs,
		Long: `Decides every plan in HEAD's history again, at its own commit and time, with the
policies as they lie in the working tree (committed or not), and compares that
with the policies that HEAD's branch began from, or with those of --against. What
flips is joined to what then happened: changes that failed and would have been
stopped, healthy ones that would have waited and how long, changes that waited
and would not have, approvals more and fewer.

A plan counts only where making it again under its own policies gives the same
bytes; the others are named. It is information: it exits 0 whatever flips.

With --models FOLDER-OR-REVISION, history is replayed with the models there, under
the policies that each plan was decided with: what a retraining changes.`,
		Example: "  ringmaster policy replay\n  ringmaster policy replay --against v1.4 --format markdown\n  ringmaster policy replay --models ringmaster/models",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if models != "" && against != "" {
				return usage("--models compares with the models of then; it does not go with --against")
			}
			return a.withEnv(cmd, func(e *engine.Env) error {
				o, err := a.replayOptions(e, against, models)
				if err != nil {
					return err
				}
				o.PlansAlone = !due
				r, err := e.Replay(cmd.Context(), o)
				if err != nil {
					return err
				}
				if save != "" {
					if err := saveReplay(save, r); err != nil {
						return err
					}
				}
				switch a.format {
				case "json":
					return a.json(r)
				case "markdown":
					_, err = fmt.Fprint(a.out, r.Markdown())
					return err
				}
				return r.Text(a.out)
			})
		},
	}
	cmd.Flags().StringVar(&against, "against", "", "compare with the policies of this `revision` (default: where HEAD left the protected branch)")
	cmd.Flags().BoolVar(&due, "due", due, "ask again what was asked when waves were due; without, a long history is replayed sooner")
	cmd.Flags().StringVar(&save, "save", "", "also write the report into this `file`, for `policy comment`")
	cmd.Flags().StringVar(&models, "models", "", "replay with the models of this `folder or revision` instead")
	return cmd
}

// saveReplay writes a report as `policy comment` reads it.
func saveReplay(name string, r *replay.Report) error {
	data, err := json.Marshal(r.Brief())
	if err != nil {
		return err
	}
	return os.WriteFile(name, append(data, '\n'), 0o644)
}

// replayOptions finds the candidate: the working tree's policies, or models in a
// folder or at a revision.
func (a *app) replayOptions(e *engine.Env, against, models string) (engine.ReplayOptions, error) {
	if models != "" {
		return modelsAt(e, models)
	}
	dir, err := a.folder()
	if err != nil {
		return engine.ReplayOptions{}, err
	}
	name, err := uncommitted(e, dir)
	return engine.ReplayOptions{Files: os.DirFS(dir), Name: name, Against: against}, err
}

// uncommitted names the working tree's policies, and says where they are edits
// that HEAD does not have.
func uncommitted(e *engine.Env, dir string) (string, error) {
	head, err := e.Repo.Head()
	if err != nil {
		return "", err
	}
	fsys, err := e.Repo.At(head.Commit)
	if err != nil {
		return "", err
	}
	if engine.SamePolicies(fsys, os.DirFS(dir)) {
		return fmt.Sprintf("policies/ as at HEAD (%.10s)", head.Commit), nil
	}
	return "policies/ as edited here, not committed", nil
}

// modelsAt are the models of an estate's folder, or of a revision.
func modelsAt(e *engine.Env, name string) (engine.ReplayOptions, error) {
	o := engine.ReplayOptions{Models: true, Name: "models/ of " + name}
	if s, err := os.Stat(name); err == nil && s.IsDir() {
		o.Files = os.DirFS(strings.TrimSuffix(name, "/models"))
		return o, nil
	}
	h, err := e.Repo.Resolve(name)
	if err != nil {
		return o, usage("--models %q is neither a folder that holds models/ nor a revision: %v", name, err)
	}
	var fsys fs.FS
	fsys, err = e.Repo.At(h)
	o.Files, o.Name = fsys, fmt.Sprintf("models/ of %s (%.10s)", name, h)
	return o, err
}

package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/feed"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

func (a *app) feeds() *cobra.Command {
	cmd := &cobra.Command{Use: "feeds", Short: "advisory feeds: sync"}
	cmd.AddCommand(&cobra.Command{
		Use: "sync", Short: "refreshes inventory/advisories from the feeds that the protected branch declares", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withEnv(cmd, func(e *engine.Env) error {
				declared, err := e.Feeds(cmd.Context())
				if err != nil {
					return err
				}
				if edited, err := editedFeeds(e.Repo); err != nil {
					return err
				} else if len(edited) > 0 {
					a.log.Warnf("not as committed, and only what is committed is contacted: %s", strings.Join(edited, ", "))
				}
				if len(declared) == 0 {
					return errors.New(`no feed is declared; add one to inventory/, as feed "kev" { from = ["https://…"] }`)
				}
				r, err := feed.Sync(cmd.Context(), feed.Options{Root: e.Repo.Dir(), Feeds: declared, At: e.At, Progress: a.feedProgress})
				if werr := a.printSync(r); werr != nil {
					return werr
				}
				return err
			})
		},
	})
	return cmd
}

// editedFeeds are the files people declare feeds in that are not as HEAD has them.
func editedFeeds(r *repo.Repo) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(r.Dir(), "inventory", "*.hcl"))
	if err != nil {
		return nil, err
	}
	for i, f := range files {
		files[i] = "inventory/" + filepath.Base(f)
	}
	return r.Dirty(files)
}

// feedProgress tells people what is on its way.
func (a *app) feedProgress(p feed.Progress) {
	if p.Result == nil && p.Read == 0 {
		a.log.WithField("from", p.From).Infof("reading %s", p.Kind)
	}
}

func (a *app) printSync(r feed.Report) error {
	if a.format == "json" {
		return a.json(syncView(r))
	}
	for _, s := range r.Results {
		text := fmt.Sprintf("%-9s %-8s %s", s.Status, s.Kind, s.From)
		if s.Status != feed.Failed {
			text += fmt.Sprintf("  %s", count(s.Records, "record"))
		}
		fmt.Fprintln(a.out, text)
		for _, n := range s.Notes {
			fmt.Fprintln(a.out, "          "+n)
		}
	}
	for _, f := range r.Removed {
		fmt.Fprintln(a.out, "removed   "+f)
	}
	if len(r.Changed)+len(r.Removed) > 0 {
		fmt.Fprintln(a.out, "\nnext: commit inventory/, then ringmaster plan")
	}
	return nil
}

// syncView is a report as JSON has it.
func syncView(r feed.Report) any {
	type source struct {
		Kind    string   `json:"kind"`
		From    string   `json:"from"`
		File    string   `json:"file"`
		Status  string   `json:"status"`
		Records int      `json:"records"`
		Notes   []string `json:"notes"`
		Error   string   `json:"error,omitempty"`
	}
	list := []source{}
	for _, s := range r.Results {
		v := source{s.Kind, s.From, s.File, string(s.Status), s.Records, append([]string{}, s.Notes...), ""}
		if s.Err != nil {
			v.Error = s.Err.Error()
		}
		list = append(list, v)
	}
	return map[string]any{"sources": list, "changed": append([]string{}, r.Changed...), "removed": append([]string{}, r.Removed...)}
}

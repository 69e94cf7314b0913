package engine

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// Feeds are those that the protected branch declares: nobody else's addresses
// are contacted (Trust 2).
func (e *Env) Feeds(ctx context.Context) ([]inventory.Feed, error) {
	_, base, err := e.base(ctx)
	if err != nil {
		return nil, err
	}
	est, err := e.read(base)
	if err != nil {
		return nil, err
	}
	return est.Feeds, nil
}

// noticed is what HEAD's estate notices. Of a feed of which nothing is committed it says
// whether the working tree has something: sync brings it, and commits nothing.
func (e *Env) noticed(est *estate.Estate) ([]estate.Fault, error) {
	notices := slices.Clone(est.Notices)
	for _, f := range est.Feeds {
		i := slices.Index(notices, estate.NothingOf(f.Kind))
		if i < 0 || e.Repo.Dir() == "" {
			continue
		}
		files := notices[i].File + "/" + f.Kind + "/*"
		if f.Kind == "patches" {
			files = notices[i].File + "/*.jsonl"
		}
		names, err := fs.Glob(os.DirFS(e.Repo.Dir()), files)
		if err != nil {
			return nil, err
		}
		dirty, err := e.Repo.Dirty(names)
		if err != nil {
			return nil, fmt.Errorf("looking for what feeds brought: %w", err)
		}
		if len(dirty) > 0 {
			notices[i].Message = fmt.Sprintf("feed %q is here, and not committed (%s): commit it, for a plan is made of what is committed", f.Kind, dirty[0])
		}
	}
	return notices, nil
}

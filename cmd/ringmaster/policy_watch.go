package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/policy"
)

// lookEvery is how often --watch looks at policies/.
const lookEvery = 200 * time.Millisecond

// watchPolicies runs at once and whenever a file under policies/ changes, until
// the command is interrupted. What a run finds is no end.
func (a *app) watchPolicies(ctx context.Context, dir string, run func() error) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	look := func() (stamps, error) { return stampsOf(os.DirFS(dir)) }
	return watch(ctx, look, tick.C, func(changed []string) error {
		a.clear()
		began := time.Now()
		err := run()
		if a.exit(err) == exitFailed && !errors.Is(err, errFailed) {
			return errFailed // it could not run at all, and that is told
		}
		if a.format == "text" {
			fmt.Fprintf(a.out, "%s in %d ms; waiting for the next change under policies/\n", becauseOf(changed), time.Since(began).Milliseconds())
		}
		return nil
	})
}

// clear makes room on a terminal.
func (a *app) clear() {
	if a.color(a.out) {
		fmt.Fprint(a.out, "\x1b[H\x1b[2J")
	}
}

func becauseOf(changed []string) string {
	switch len(changed) {
	case 0:
		return "first run"
	case 1:
		return changed[0] + " changed; run again"
	}
	return fmt.Sprintf("%d files changed, %s first; run again", len(changed), changed[0])
}

// watch calls run at the start with nothing, and then with the files that are
// otherwise than when it last looked. It looks whenever it ticks.
func watch(ctx context.Context, look func() (stamps, error), tick <-chan time.Time, run func(changed []string) error) error {
	before, err := look()
	if err != nil {
		return err
	}
	if err := run(nil); err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick:
		}
		now, err := look()
		if err != nil {
			return err
		}
		changed := before.changed(now)
		if len(changed) == 0 {
			continue
		}
		before = now
		if err := run(changed); err != nil {
			return err
		}
	}
}

// stamps tell whether files are as they were, without reading them.
type stamps map[string]stamp

type stamp struct {
	size int64
	at   time.Time
}

// stampsOf are those of the policy files. A file that goes while it is looked at
// is not there.
func stampsOf(fsys fs.FS) (stamps, error) {
	all := stamps{}
	err := fs.WalkDir(fsys, "policies", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && policy.IsPolicy(name) {
			var info fs.FileInfo
			if info, err = d.Info(); err == nil {
				all[name] = stamp{info.Size(), info.ModTime()}
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	return all, err
}

// changed are the files that are new, gone or otherwise, sorted.
func (s stamps) changed(now stamps) []string {
	names := map[string]bool{}
	for name, at := range now {
		if old, ok := s[name]; !ok || old.size != at.size || !old.at.Equal(at.at) {
			names[name] = true
		}
	}
	for name := range s {
		if _, ok := now[name]; !ok {
			names[name] = true
		}
	}
	return slices.SortedFunc(maps.Keys(names), strings.Compare)
}

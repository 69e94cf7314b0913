package engine

import (
	"fmt"
	"path"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/repo"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

// unaltered returns an error where a plugin that lies in the estate is not, in
// the folder it would be started from, what the protected branch has (Trust 2).
// So are files that its command line names, such as an interpreter's script. A
// program elsewhere on the machine is the machine's own affair.
func (x *Executor) unaltered(t *tip, block ring.Fleet) error {
	if block.Kind != "exec" || x.Repo.Dir() == "" {
		return nil
	}
	head, err := x.head()
	if err != nil {
		return err
	}
	for i, word := range block.Command {
		file, ok := within(word, i == 0)
		if !ok {
			continue
		}
		if err := x.same(t, head, file, i == 0); err != nil {
			return err
		}
	}
	return nil
}

// within is a word of a command line as a path in the estate. A program without
// a slash is looked up in PATH and lies elsewhere.
func within(word string, program bool) (string, bool) {
	if word == "" || path.IsAbs(word) || program && !strings.Contains(word, "/") || strings.ContainsAny(word, "\x00\\") {
		return "", false
	}
	file := path.Clean(word)
	return file, file != "." && file != ".." && !strings.HasPrefix(file, "../") && !strings.HasPrefix(file, ".git/") && file != ".git"
}

func (x *Executor) same(t *tip, head repo.Hash, file string, program bool) error {
	want, err := x.Repo.Blob(t.commit, file)
	if err != nil {
		return err
	}
	got, err := x.Repo.Blob(head, file)
	if err != nil {
		return err
	}
	switch {
	case want == "" && program:
		return fmt.Errorf("%s is not on %s: a plugin in the estate is reviewed as the rest of it is", file, t.branch)
	case want != got:
		return fmt.Errorf("%s is not here as it is on %s; check out %s", file, t.branch, t.branch)
	case want == "":
		return nil
	}
	dirty, err := x.Repo.Dirty([]string{file})
	if err != nil {
		return err
	}
	if len(dirty) > 0 {
		return fmt.Errorf("%s was edited here and differs from %s; commit it by a pull request, or undo the edit", dirty[0], t.branch)
	}
	return nil
}

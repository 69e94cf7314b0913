package engine

import (
	"fmt"
	"io/fs"

	"github.com/ringmaster-dev/ringmaster/engine/policy"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// editLaws are policies as far as they judge edits, by their tree.
type editLaws struct {
	sets     map[repo.Hash]*policy.Set // nil: they do not compile
	parts    map[string]*policy.Set    // by what of them is compiled: most changes of policies leave it alone
	outlines map[string]policy.Outline // path and blob → its outline
}

// law names the policies of a commit: their tree.
type law struct {
	commit, tree repo.Hash
}

// editLaw compiles what of a commit's policies judges edits, once for each tree. Of
// policies that do not compile the set is nil, and ok false.
func (e *Env) editLaw(l law) (set *policy.Set, ok bool, err error) {
	if l.tree == "" {
		return nil, true, nil
	}
	if set, known := e.editLaws.sets[l.tree]; known {
		return set, set != nil, nil
	}
	if set, err = e.compileEdits(l.commit); err != nil {
		return nil, false, fmt.Errorf("reading the policies of %.10s: %w", l.commit, err)
	}
	put(&e.editLaws.sets, l.tree, set)
	return set, set != nil, nil
}

// compileEdits compiles what of a commit's policies judges edits, nil where it does
// not compile.
func (e *Env) compileEdits(commit repo.Hash) (*policy.Set, error) {
	fsys, err := e.Repo.At(commit)
	if err != nil {
		return nil, err
	}
	names, key, err := e.editPart(fsys)
	if err != nil {
		return nil, err
	}
	if set, known := e.editLaws.parts[key]; known {
		return set, nil
	}
	files := map[string][]byte{}
	for _, name := range names {
		if files[name], err = fs.ReadFile(fsys, name); err != nil {
			return nil, err
		}
	}
	set, faults := policy.Compile(files)
	if len(faults) > 0 {
		set = nil
	}
	put(&e.editLaws.parts, key, set)
	return set, nil
}

// editPart are the files of a tree's policies that judge edits, and a text that
// differs where any of them does.
func (e *Env) editPart(fsys fs.FS) (names []string, key string, err error) {
	outlines, keys := map[string]policy.Outline{}, map[string]string{}
	err = fs.WalkDir(fsys, "policies", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || !policy.IsPolicy(name) {
			return err
		}
		outlines[name], keys[name], err = e.outline(fsys, name, d)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	names = policy.EditPart(outlines)
	for _, name := range names {
		key += keys[name] + "\x00"
	}
	return names, key, nil
}

// outline outlines a file once, however many trees have it, and names it.
func (e *Env) outline(fsys fs.FS, name string, d fs.DirEntry) (policy.Outline, string, error) {
	info, err := d.Info()
	if err != nil {
		return policy.Outline{}, "", err
	}
	key := fmt.Sprintf("%s\x00%v", name, info.Sys())
	if o, known := e.editLaws.outlines[key]; known {
		return o, key, nil
	}
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return policy.Outline{}, "", err
	}
	o := policy.Outlined(name, text)
	put(&e.editLaws.outlines, key, o)
	return o, key, nil
}

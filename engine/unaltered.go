package engine

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/repo"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

// unaltered returns an error where a command's program that lies in the estate is not,
// in the folder it would be started from, what the protected branch has (Trust 2).
// So are files and folders that its command line names, such as an interpreter's
// script or Ansible's inventory, and what lies beside either, such as the modules
// that a script loads. A program elsewhere on the machine, and a file that Git
// does not know, are the machine's own affair.
func (x *Executor) unaltered(t *tip, command []string) error {
	if len(command) == 0 || x.Repo.Dir() == "" {
		return nil
	}
	head, err := x.head()
	if err != nil {
		return err
	}
	var folders []string
	for i, word := range words(command) {
		file, ok := within(word, i == 0)
		if !ok {
			continue
		}
		there, err := x.same(t, head, file, i == 0)
		if err != nil {
			return err
		}
		folder := file // of which there may be none
		if there {
			folder = path.Dir(file)
		}
		if !slices.Contains(folders, folder) {
			folders = append(folders, folder)
		}
	}
	return x.sameBeside(t, head, folders)
}

// commandOf is what a fleet starts and is given, none where it starts nothing. Ansible reads a
// file besides that nobody names.
func commandOf(block ring.Fleet) []string {
	switch block.Kind {
	case "exec":
		return block.Command
	case "ansible":
		command := slices.Clone(block.Command)
		if len(command) == 0 {
			command = []string{"ansible-playbook"}
		}
		for _, h := range block.Policy.Hooks {
			if h.Tasks != "" {
				command = append(command, h.Tasks)
			}
		}
		return append(command, "ansible.cfg")
	}
	return nil
}

// words are a command line's, and of an option such as --inventory=hosts what follows
// its sign.
func words(command []string) []string {
	list := slices.Clone(command)
	for _, word := range command {
		if _, value, ok := strings.Cut(word, "="); ok && strings.HasPrefix(word, "-") {
			list = append(list, strings.TrimPrefix(value, "@"))
		}
	}
	return list
}

// sameBeside compares what lies in the folders of plugins.
func (x *Executor) sameBeside(t *tip, head repo.Hash, folders []string) error {
	if len(folders) == 0 {
		return nil
	}
	altered, err := x.Repo.Diff(head, t.commit)
	if err != nil {
		return err
	}
	for _, ch := range altered {
		if besideAny(ch.Path, folders) {
			return t.notHere(ch.Path)
		}
	}
	files, err := x.Repo.Diff("", t.commit)
	if err != nil {
		return err
	}
	var paths []string
	for _, f := range files {
		if besideAny(f.Path, folders) {
			paths = append(paths, f.Path)
		}
	}
	return x.clean(t, paths)
}

// besideAny says whether a file lies in one of the folders, or below. An
// estate's own folders hold nothing that a plugin at its root would load.
func besideAny(file string, folders []string) bool {
	return slices.ContainsFunc(folders, func(dir string) bool {
		if dir != "." {
			return strings.HasPrefix(file, dir+"/")
		}
		top, _, below := strings.Cut(file, "/")
		return !below || !slices.Contains(estateFolders, top)
	})
}

// estateFolders are what an estate is made of: see the contract.
var estateFolders = []string{"inventory", "rings", "policies", "models", "plans", "approvals", "outcomes", "overrides", ".github"}

func (t *tip) notHere(file string) error {
	return fmt.Errorf("%s is not here as it is on %s; check out %s", file, t.branch, t.branch)
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

// same compares one file, and says whether the protected branch has it.
func (x *Executor) same(t *tip, head repo.Hash, file string, program bool) (bool, error) {
	want, err := x.Repo.Blob(t.commit, file)
	if err != nil {
		return false, err
	}
	got, err := x.Repo.Blob(head, file)
	if err != nil {
		return false, err
	}
	switch {
	case want == "" && program:
		return false, fmt.Errorf("%s is not on %s: a plugin in the estate is reviewed as the rest of it is", file, t.branch)
	case want != got:
		return false, t.notHere(file)
	case want == "":
		return false, nil
	}
	return true, x.clean(t, []string{file})
}

// clean returns an error where files differ from HEAD on disk.
func (x *Executor) clean(t *tip, files []string) error {
	dirty, err := x.Repo.Dirty(files)
	if err != nil {
		return err
	}
	if len(dirty) > 0 {
		return fmt.Errorf("%s was edited here and differs from %s; commit it by a pull request, or undo the edit", dirty[0], t.branch)
	}
	return nil
}

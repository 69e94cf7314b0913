package repo

import (
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing/filemode"
)

// TestTreesMadeByHand: a name that leads out of its folder, or into .git, is in no
// tree that is read, so that nobody who walks one writes elsewhere.
func TestTreesMadeByHand(t *testing.T) {
	for _, name := range []string{"", ".", "..", "a/b", "../x", "/etc", ".git", ".GIT"} {
		data := encodeTree([]entry{{name: "fine", mode: filemode.Regular}, {name: name, mode: filemode.Regular}})
		if _, err := parseTree(data); err == nil || !strings.Contains(err.Error(), "would lead out of its folder") {
			t.Errorf("parseTree() of a tree with %q = %v", name, err)
		}
	}
	data := encodeTree([]entry{{name: "...", mode: filemode.Regular}, {name: ".gitignore", mode: filemode.Regular}, {name: "a..b", mode: filemode.Dir}, {name: "git", mode: filemode.Dir}})
	if list, err := parseTree(data); err != nil || len(list) != 4 {
		t.Errorf("parseTree() = %v, %v; want four entries", list, err)
	}
}

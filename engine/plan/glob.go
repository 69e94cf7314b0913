package plan

import (
	"path"
	"strings"
)

// Matches says whether a patch's id is one that a pattern means: path.Match's, in
// which "/" is nothing special. A pattern that is malformed matches nothing.
func (id PatchID) Matches(pattern string) bool {
	// path.Match stops at slashes; no id holds a zero byte.
	ok, err := path.Match(strings.ReplaceAll(pattern, "/", "\x00"), strings.ReplaceAll(string(id), "/", "\x00"))
	return err == nil && ok
}

package repo

import (
	"bytes"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
)

// Bundle returns references and all of their history as a Git bundle, version 2
// of gitformat-bundle(5), which `git clone` reads. It has no prerequisites and is
// whole in memory. The same references give the same bytes.
func (r *Repo) Bundle(refs []Ref) ([]byte, error) {
	if r.Shallow() {
		return nil, fmt.Errorf("bundling: %w", ErrShallow)
	}
	var b bytes.Buffer
	b.WriteString("# v2 git bundle\n")
	var have []Hash
	var objs []packed
	seen := map[plumbing.Hash]bool{}
	for _, ref := range refs {
		fmt.Fprintf(&b, "%s %s\n", ref.Hash, ref.Name)
		list, err := r.objectsFor(ref.Hash, have)
		if err != nil {
			return nil, fmt.Errorf("bundling %s: %w", ref.Name, err)
		}
		for _, o := range list {
			if !seen[o.hash] {
				seen[o.hash] = true
				objs = append(objs, o)
			}
		}
		have = append(have, ref.Hash)
	}
	b.WriteByte('\n')
	b.Write(encodePack(objs))
	return b.Bytes(), nil
}

package estate

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// folders are the top folders that belong to an estate.
var folders = []string{"inventory", "rings", "policies", "models", "plans", "approvals", "outcomes", "overrides"}

// list finds the files of every folder. A folder that is not there is empty.
// What is neither a file nor a folder is a fault: a link could lead out of the
// commit.
func (r *reader) list() {
	for _, top := range folders {
		err := fs.WalkDir(r.fsys, top, func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil && name == top && errors.Is(err, fs.ErrNotExist):
				return fs.SkipAll
			case err != nil:
				r.fault(name, 0, "%v", err)
				return fs.SkipDir
			case d.IsDir():
				return nil
			case !d.Type().IsRegular():
				r.fault(name, 0, "not a regular file; links are not followed")
				return nil
			}
			r.files[top] = append(r.files[top], name)
			return nil
		})
		if err != nil {
			r.fault(top, 0, "%v", err)
		}
		slices.Sort(r.files[top])
	}
}

// read returns a file's bytes and remembers their digest. A file that cannot be
// read is a fault.
func (r *reader) read(name string) ([]byte, bool) {
	data, err := fs.ReadFile(r.fsys, name)
	if err != nil {
		r.fault(name, 0, "%v", cause(err))
		return nil, false
	}
	sum := sha256.Sum256(data)
	r.sums[name] = hex.EncodeToString(sum[:])
	return data, true
}

// cause strips the operation and path that the place already tells.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// under returns the files of a folder, at any depth.
func (r *reader) under(dir string) []string {
	top, _, _ := strings.Cut(dir, "/")
	var found []string
	for _, name := range r.files[top] {
		if strings.HasPrefix(name, dir+"/") {
			found = append(found, name)
		}
	}
	return found
}

// in returns the files that stand in a folder itself and have the extension.
func (r *reader) in(dir, ext string) []string {
	return slices.DeleteFunc(r.under(dir), func(name string) bool {
		return path.Dir(name) != dir || path.Ext(name) != ext
	})
}

// digest fills in the digests. Files that no stage has read are read now.
func (r *reader) digest() {
	d := &r.estate.Digests
	advisories := slices.Concat(r.under("inventory/advisories"), r.under("inventory/patches"))
	inventory := slices.DeleteFunc(r.under("inventory"), func(name string) bool {
		return slices.Contains(advisories, name)
	})
	d.Inventory = r.sum(inventory)
	d.Advisories = r.sum(advisories)
	d.Rings = r.sum(r.files["rings"])
	d.Policies = r.sum(r.files["policies"])
	d.Models = r.sum(r.files["models"])
	d.Outcomes = Heads(r.estate.Ledgers)
}

func (r *reader) sum(names []string) string {
	h := sha256.New()
	for _, name := range names {
		if r.sums[name] == "" {
			r.read(name)
		}
		h.Write([]byte(name + "\x00" + r.sums[name] + "\n"))
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// Heads returns the digest that names the heads of all ledgers: "sha256:" and
// the hex sha256 over "<plan id>\0<hex sha256 of the last line, without its
// newline>\n", sorted by plan id. A ledger rewritten, cut or deleted changes it.
func Heads(ledgers map[string][]byte) string {
	heads := make(map[string]string, len(ledgers))
	for id, data := range ledgers {
		heads[id] = HeadOf(data)
	}
	return HeadsOf(heads)
}

// HeadOf is the hex sha256 of a ledger's last line, as Heads takes it in.
func HeadOf(ledger []byte) string {
	text := bytes.TrimSuffix(ledger, []byte("\n"))
	last := sha256.Sum256(text[bytes.LastIndexByte(text, '\n')+1:])
	return hex.EncodeToString(last[:])
}

// HeadsOf is Heads where the head of each ledger is known already.
func HeadsOf(heads map[string]string) string {
	ids := make([]string, 0, len(heads))
	for id := range heads {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	h := sha256.New()
	for _, id := range ids {
		h.Write([]byte(id + "\x00" + heads[id] + "\n"))
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

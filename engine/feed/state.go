package feed

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
)

// stateFile is where Sync keeps what it knows of the sources.
const stateFile = "inventory/advisories/sources.json"

// stateSchema is the schema of stateFile.
const stateSchema = "ringmaster/sources/v1"

// state is sources.json.
type state struct {
	Schema  string  `json:"schema"`
	Sources []entry `json:"sources"` // sorted by file

	read []byte // as it lay there
}

// entry is what is known of one source, as of the last time its content changed:
// what changes without the content is not followed, so that an unchanged source
// changes nothing in Git.
type entry struct {
	File         string    `json:"file"` // the snapshot, from the estate's root
	Kind         string    `json:"kind"`
	From         string    `json:"from"` // without user, password and the query's values
	ETag         string    `json:"etag,omitempty"`
	LastModified string    `json:"last_modified,omitempty"`
	SHA256       string    `json:"sha256"`            // hex, of the snapshot
	Content      string    `json:"content,omitempty"` // hex digest of a folder's documents and names
	Size         int64     `json:"size"`              // bytes of the snapshot
	Records      int       `json:"records"`
	At           time.Time `json:"at"` // when the content last changed
}

func readState(root *os.Root) (*state, error) {
	data, err := root.ReadFile(stateFile)
	if errors.Is(err, fs.ErrNotExist) {
		return &state{Schema: stateSchema}, nil
	}
	if err != nil {
		return nil, err
	}
	s := &state{read: data}
	if err := json.Unmarshal(data, s); err != nil {
		return nil, fmt.Errorf("%s: %s; deleting it makes every source be fetched anew", stateFile, advisory.JSONText(err))
	}
	if s.Schema != stateSchema {
		return nil, fmt.Errorf("%s: unknown schema %q; expected %q", stateFile, s.Schema, stateSchema)
	}
	for _, e := range s.Sources {
		if dir, _ := path.Split(e.File); path.Clean(e.File) != e.File || !strings.HasPrefix(dir, "inventory/advisories/") && dir != "inventory/patches/" || e.File == stateFile {
			return nil, fmt.Errorf("%s: %q is not the path of a snapshot; expected one in inventory/advisories or inventory/patches", stateFile, e.File)
		}
	}
	return s, nil
}

// of returns what is known of a source, nil when its snapshot is another's or
// not there.
func (s *state) of(src source) *entry {
	for i := range s.Sources {
		if e := &s.Sources[i]; e.File == src.file && e.Kind == src.kind && e.From == src.shown {
			found := *e
			return &found
		}
	}
	return nil
}

func (s *state) put(e entry) {
	s.drop(e.File)
	s.Sources = append(s.Sources, e)
	slices.SortFunc(s.Sources, func(a, b entry) int { return cmp.Compare(a.File, b.File) })
}

func (s *state) drop(file string) {
	s.Sources = slices.DeleteFunc(s.Sources, func(e entry) bool { return e.File == file })
}

// saveState writes sources.json where it differs.
func (s *run) saveState() error {
	if s.state.read == nil && len(s.state.Sources) == 0 {
		return nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(s.state); err != nil {
		return err
	}
	if bytes.Equal(b.Bytes(), s.state.read) {
		return nil
	}
	if err := s.write(stateFile, b.Bytes()); err != nil {
		return fmt.Errorf("writing %s: %w", stateFile, err)
	}
	s.report.Changed = append(s.report.Changed, stateFile)
	return nil
}

// holds reports whether the file of an entry lies there as recorded.
func (s *run) holds(e entry) bool {
	f, err := s.root.Open(e.File)
	if err != nil {
		return false
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	return err == nil && n == e.Size && hex.EncodeToString(h.Sum(nil)) == e.SHA256
}

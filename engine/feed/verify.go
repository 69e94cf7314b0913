package feed

import (
	"fmt"
	"maps"
	"slices"

	"github.com/ringmaster-dev/ringmaster/engine/advisory/archive"
	"github.com/ringmaster-dev/ringmaster/engine/advisory/snapshot"
)

// found is what a verified snapshot holds.
type found struct {
	records int
	notes   []string
}

// verify reads what came as the estate will, and says why it cannot be a
// snapshot of the feed. Packed data has been read to its checksums when it
// returns.
func verify(src source, g got, limits snapshot.Limits) (found, error) {
	if g.open && archive.Packing(g.data) == "" && isLines(snapshot.Recognise(g.data)) && (len(g.data) == 0 || g.data[len(g.data)-1] != '\n') {
		return found{}, fmt.Errorf("the server did not say how long the answer is, and its last line has no end: it may be cut")
	}
	s, err := snapshot.Read(src.file, g.data, limits)
	if err != nil {
		return found{}, err
	}
	if src.kind == string(snapshot.Patches) && len(g.data) == 0 {
		return found{}, nil
	}
	if err := rightKind(src.kind, s); err != nil {
		return found{}, err
	}
	if n := len(s.Broken); n > 0 {
		return found{}, fmt.Errorf("%d documents or lines are broken, the first: %s", n, s.Broken[0])
	}
	f := found{}
	for _, k := range snapshot.Holds(src.kind) {
		if k != snapshot.Index {
			f.records += s.Records(k)
		}
	}
	if n := len(s.Unknown); n > 0 {
		f.notes = append(f.notes, fmt.Sprintf("%d documents are in no known format, the first is %q", n, s.Unknown[0]))
	}
	for i, p := range s.Problems {
		if i == 3 {
			f.notes = append(f.notes, fmt.Sprintf("%d things are left out in all", len(s.Problems)))
			break
		}
		f.notes = append(f.notes, p.String())
	}
	return f, nil
}

// isLines reports a format that can be cut without showing.
func isLines(k snapshot.Kind) bool {
	return k == snapshot.EPSS || k == snapshot.KEV || k == snapshot.Debian || k == snapshot.Patches
}

// rightKind holds a snapshot to what the feed declares.
func rightKind(kind string, s *snapshot.Snapshot) error {
	right := 0
	for _, k := range slices.Sorted(maps.Keys(s.Documents)) {
		n := s.Documents[k]
		switch {
		case slices.Contains(snapshot.Holds(kind), k):
			if k != snapshot.Index {
				right += n
			}
		case k != snapshot.Unknown:
			return fmt.Errorf("%d of its documents are %s, where feed %q was expected", n, k, kind)
		}
	}
	if right == 0 {
		return fmt.Errorf("it is not what feed %q holds; expected %s", kind, expected(kind))
	}
	return nil
}

func expected(kind string) string {
	text := ""
	for i, k := range snapshot.Holds(kind) {
		switch {
		case k == snapshot.Index:
		case i == 0:
			text = k.String()
		default:
			text += " or " + k.String()
		}
	}
	return text
}

// shrunk refuses a snapshot without records: a source that is empty all at once
// has lost something, and so would the estate. A list of updates of one's own
// may be empty until the first is written.
func shrunk(src source, records, was int) error {
	switch {
	case records > 0:
		return nil
	case was > 0:
		return fmt.Errorf("it holds no records, where there were %d before; the snapshot stays as it was. Where that is meant, delete %s", was, src.file)
	case src.kind != string(snapshot.Patches):
		return fmt.Errorf("it holds no records")
	}
	return nil
}

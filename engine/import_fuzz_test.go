package engine

import (
	"bytes"
	"os"
	"testing"
)

// FuzzImportLine: a line that can be read is written the same from then on, and
// what it says survives.
func FuzzImportLine(f *testing.F) {
	f.Add([]byte(`{"host":"web-1","at":"2026-03-01T00:00:00Z","source":"vuls","os":{"id":"debian","x":1},"packages":[{"type":"deb","name":"b","version":"2"},{"type":"deb","name":"a","version":"1"}],"findings":[{"cve":"CVE-2024-0001"}],"serial":{"a":[1, 2]}}`))
	f.Add([]byte(`{"host":"web-1","at":"2026-03-03T00:00:00Z","source":"vuls","os":{"id":"debian","version":"12.5"},"mem_mb":2000,"sources":{"ansible":{"at":"2026-03-04T00:00:00Z","fields":["mem_mb","os.id","os.version"]},"vuls":{"at":"2026-03-03T00:00:00Z","fields":["os.id"],"other":{"os.version":"12"}}}}`))
	for _, format := range []string{"vuls", "trivy", "ansible"} {
		data, _ := os.ReadFile("../testdata/import/" + format + ".want")
		for line := range bytes.Lines(data) {
			f.Add(line)
		}
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		once, err := importTestWritten(line)
		if err != nil {
			t.Skip()
		}
		twice, err := importTestWritten(once)
		if err != nil || !bytes.Equal(once, twice) {
			t.Errorf("written again: %v\n%s\n%s", err, once, twice)
		}
	})
}

func importTestWritten(line []byte) ([]byte, error) {
	r, err := importParse(line, nil)
	if err != nil {
		return nil, err
	}
	list, err := r.list()
	if err != nil {
		return nil, err
	}
	return r.encode("", list)
}

package outcome

import (
	"bytes"
	"errors"
	"testing"
	"time"
)

const digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func ledger(t *testing.T, n int) []byte {
	t.Helper()
	var data []byte
	for i := range n {
		var err error
		data, err = Append(data, digest, []Line{{Plan: "high-main-1", Host: "web-01", Event: Intended, At: time.Unix(int64(i), 0)}, {Plan: "high-main-1", Event: Promoted, Wave: i}})
		if err != nil {
			t.Fatal(err)
		}
	}
	return data
}

func TestAppendKeepsWhatIsThere(t *testing.T) {
	two, three := ledger(t, 2), ledger(t, 3)
	if !bytes.HasPrefix(three, two) {
		t.Error("Append() changed earlier lines")
	}
	lines, err := Parse(three, digest)
	if err != nil || len(lines) != 6 {
		t.Errorf("Parse() = %d lines, %v, want 6", len(lines), err)
	}
	if lines[0].Prev != digest {
		t.Errorf("the first line's prev is %q, want the plan's digest", lines[0].Prev)
	}
}

// A line edited, cut, moved, repeated or taken out shows, and where.
func TestParseTampered(t *testing.T) {
	good := ledger(t, 3)
	lines := bytes.SplitAfter(good, []byte("\n"))[:6]
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	tests := []struct {
		name string
		data []byte
		line int
	}{
		{"edited", bytes.Replace(good, []byte(`"web-01"`), []byte(`"web-02"`), 1), 2},
		{"first taken out", join(lines[1:]...), 1},
		{"one taken out", join(lines[0], lines[1], lines[3], lines[4], lines[5]), 3},
		{"two swapped", join(lines[0], lines[2], lines[1], lines[3], lines[4], lines[5]), 2},
		{"repeated", join(lines[0], lines[0]), 2},
		{"last cut", good[:len(good)-3], 6},
		{"no newline", good[:len(good)-1], 6},
		{"not JSON", join(lines[0], []byte("{\n")), 2},
		{"another plan's", join(lines[0]), 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := digest
			if test.name == "another plan's" {
				d = "sha256:00"
			}
			_, err := Parse(test.data, d)
			var broken *ChainError
			if !errors.As(err, &broken) || broken.Line != test.line {
				t.Errorf("Parse() = %v, want a fault in line %d", err, test.line)
			}
		})
	}
}

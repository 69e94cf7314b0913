package engine

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// BenchmarkImportLarge imports one host into an estate of 2,000 with 300 packages
// each, all different.
func BenchmarkImportLarge(b *testing.B) {
	dir := b.TempDir()
	var text strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&text, `{"host":"web-%04d","at":"2026-03-01T00:00:00Z","source":"vuls","packages":[`, i)
		for j := range 300 {
			if j > 0 {
				text.WriteByte(',')
			}
			fmt.Fprintf(&text, `{"type":"deb","name":"package-%03d","version":"1.2.%d-1","arch":"amd64","source":"package-%03d"}`, j, i, j)
		}
		text.WriteString("]}\n")
	}
	if err := os.MkdirAll(dir+"/inventory/facts", 0o755); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(dir+"/inventory/facts/fra1.jsonl", []byte(text.String()), 0o644); err != nil {
		b.Fatal(err)
	}
	in := dir + "/v.json"
	if err := os.WriteFile(in, []byte(importVuls("new-1", "2026-03-01T00:00:00Z", "bash=1")), 0o644); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(text.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Import(ImportOptions{Dir: dir, Format: "vuls", Files: []string{in}}); err != nil {
			b.Fatal(err)
		}
	}
}

// Command screenshot writes a plan's pull request as a folder that shot.mjs
// draws: the description as it goes to GitHub, its title, and the pictures that
// it names. With -small it makes what was drawn small enough to be kept.
//
//	go run ./docs/screenshot -plan DIR/plans/high-payments-1/plan.json -out DIR
//	go run ./docs/screenshot -small PICTURE.png
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/report"
)

func main() {
	from := flag.String("plan", "", "a plan.json")
	out := flag.String("out", "", "the folder to write to")
	picture := flag.String("small", "", "a PNG to write again with fewer colours")
	flag.Parse()
	err := error(nil)
	if *picture != "" {
		err = small(*picture)
	} else {
		err = run(*from, *out)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "screenshot:", err)
		os.Exit(1)
	}
}

func run(from, out string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	p, err := plan.Parse(data)
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	files := report.Files(p)
	files["body.md"] = []byte(report.Body(p, 65536, report.Page{At: "./", Commands: true}))
	files["title.txt"] = []byte(report.Title(p))
	files["id.txt"] = []byte(p.ID)
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(out, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Command gen writes a synthetic estate and commits it, for measurements.
//
//	go run ./testdata/gen -hosts 10000 -advisories 500 -seed 1 -out DIR
//	ringmaster -C DIR --at 2026-03-02T09:00:00Z plan
//
// The same flags make the same commit.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
	"github.com/ringmaster-dev/ringmaster/testdata/gen/synthetic"
)

func main() {
	var o synthetic.Options
	flag.IntVar(&o.Hosts, "hosts", 1000, "how many hosts")
	flag.IntVar(&o.Advisories, "advisories", 500, "how many advisories")
	flag.Uint64Var(&o.Seed, "seed", 1, "what chance follows from")
	flag.Float64Var(&o.Apart, "apart", 0.10, "the share of hosts whose packages differ from their image's")
	at := flag.String("at", "2026-03-02T09:00:00Z", "the time, RFC 3339, that facts are fresh for")
	out := flag.String("out", "", "the folder to write, which must not be there yet")
	flag.Parse()
	if err := run(o, *at, *out); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(o synthetic.Options, at, out string) error {
	t, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return fmt.Errorf("-at: %w", err)
	}
	o.At = t
	if out == "" || flag.NArg() > 0 {
		return fmt.Errorf("usage: gen -out DIR [-hosts N] [-advisories M] [-seed S] [-at T]")
	}
	files, err := synthetic.Estate(o)
	if err != nil {
		return err
	}
	if err := os.Mkdir(out, 0o755); err != nil {
		return err
	}
	for name, data := range files {
		name = filepath.Join(out, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, data, 0o644); err != nil {
			return err
		}
	}
	return commit(out, files, t)
}

// commit makes the folder a repository with one commit, after it was read and
// found without faults.
func commit(dir string, files map[string][]byte, at time.Time) error {
	_, faults := estate.Read(os.DirFS(dir))
	for _, f := range faults {
		fmt.Fprintln(os.Stderr, f)
	}
	if len(faults) > 0 {
		return fmt.Errorf("the estate has %d faults", len(faults))
	}
	r, err := repo.Init(dir, "main")
	if err != nil {
		return err
	}
	defer r.Close()
	who := repo.Person{Name: "gen", Email: "gen@localhost"}
	_, err = r.Advance("refs/heads/main", repo.Next{Changes: files, Message: "A synthetic estate", Author: who, At: at.UTC()})
	return err
}

// Command vulndb lays out the Go vulnerability database, as the module
// golang.org/x/vulndb carries it, as `govulncheck -db` reads it
// (https://go.dev/doc/security/vuln/database#api): so that it comes from the same
// place as every other module.
//
//	vulndb DATA/osv OUT
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// entry is what the index needs of an OSV record.
type entry struct {
	ID        string     `json:"id"`
	Modified  time.Time  `json:"modified"`
	Withdrawn *time.Time `json:"withdrawn"`
	Affected  []struct {
		Package struct {
			Name string `json:"name"`
		} `json:"package"`
	} `json:"affected"`
}

type vuln struct {
	ID       string    `json:"id"`
	Modified time.Time `json:"modified"`
}

type module struct {
	Path  string `json:"path"`
	Vulns []vuln `json:"vulns"`
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: vulndb DATA/osv OUT")
		os.Exit(2)
	}
	if err := lay(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "vulndb:", err)
		os.Exit(1)
	}
}

// lay writes ID/*.json, index/modules.json and index/db.json.
func lay(from, to string) error {
	files, err := filepath.Glob(filepath.Join(from, "GO-*.json"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return errors.New(from + " holds no GO-*.json")
	}
	modules := map[string][]vuln{}
	var newest time.Time
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		var e entry
		if err := json.Unmarshal(data, &e); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if e.Modified.After(newest) {
			newest = e.Modified
		}
		if e.Withdrawn != nil {
			continue
		}
		var once []string
		for _, a := range e.Affected {
			if !slices.Contains(once, a.Package.Name) {
				once = append(once, a.Package.Name)
				modules[a.Package.Name] = append(modules[a.Package.Name], vuln{e.ID, e.Modified})
			}
		}
		var small bytes.Buffer
		if err := json.Compact(&small, data); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := put(filepath.Join(to, "ID", filepath.Base(name)), small.Bytes()); err != nil {
			return err
		}
	}
	index := make([]module, 0, len(modules))
	for path, list := range modules {
		index = append(index, module{path, list})
	}
	slices.SortFunc(index, func(a, b module) int { return strings.Compare(a.Path, b.Path) })
	if err := write(filepath.Join(to, "index", "modules.json"), index); err != nil {
		return err
	}
	return write(filepath.Join(to, "index", "db.json"), map[string]time.Time{"modified": newest})
}

func write(name string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return put(name, data)
}

func put(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o644)
}

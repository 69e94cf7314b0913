package engine_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/ringmaster-dev/ringmaster/"

// floors are the packages by height: one leans only on lower ones. A package
// below another's folder (advisory/osv) stands where floors says, or else on its
// parent's floor.
var floors = map[string]int{
	"engine/version": 0, "engine/advisory": 0, "engine/repo": 0, "engine/hclfile": 0, "engine/cvss": 0, "engine/exact": 0, "engine/ebm": 0, "engine/evidence": 0, "engine/metric": 0, "engine/linear": 0, "engine/markup": 0,
	"engine/inventory": 1, "engine/ring": 1,
	"engine/plan":    2,
	"engine/outcome": 3, "engine/command": 3, "engine/telemetry": 3, "engine/fleet": 3, "engine/forge": 3, // the last three: ports alone, plain values
	"engine/match": 4, "engine/clock": 4, "engine/rollback": 4, "engine/risk": 4, "engine/policy": 4, "engine/schedule": 4, "engine/rollout": 4,
	"engine/health": 4, "engine/report": 4, "engine/review": 4, "engine/replay": 4,
	"engine/estate": 5, "engine/feed": 5,
	"engine/forge/local": 5, "engine/forge/github": 5, "engine/forge/forgetest": 5,
	"engine/telemetry/prometheus": 5, "engine/telemetry/probe": 5, "engine/telemetry/workload": 5,
	"engine/fleet/sim": 5, "engine/fleet/exec": 5, "engine/fleet/host": 5, "engine/fleet/ssh": 5, "engine/fleet/ansible": 5, "engine/fleet/fleettest": 5,
	"engine":         6,
	"cmd/ringmaster": 7, "docs/screenshot": 7,
	"": 0, // starter.go
}

// stages never lean on one another.
var stages = []string{"engine/match", "engine/clock", "engine/rollback", "engine/risk", "engine/policy", "engine/schedule", "engine/rollout", "engine/health", "engine/report", "engine/review", "engine/replay"}

// doors: each library is used by one package (and what stands under it).
var doors = map[string]string{
	"github.com/open-policy-agent/opa": "engine/policy",
	"github.com/go-git/":               "engine/repo",
	"github.com/hashicorp/hcl":         "engine/hclfile",
	"github.com/zclconf/go-cty":        "engine/hclfile",
	"github.com/google/go-github":      "engine/forge/github",
	"github.com/getkin/kin-openapi":    "engine/forge/github/githubtest",
	"github.com/vektah/gqlparser":      "engine/forge/github/githubtest",
	"github.com/pandatix/go-cvss":      "engine/cvss",
	"github.com/prometheus/":           "engine/telemetry/prometheus",
	"github.com/spf13/cobra":           "cmd/ringmaster",
	"golang.org/x/crypto/ssh":          "engine/fleet/ssh",
	"github.com/tsenart/vegeta":        "engine/telemetry/workload",
}

// quiet packages turn values into values: no disk, network, clock, dice or log.
var quiet = []string{"engine/version", "engine/advisory", "engine/cvss", "engine/exact", "engine/ebm", "engine/evidence", "engine/metric", "engine/linear", "engine/markup", "engine/inventory", "engine/ring", "engine/plan", "engine/outcome", "engine/command",
	"engine/match", "engine/clock", "engine/rollback", "engine/risk", "engine/policy", "engine/schedule", "engine/rollout", "engine/health", "engine/report", "engine/review", "engine/replay", "engine/estate"}

// loud is what a quiet package does not import.
var loud = []string{"os", "net", "net/http", "math/rand", "math/rand/v2", "crypto/rand", "log", "log/slog", "github.com/sirupsen/logrus", "os/exec"}

// source is one Go file that is not a test.
type source struct {
	name    string // slash-separated, from the root
	pkg     string // its folder
	imports []string
	text    string
}

func sources(t *testing.T) []source {
	t.Helper()
	var list []source
	root := os.DirFS("..")
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && name != "." || d.Name() == "testdata" || d.Name() == "node_modules") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		data, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, data, parser.ImportsOnly)
		if err != nil {
			return err
		}
		s := source{name: name, pkg: path.Dir(name), text: string(data)}
		if s.pkg == "." {
			s.pkg = ""
		}
		for _, i := range f.Imports {
			p, _ := strconv.Unquote(i.Path.Value)
			s.imports = append(s.imports, p)
		}
		list = append(list, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// floor is a package's height; ok is false for one that nobody placed.
func floor(pkg string) (int, bool) {
	for p := pkg; ; p = path.Dir(p) {
		if n, ok := floors[p]; ok {
			return n, true
		}
		if p == "." || p == "engine" || !strings.Contains(p, "/") {
			return 0, false
		}
	}
}

// under says whether pkg is root or stands below it.
func under(pkg, root string) bool { return pkg == root || strings.HasPrefix(pkg, root+"/") }

func TestFloors(t *testing.T) {
	for _, s := range sources(t) {
		height, ok := floor(s.pkg)
		if !ok {
			t.Errorf("%s: package %q has no floor; place it in floors_test.go", s.name, s.pkg)
			continue
		}
		for _, i := range s.imports {
			p, ours := strings.CutPrefix(i, module)
			if !ours {
				continue
			}
			lower, ok := floor(p)
			family := under(s.pkg, p) || under(p, s.pkg) || path.Dir(s.pkg) == path.Dir(p) && strings.Count(s.pkg, "/") > 1
			if !ok || lower > height || lower == height && !family && height >= 4 {
				t.Errorf("%s (floor %d) imports %s (floor %d): a package leans only on lower ones", s.name, height, p, lower)
			}
		}
	}
}

func TestStagesApart(t *testing.T) {
	for _, s := range sources(t) {
		for _, a := range stages {
			if !under(s.pkg, a) {
				continue
			}
			for _, b := range stages {
				if a != b && slices.ContainsFunc(s.imports, func(i string) bool { return under(i, module+b) }) {
					t.Errorf("%s: stage %s leans on stage %s", s.name, a, b)
				}
			}
		}
	}
}

func TestDoors(t *testing.T) {
	for _, s := range sources(t) {
		for _, i := range s.imports {
			for library, door := range doors {
				if strings.HasPrefix(i, library) && !under(s.pkg, door) {
					t.Errorf("%s imports %s, whose door is %s", s.name, i, door)
				}
			}
		}
	}
}

func TestQuiet(t *testing.T) {
	for _, s := range sources(t) {
		if !slices.ContainsFunc(quiet, func(q string) bool { return under(s.pkg, q) }) || strings.HasSuffix(s.pkg, "test") {
			continue // packages for tests, as inventorytest, read files
		}
		for _, i := range s.imports {
			if slices.Contains(loud, i) {
				t.Errorf("%s imports %s: %s is a quiet package", s.name, i, s.pkg)
			}
		}
		for _, call := range []string{"time.Now(", "time.Sleep(", "time.Since("} {
			if strings.Contains(s.text, call) {
				t.Errorf("%s calls %s…): %s is a quiet package", s.name, call, s.pkg)
			}
		}
	}
}

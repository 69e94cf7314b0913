package estate

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
)

// blockForms are blocks of every kind, in which NAMES stands for attributes; what is
// read of a kind may differ.
var blockForms = []struct{ section, dir, text string }{
	{"estate", "inventory", `estate "x" { NAMES }`},
	{"estate", "inventory", `estate "x" { group "x" { NAMES } }`},
	{"estate", "inventory", `estate "x" { sla { NAMES } }`},
	{"estate", "inventory", `estate "x" { economy { NAMES } }`},
	{"estate", "inventory", `estate "x" { economy { reach { NAMES } } }`},
	{"tier", "inventory", `tier "x" { NAMES }`},
	{"service", "inventory", `service "x" { NAMES }`},
	{"host", "inventory", `host "x" { NAMES }`},
	{"window", "inventory", `window "x" { NAMES }`},
	{"freeze", "inventory", `freeze "x" { NAMES }`},
	{"feed", "inventory", `feed "osv" { NAMES }`},
	{"exception", "inventory", `exception "x" { NAMES }`},
	{"rollback", "inventory", `rollback "x" { NAMES }`},
	{"ring", "rings", `ring "x" { NAMES }`},
	{"fleet", "rings", `fleet "sim" { NAMES }`},
	{"fleet", "rings", `fleet "ssh" { NAMES }`},
	{"fleet", "rings", `fleet "ansible" { NAMES }`},
	{"fleet", "rings", `fleet "ssh" { hook "drain" { NAMES } }`},
	{"fleet", "rings", `fleet "ansible" { hook "drain" { NAMES } }`},
	{"fleet", "rings", `fleet "ssh" { running "x" { NAMES } }`},
	{"health", "rings", `health "prometheus" { NAMES }`},
	{"workload", "rings", `workload "http" { NAMES }`},
	{"bundle", "policies", `bundle "x" { NAMES }`},
}

var (
	wordLiteral  = regexp.MustCompile(`"([a-z][a-z_]*)"`)
	unknownWord  = regexp.MustCompile(`unknown attribute "([a-z_]+)"`)
	blockHeading = regexp.MustCompile(`(?m)^##+ (.*)$`)
	pageLink     = regexp.MustCompile(`\]\(([a-z/]+\.md|policy/README\.md)\)`)
)

// TestEstatePage: docs/estate.md, or a page that it names there, has every attribute
// of every block, and every field of facts.
func TestEstatePage(t *testing.T) {
	page := readPage(t, "estate.md")
	words := wordsOfSource(t)
	forms := map[string]bool{}
	for _, f := range blockForms {
		forms[f.section] = true
		said := section(t, page, f.section)
		for _, l := range pageLink.FindAllStringSubmatch(said, -1) {
			said += readPage(t, l[1])
		}
		known := attributes(f.dir, f.text, words)
		if len(known) == 0 {
			t.Errorf("%s: no attribute is known", f.text)
		}
		for _, name := range known {
			if !strings.Contains(said, "`"+name+"`") && !strings.Contains(said, "`"+name+` "`) {
				t.Errorf("docs/estate.md: block %s does not have %q of %s", f.section, name, f.text)
			}
		}
	}
	for dir, types := range homes {
		for _, typ := range types {
			if !forms[typ] {
				t.Errorf("no form of the block %s of %s/ is tried here", typ, dir)
			}
		}
	}
	facts := section(t, page, "Facts")
	for _, typ := range []reflect.Type{reflect.TypeFor[inventory.Facts](), reflect.TypeFor[inventory.OS](), reflect.TypeFor[inventory.Package](), reflect.TypeFor[inventory.Finding]()} {
		for i := range typ.NumField() {
			if name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ","); !strings.Contains(facts, "`"+name+"`") {
				t.Errorf("docs/estate.md: Facts does not have %q of %s", name, typ)
			}
		}
	}
}

func readPage(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// section is what stands below a heading, up to the next one.
func section(t *testing.T, page, title string) string {
	t.Helper()
	heads := blockHeading.FindAllStringSubmatchIndex(page, -1)
	i := slices.IndexFunc(heads, func(h []int) bool { return page[h[2]:h[3]] == title })
	if i < 0 {
		t.Fatalf("docs/estate.md has no section %q", title)
	}
	end := len(page)
	if i+1 < len(heads) {
		end = heads[i+1][0]
	}
	return page[heads[i][1]:end]
}

// wordsOfSource are all words that might be an attribute: those that stand in quotes
// where blocks are read.
func wordsOfSource(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, name := range append(names, "../policy/bundle_declare.go") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range wordLiteral.FindAllStringSubmatch(string(text), -1) {
			words = append(words, m[1])
		}
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// attributes are those of the words that a block does not call unknown.
func attributes(dir, form string, words []string) []string {
	body := "\n"
	for _, w := range words {
		body += w + " = \"?\"\n"
	}
	text := []byte(strings.NewReplacer("NAMES", body, "{ ", "{\n", " }", "\n}").Replace(form) + "\n")
	unknown := map[string]bool{}
	tell := func(message string) {
		if m := unknownWord.FindStringSubmatch(message); m != nil {
			unknown[m[1]] = true
		}
	}
	if dir == "policies" {
		_, faults := policy.Bundles(map[string][]byte{"policies/x.hcl": text})
		for _, f := range faults {
			tell(f.Message)
		}
	} else {
		_, faults := Read(fs.FS(fstest.MapFS{dir + "/x.hcl": &fstest.MapFile{Data: text, Mode: 0o644}}))
		for _, f := range faults {
			tell(f.Message)
		}
	}
	return slices.DeleteFunc(slices.Clone(words), func(w string) bool { return unknown[w] })
}

var fencedJSON = regexp.MustCompile("(?s)```json\n(.*?)```")

// TestEstatePageExamples: the advisory and the update that docs/estate.md shows are
// taken as they stand there.
func TestEstatePageExamples(t *testing.T) {
	files := fstest.MapFS{"inventory/estate.hcl": &fstest.MapFile{Data: []byte("estate \"x\" {\n}\n"), Mode: 0o644}}
	var want []string
	for _, m := range fencedJSON.FindAllStringSubmatch(readPage(t, "estate.md"), -1) {
		name, id := "inventory/advisories/own/ACME-2026-0001.json", "ACME-2026-0001"
		if strings.Contains(m[1], `"ringmaster/patch/v1"`) {
			name, id = "inventory/patches/own.jsonl", "HER-1312"
		}
		files[name] = &fstest.MapFile{Data: []byte(m[1]), Mode: 0o644}
		want = append(want, id)
	}
	e, faults := Read(files)
	if len(faults) > 0 {
		t.Fatal(lines(faults))
	}
	var got []string
	for _, a := range e.Advisories {
		got = append(got, a.ID)
	}
	if len(want) != 2 || !slices.Equal(got, want) || len(e.Notices) > 0 {
		t.Errorf("advisories = %v with notices %v, want %v", got, e.Notices, want)
	}
}

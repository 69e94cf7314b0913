package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// blocks are the README's fenced blocks of one language.
func blocks(t *testing.T, language string) []string {
	t.Helper()
	data, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllSubmatch(data, -1) {
		list = append(list, string(m[1]))
	}
	if len(list) == 0 {
		t.Fatalf("README.md has no block of %s", language)
	}
	return list
}

// elsewhere are commands that no script runs: TestReadmeDemo, whoever reads
// this and CI, and TestRealRun do.
var elsewhere = []string{
	"go run ./cmd/ringmaster demo", "go test ./...", "go install ./cmd/ringmaster",
	"ringmaster init real", "ringmaster import vuls alma_8.json alma_9.json debian_9.json", "ringmaster feeds sync", "ringmaster plan --format json",
}

// TestReadmeCommands: every command of the README is run by readme_estate.txtar
// as it stands there, but for the time that the script gives.
func TestReadmeCommands(t *testing.T) {
	script, err := os.ReadFile("../../testdata/script/readme_estate.txtar")
	if err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(` --at \S+| --log-level error`).ReplaceAllString(string(script), "")
	run := map[string]bool{}
	for _, l := range strings.Split(text, "\n") {
		run[regexp.MustCompile(`^(! )?((exec|here) )?`).ReplaceAllString(l, "")] = true
	}
	for _, c := range elsewhere {
		run[c] = true
	}
	for _, block := range blocks(t, "sh") {
		for _, l := range strings.Split(strings.TrimSpace(block), "\n") {
			command, _, _ := strings.Cut(l, " #")
			if command = strings.TrimSpace(command); !run[command] {
				t.Errorf("README.md names a command that nothing runs: %s", command)
			}
		}
	}
}

// TestReadmeVerbs: the README's table of verbs is one table, and names each verb
// that there is and no other.
func TestReadmeVerbs(t *testing.T) {
	data, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(data), "| verb | does |\n|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	named := map[string]bool{}
	for _, l := range strings.Split(table, "\n") {
		m := regexp.MustCompile("^\\| `([a-z]+)[^|]* \\| [^|]+ \\|$").FindStringSubmatch(l)
		if m == nil {
			t.Errorf("not a row of the table: %q", l)
			continue
		}
		named[m[1]] = true
	}
	for _, c := range (&app{}).root().Commands() {
		if !named[c.Name()] {
			t.Errorf("the table does not name the verb %q", c.Name())
		}
		delete(named, c.Name())
	}
	for verb := range named {
		t.Errorf("the table names %q, which is no verb", verb)
	}
}

// inOrder says which of the lines is not in the text, after those before it.
// "…" stands for what was left out.
func inOrder(text, lines string) (missing string) {
	have := strings.Split(text, "\n")
	for _, l := range strings.Split(strings.TrimRight(lines, "\n"), "\n") {
		if l == "…" || l == "" {
			continue
		}
		for len(have) > 0 && have[0] != l {
			have = have[1:]
		}
		if len(have) == 0 {
			return l
		}
	}
	return ""
}

// TestReadmeDemo: the transcript and the excerpt of a plan are the demo's, and
// the table row a plan's.
func TestReadmeDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("the demo takes seconds")
	}
	dir := filepath.Join(t.TempDir(), "demo")
	var out, log bytes.Buffer
	if code := run(context.Background(), []string{"demo", dir}, streams{strings.NewReader(""), &out, &log}, func(string) string { return "" }, time.Now()); code != 0 {
		t.Fatalf("demo ended with %d: %s", code, log.String())
	}
	if l := inOrder(out.String(), blocks(t, "text")[0]); l != "" {
		t.Errorf("README.md tells what the demo does not say: %s\n%s", l, out.String())
	}
	plan, err := os.ReadFile(filepath.Join(dir, "plans", "high-payments-1", "plan.md"))
	if err != nil {
		t.Fatal(err)
	}
	if l := inOrder(string(plan), blocks(t, "markdown")[0]); l != "" {
		t.Errorf("README.md tells what the plan does not say: %s\n%s", l, plan)
	}
	script, err := os.ReadFile("../../testdata/script/scanners.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if l := inOrder(string(script), blocks(t, "markdown")[1]); l != "" {
		t.Errorf("README.md tells of a scanner what no plan says: %s", l)
	}
}

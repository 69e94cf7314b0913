package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/ringmaster-dev/ringmaster/engine/policy"
)

const authorsPage = "../../docs/policy/README.md"

// TestAuthorsPage: every command and every file of docs/policy/README.md is in
// policy_author.txtar, in the page's order, and every line of output is one that
// the script asks for.
func TestAuthorsPage(t *testing.T) {
	page, err := os.ReadFile(authorsPage)
	if err != nil {
		t.Fatal(err)
	}
	script, err := txtar.ParseFile("../../testdata/script/policy_author.txtar")
	if err != nil {
		t.Fatal(err)
	}
	rest := regexp.MustCompile(` --at \S+`).ReplaceAllString(string(script.Comment), "")
	asked := askedFor(script)
	for _, m := range regexp.MustCompile("(?s)```(\\w+)\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		language, text := m[1], m[2]
		switch language {
		case "sh":
			for line := range strings.Lines(text) {
				command := strings.TrimSpace(line)
				at := regexp.MustCompile(`(?m)^(! )?((exec|here) )?` + regexp.QuoteMeta(command) + "$").FindStringIndex(rest)
				if at == nil {
					t.Errorf("the page has a command that the script does not run, or not there: %s", command)
					continue
				}
				rest = rest[at[1]:]
			}
		case "text":
			for line := range strings.Lines(text) {
				if !asked(strings.TrimSuffix(line, "\n")) {
					t.Errorf("the page shows what the script does not ask for: %s", line)
				}
			}
		default:
			if !inFiles(script, text) {
				t.Errorf("the page has a file that the script has not:\n%s", text)
			}
		}
	}
}

// askedFor says whether a script asks for a line of output, by a pattern of a
// whole line or by a file to compare with.
func askedFor(script *txtar.Archive) func(line string) bool {
	var patterns []*regexp.Regexp
	for _, m := range regexp.MustCompile(`(?m)^stdout '(\^.*\$)'$`).FindAllStringSubmatch(string(script.Comment), -1) {
		patterns = append(patterns, regexp.MustCompile(strings.ReplaceAll(m[1], "''", "'")))
	}
	return func(line string) bool {
		for _, p := range patterns {
			if p.MatchString(line) {
				return true
			}
		}
		for _, f := range script.Files {
			if strings.HasSuffix(f.Name, ".txt") && strings.Contains("\n"+string(f.Data), "\n"+line+"\n") {
				return true
			}
		}
		return false
	}
}

func inFiles(script *txtar.Archive, text string) bool {
	for _, f := range script.Files {
		if string(f.Data) == text {
			return true
		}
	}
	return false
}

// TestAuthorsPageChecks: the page ends with all checks, which -update rewrites.
func TestAuthorsPageChecks(t *testing.T) {
	page, err := os.ReadFile(authorsPage)
	if err != nil {
		t.Fatal(err)
	}
	const head = "|---|---|---|\n"
	before, have, ok := strings.Cut(string(page), head)
	if !ok {
		t.Fatalf("%s has no table of checks", authorsPage)
	}
	var want strings.Builder
	for _, c := range policy.Checks() {
		fails := "yes"
		if c.Warning {
			fails = "with `--strict`"
		}
		fmt.Fprintf(&want, "| `%s` | %s | %s |\n", c.Name, fails, c.About)
	}
	if have == want.String() {
		return
	}
	if *update {
		if err := os.WriteFile(authorsPage, []byte(before+head+want.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("%s does not end with the checks; -update rewrites them", authorsPage)
}

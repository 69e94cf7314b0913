package starter_test

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
	"go.yaml.in/yaml/v3"
)

// workflow is what the checks look at.
type workflow struct {
	On          any            `yaml:"on"`
	Permissions any            `yaml:"permissions"`
	Concurrency map[string]any `yaml:"concurrency"`
	Jobs        map[string]job `yaml:"jobs"`
}

type job struct {
	RunsOn      any    `yaml:"runs-on"`
	Environment string `yaml:"environment"`
	Permissions any    `yaml:"permissions"`
	Timeout     int    `yaml:"timeout-minutes"`
	Steps       []step `yaml:"steps"`
}

type step struct {
	Name string         `yaml:"name"`
	Uses string         `yaml:"uses"`
	Run  string         `yaml:"run"`
	With map[string]any `yaml:"with"`
	Env  map[string]any `yaml:"env"`
}

// workflows are the files of a folder, by path.
func workflows(t *testing.T, dir string) map[string]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(".github", dir, "*.yml"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no workflows in .github/%s: %v", dir, err)
	}
	files := map[string]string{}
	for _, n := range names {
		data, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.ToSlash(n)] = string(data)
	}
	return files
}

// TestWorkflowsLint holds every workflow to actionlint. Scripts are looked at by
// shellcheck where CI runs it; here no program is needed.
func TestWorkflowsLint(t *testing.T) {
	for _, dir := range []string{"workflows", "starter"} {
		for name, text := range workflows(t, dir) {
			for _, e := range lint(t, name, text) {
				t.Error(e)
			}
		}
	}
	if len(lint(t, "bad.yml", "on: push\njobs:\n  a:\n    runs-on: nowhere-1\n    steps:\n      - run: echo ${{ github.event.issue.title }}\n")) < 2 {
		t.Error("the linter lets a bad workflow pass")
	}
}

func lint(t *testing.T, name, text string) []*actionlint.Error {
	t.Helper()
	l, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{ConfigFile: filepath.Join(".github", "actionlint.yaml")})
	if err != nil {
		t.Fatal(err)
	}
	found, err := l.Lint(name, []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestWorkflowsHold holds workflows to what Trust asks of them.
func TestWorkflowsHold(t *testing.T) {
	for name, text := range workflows(t, "starter") {
		for _, p := range slices.Concat(problems(t, text), starterProblems(t, path.Base(name), text)) {
			t.Errorf("%s: %s", name, p)
		}
	}
	for name, text := range workflows(t, "workflows") {
		for _, p := range problems(t, text) {
			t.Errorf("%s: %s", name, p)
		}
	}
}

func parse(t *testing.T, text string) workflow {
	t.Helper()
	var w workflow
	if err := yaml.Unmarshal([]byte(text), &w); err != nil {
		t.Fatal(err)
	}
	return w
}

var (
	uses     = regexp.MustCompile(`(?m)^\s*(?:- )?uses:\s*(.*)$`)
	pinned   = regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	inScript = regexp.MustCompile(`\$\{\{`)
)

// problems are what is wrong with any workflow.
func problems(t *testing.T, text string) []string {
	w := parse(t, text)
	var list []string
	say := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	for _, m := range uses.FindAllStringSubmatch(text, -1) {
		if !pinned.MatchString(m[1]) {
			say("%q is not pinned by a commit with its version beside it", m[1])
		}
	}
	if m, ok := w.Permissions.(map[string]any); !ok || len(m) != 0 {
		say("top-level permissions are %v, want {}", w.Permissions)
	}
	if w.Concurrency["group"] == nil {
		say("no concurrency group")
	}
	for id, j := range w.Jobs {
		if j.Timeout == 0 {
			say("job %s has no timeout", id)
		}
		if _, ok := j.Permissions.(map[string]any); !ok {
			say("job %s: permissions are %v, want a list of its own", id, j.Permissions)
		}
		for _, s := range j.Steps {
			// Values reach scripts through env, where they are data.
			if inScript.MatchString(s.Run) {
				say("job %s: an expression inside the script %q", id, s.Run)
			}
		}
	}
	return list
}

// starterProblems are what is wrong with a workflow of an estate.
func starterProblems(t *testing.T, name, text string) []string {
	w := parse(t, text)
	var list []string
	say := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	if strings.Contains(text, "github.event") {
		say("it reads the event's payload")
	}
	if strings.Contains(text, "pull_request_target") || strings.Contains(text, "workflow_run") {
		say("it is started with rights by what others do")
	}
	if on := fmt.Sprint(w.On); strings.Contains(on, "pull_request") && strings.Contains(text, "secrets.") {
		say("it names a secret, and pull requests start it")
	}
	if started := strings.Contains(text, "issue_comment"); started && (name != "comments.yml" || fmt.Sprint(w.On.(map[string]any)["issue_comment"]) != "map[types:[created]]") {
		say("it is started with rights by what others say, or by what they change of it")
	}
	for id, j := range w.Jobs {
		at := name + " " + id
		own := strings.Contains(fmt.Sprint(j.RunsOn), "self-hosted")
		if own != (at == "execute.yml apply") {
			say("job %s: self-hosted is %v", id, own)
		}
		if want := environments[at]; j.Environment != want {
			say("job %s: environment is %q, want %q", id, j.Environment, want)
		}
		for scope, right := range rights(j) {
			if right == "write" && !slices.Contains(writers[at], scope) {
				say("job %s may write %s", id, scope)
			}
		}
		for _, s := range j.Steps {
			for _, p := range slices.Concat(stepProblems(at, s), appProblems(j, s)) {
				say("job %s: %s", id, p)
			}
		}
	}
	return list
}

// environments name whose secrets a job sees, appKeys which App's key is among them;
// writers what it may write.
var (
	appKeys      = map[string]string{"ringmaster": "RINGMASTER_APP_KEY", "production": "RINGMASTER_READER_KEY"}
	environments = map[string]string{
		"plan.yml plan": "ringmaster", "learn.yml learn": "ringmaster", "comments.yml comments": "ringmaster", "execute.yml intend": "ringmaster", "execute.yml record": "ringmaster",
		"execute.yml apply": "production",
	}
	writers = map[string][]string{
		"plan.yml plan": {"contents", "pull-requests", "issues", "checks"}, "learn.yml learn": {"contents", "pull-requests"},
		"comments.yml comments": {"contents", "pull-requests"},
		"check.yml check":       {"checks"}, "check.yml comment": {"pull-requests"}, "execute.yml intend": {"contents", "pull-requests", "deployments", "statuses", "checks"}, "execute.yml record": {"contents", "pull-requests", "deployments", "statuses", "checks"},
	}
)

func rights(j job) map[string]any {
	m, ok := j.Permissions.(map[string]any)
	if !ok {
		return map[string]any{"everything": "write"}
	}
	return m
}

// tokenless are jobs that evaluate what anybody may have written.
const tokenless = "check.yml replay"

// pushes is the one job whose scripts push with git itself.
const pushes = "plan.yml plan"

func stepProblems(at string, s step) []string {
	var list []string
	if strings.HasPrefix(s.Uses, "actions/checkout@") {
		if s.With["fetch-depth"] != 0 {
			list = append(list, "checkout without fetch-depth: 0, and plans need history")
		}
		if s.With["persist-credentials"] != false && at != pushes {
			list = append(list, "checkout leaves its credentials in the clone")
		}
		if !strings.HasPrefix(at, "check.yml ") && s.With["ref"] != "main" {
			list = append(list, "checkout of something else than main")
		}
	}
	for line := range strings.Lines(s.Run) {
		if strings.Contains(line, "go build") || strings.Contains(line, "go run") || strings.Contains(line, "go install") && !installs.MatchString(strings.TrimSpace(line)) {
			list = append(list, fmt.Sprintf("%q builds what the estate could have changed", strings.TrimSpace(line)))
		}
	}
	for name, value := range s.Env {
		if at == tokenless && (strings.Contains(name, "TOKEN") || strings.Contains(fmt.Sprint(value), "token")) {
			list = append(list, "a token beside policies that anybody may have written")
		}
	}
	if strings.Contains(s.Run, "secrets.") {
		list = append(list, "a secret inside a script")
	}
	if key := fmt.Sprint(s.With["private-key"]); s.With["private-key"] != nil && key != "${{ secrets."+appKeys[environments[at]]+" }}" {
		list = append(list, fmt.Sprintf("the App's key is %s, which its environment does not hold", key))
	}
	return list
}

// appProblems hold a GitHub App's token to the rights of the job's own, which
// otherwise is all that the App was given, and beside them to read members.
func appProblems(j job, s step) []string {
	if !strings.HasPrefix(s.Uses, "actions/create-github-app-token@") {
		return nil
	}
	want := map[string]any{"members": "read"}
	maps.Copy(want, rights(j))
	got := map[string]any{}
	for name, right := range s.With {
		if scope, is := strings.CutPrefix(name, "permission-"); is {
			got[scope] = right
		}
	}
	if !maps.Equal(got, want) {
		return []string{fmt.Sprintf("the App's token may %v, want %v", got, want)}
	}
	return nil
}

var appRow = regexp.MustCompile(`(?m)^\| (?:Repository|Organization): ([A-Za-z ]+?) \| (read and write|read) \|`)

// TestAppHasWhatItsTokensAskFor: docs/github.md has the App be given what some
// job's token asks for, and nothing else; metadata GitHub adds by itself, and calls
// commit statuses statuses in workflows.
func TestAppHasWhatItsTokensAskFor(t *testing.T) {
	asked := map[string]string{"metadata": "read"}
	for _, text := range workflows(t, "starter") {
		for _, j := range parse(t, text).Jobs {
			for _, s := range j.Steps {
				for name, right := range s.With {
					if scope, is := strings.CutPrefix(name, "permission-"); is && asked[scope] != "write" {
						asked[scope] = fmt.Sprint(right)
					}
				}
			}
		}
	}
	data, err := os.ReadFile("docs/github.md")
	if err != nil {
		t.Fatal(err)
	}
	given := map[string]string{}
	for _, m := range appRow.FindAllStringSubmatch(string(data), -1) {
		given[strings.TrimPrefix(strings.ReplaceAll(strings.ToLower(m[1]), " ", "-"), "commit-")] = strings.TrimPrefix(m[2], "read and ")
	}
	if !maps.Equal(given, asked) {
		t.Errorf("docs/github.md gives the App %v, and its tokens ask for %v", given, asked)
	}
}

var installs = regexp.MustCompile(`^go install github\.com/ringmaster-dev/ringmaster/cmd/ringmaster@v\d+\.\d+\.\d+$`)

// TestWorkflowChecksCanFail breaks a workflow that holds, one rule at a time.
func TestWorkflowChecksCanFail(t *testing.T) {
	const pin = "actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2"
	good := "on: push\npermissions: {}\nconcurrency:\n  group: g\njobs:\n  check:\n    runs-on: ubuntu-24.04\n    timeout-minutes: 5\n    permissions:\n      contents: read\n    steps:\n      - uses: " + pin +
		"\n        with:\n          fetch-depth: 0\n          persist-credentials: false\n      - run: go install github.com/ringmaster-dev/ringmaster/cmd/ringmaster@v0.1.0\n"
	all := func(text string) []string {
		return slices.Concat(problems(t, text), starterProblems(t, "check.yml", text))
	}
	if p := all(good); len(p) > 0 {
		t.Fatalf("the good workflow has problems: %q", p)
	}
	tests := []struct{ name, old, bad, want string }{
		{"tag", pin, "actions/checkout@v4", "not pinned"},
		{"branch", pin, "actions/checkout@main # v4.2.2", "not pinned"},
		{"no version beside", " # v4.2.2", "", "not pinned"},
		{"rights for all", "permissions: {}\n", "permissions: write-all\n", "top-level permissions"},
		{"rights left out", "permissions: {}\n", "", "top-level permissions"},
		{"rights of a job left out", "    permissions:\n      contents: read\n", "", "may write everything"},
		{"a check that writes", "contents: read", "contents: write", "may write contents"},
		{"a check that writes elsewhere", "contents: read", "id-token: write", "may write id-token"},
		{"no group", "concurrency:\n  group: g\n", "", "no concurrency group"},
		{"no timeout", "    timeout-minutes: 5\n", "", "no timeout"},
		{"self-hosted", "ubuntu-24.04", "[self-hosted, ringmaster]", "self-hosted is true"},
		{"environment", "    timeout-minutes: 5\n", "    timeout-minutes: 5\n    environment: production\n", `environment is "production"`},
		{"injection", "run: go", "run: echo ${{ github.head_ref }} && go", "expression inside the script"},
		{"payload", "group: g", "group: ${{ github.event.number }}", "reads the event's payload"},
		{"target", "on: push", "on: pull_request_target", "started with rights"},
		{"comments", "on: push", "on:\n  issue_comment:\n    types: [created]", "by what others say"},
		{"a secret for pull requests", "on: push\n", "on: [pull_request]\nenv:\n  KEY: ${{ secrets.KEY }}\n", "names a secret"},
		{"shallow", "fetch-depth: 0", "fetch-depth: 1", "without fetch-depth: 0"},
		{"credentials", "          persist-credentials: false\n", "", "leaves its credentials"},
		{"built from the estate", "go install github.com/ringmaster-dev/ringmaster/cmd/ringmaster@v0.1.0", "go install ./cmd/ringmaster", "could have changed"},
		{"not a version", "@v0.1.0", "@latest", "could have changed"},
		{"a secret in a script", "run: go", "run: echo ${{ secrets.KEY }} && go", "a secret inside a script"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(good, tt.old, tt.bad, 1)
			if text == good {
				t.Fatal("nothing was broken")
			}
			if p := all(text); !slices.ContainsFunc(p, func(s string) bool { return strings.Contains(s, tt.want) }) {
				t.Errorf("problems() = %q, want one with %q", p, tt.want)
			}
		})
	}
	t.Run("replay has no token", func(t *testing.T) {
		text := strings.Replace(good, "  check:", "  replay:", 1)
		if p := all(text); len(p) > 0 {
			t.Errorf("problems() = %q, want none", p)
		}
		if p := all(text + "        env:\n          GITHUB_TOKEN: ${{ github.token }}\n"); !slices.ContainsFunc(p, func(s string) bool { return strings.Contains(s, "a token beside policies") }) {
			t.Errorf("problems() = %q", p)
		}
	})
	t.Run("an App's token is the job's", func(t *testing.T) {
		text, err := os.ReadFile(".github/starter/learn.yml")
		if err != nil {
			t.Fatal(err)
		}
		for old, bad := range map[string]string{
			"          permission-members: read": "          permission-administration: read", "          permission-pull-requests: write\n": "", "permission-contents: write": "permission-contents: read",
		} {
			broken := strings.Replace(string(text), old, bad, 1)
			if p := starterProblems(t, "learn.yml", broken); broken == string(text) || !slices.ContainsFunc(p, func(s string) bool { return strings.Contains(s, "the App's token may") }) {
				t.Errorf("without %q starterProblems() = %q", old, p)
			}
		}
	})
	t.Run("comments that were edited start nothing", func(t *testing.T) {
		text, err := os.ReadFile(".github/starter/comments.yml")
		if err != nil {
			t.Fatal(err)
		}
		edited := strings.Replace(string(text), "types: [created]", "types: [created, edited]", 1)
		if p := starterProblems(t, "comments.yml", edited); !slices.ContainsFunc(p, func(s string) bool { return strings.Contains(s, "by what others say") }) {
			t.Errorf("starterProblems() = %q", p)
		}
	})
	t.Run("what reaches hosts has no App that writes", func(t *testing.T) {
		text, err := os.ReadFile(".github/starter/execute.yml")
		if err != nil {
			t.Fatal(err)
		}
		broken := strings.Replace(string(text), "secrets.RINGMASTER_READER_KEY", "secrets.RINGMASTER_APP_KEY", 1)
		if p := starterProblems(t, "execute.yml", broken); !slices.ContainsFunc(p, func(s string) bool { return strings.Contains(s, "which its environment does not hold") }) {
			t.Errorf("starterProblems() = %q", p)
		}
	})
	t.Run("apply needs its environment", func(t *testing.T) {
		text := strings.ReplaceAll(strings.Replace(good, "ubuntu-24.04", "[self-hosted, ringmaster]", 1), "  check:", "  apply:")
		if p := starterProblems(t, "execute.yml", text); !slices.ContainsFunc(p, func(s string) bool { return strings.Contains(s, `want "production"`) }) {
			t.Errorf("starterProblems() = %q", p)
		}
	})
}

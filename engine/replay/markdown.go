package replay

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ringmaster-dev/ringmaster/engine/markup"
)

// Markdown is the report as the comment of a pull request. Text from outside
// stands in spans of code and becomes nothing else.
func (r *Report) Markdown() string {
	var b strings.Builder
	b.WriteString("## Replay: what these would have changed\n\n")
	fmt.Fprintf(&b, "%s, against %s. %s.\n", upper(escape(r.Candidate)), escape(r.Baseline), upper(r.replayed()))
	if r.Commit != "" {
		fmt.Fprintf(&b, "\nAs of commit %s.\n", code(r.Commit))
	}
	if len(r.Changed) > 0 {
		fmt.Fprintf(&b, "\nDiffering: %s\n", some(r.Changed, mostFiles, code))
	}
	if totals := r.totals(code); len(totals) > 0 {
		b.WriteString("\n| | |\n|---|---|\n")
		for _, t := range totals {
			fmt.Fprintf(&b, "| %s | %s |\n", t.what, t.says)
		}
	}
	r.markdownRules(&b)
	r.markdownHosts(&b)
	if n := len(r.NotReplayed); n > 0 {
		b.WriteString("\n### Not replayed, and not counted\n\n")
		for _, x := range r.NotReplayed[:min(mostPlans, n)] {
			fmt.Fprintf(&b, "- %s: %s\n", code(x.Plan), reason(x.Why))
		}
		if n > mostPlans {
			fmt.Fprintf(&b, "- %d more\n", n-mostPlans)
		}
	}
	for _, u := range r.Unread[:min(mostPlans, len(r.Unread))] {
		fmt.Fprintf(&b, "\nWhat became of %s cannot be read: %s\n", code(u.Plan), reason(u.Why))
	}
	fmt.Fprintf(&b, "\n%s\n", r.limits(code))
	return b.String()
}

// escape makes the words that name a side inert: they hold a revision that
// somebody typed. What has another sign than a name or a sentence has is code.
func escape(s string) string {
	s = markup.Line(s)
	plain := strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ,()/.-~^") == "" && !strings.Contains(s, "~~") && !strings.Contains(strings.ToLower(s), "www.") && !strings.Contains(strings.ToLower(s), "gh-")
	if !plain || s == "" || !letter(s[0]) || len(s) > mostWord {
		return code(s)
	}
	return strings.ReplaceAll(s, "~", `\~`)
}

func letter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

// upper begins a sentence.
func upper(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

func (r *Report) markdownRules(b *strings.Builder) {
	if len(r.Rules) == 0 {
		return
	}
	b.WriteString("\n### By rule\n\n| rule | stops | failed then | healthy then | lets pass | speaks | says, as an example |\n|---|---:|---:|---:|---:|---:|---|\n")
	for _, x := range r.Rules[:min(mostRules, len(r.Rules))] {
		due := x.due()
		if due != "" {
			due = "; when due: " + due
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s%s | %s |\n", code(x.Rule), thousands(x.Stops), thousands(x.Failed), thousands(x.Healthy), thousands(x.Opens), x.speaks(), due, reason(clip(x.Says, 150)))
	}
	if n := len(r.Rules); n > mostRules {
		fmt.Fprintf(b, "\n%d more rules differ.\n", n-mostRules)
	}
}

func (r *Report) markdownHosts(b *strings.Builder) {
	if len(r.Hosts) == 0 {
		return
	}
	b.WriteString("\n<details><summary>Hosts</summary>\n\n| host | |\n|---|---|\n")
	for _, h := range r.Hosts[:min(mostHosts, len(r.Hosts))] {
		fmt.Fprintf(b, "| %s | %s |\n", code(string(h.Host)), h.says())
	}
	if n := len(r.Hosts); n > mostHosts {
		fmt.Fprintf(b, "\n%d more; the JSON has all.\n", n-mostHosts)
	}
	b.WriteString("\n</details>\n")
}

package command

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
)

// need is whether a part of a command is there.
type need int

const (
	never need = iota
	may
	must
)

// grammar is what may follow a verb.
type grammar struct {
	target, until, because need
	only                   string   // of what a target may be: "host" or "patch", "" for both
	options                []string // words that have a value
}

var grammars = map[Verb]grammar{
	Explain:   {target: must},
	Hold:      {target: must, until: must, because: must},
	Exclude:   {target: must, until: may, because: must},
	Stop:      {target: may, only: "host", until: may, because: must, options: []string{"rollbacks"}},
	Release:   {target: may, because: must},
	Override:  {target: may, until: may, because: must, options: []string{"risk"}},
	Exception: {target: must, only: "patch", until: must, because: must, options: []string{"service", "rule"}},
	Replan:    {},
	Help:      {},
}

// keyword is the word that begins a part of the command here, "" where it is
// none. One that is nearly right is told, and taken for it, so that what follows
// is not told too.
func (c *Command) keyword(w word, g grammar) string {
	var words []string
	if g.until != never {
		words = append(words, "until")
	}
	if g.because != never {
		words = append(words, "because")
	}
	near := hclfile.Nearest(w.text, words)
	if near != "" && near != w.text {
		c.fault(w.column, "%q is neither a host nor a patch; did you mean %q?", w.text, near)
	}
	return near
}

// read reads what follows the verb, and tells everything that is wrong with it.
func (c *Command) read(words []word, zone *time.Location) {
	if c.Verb == Ask {
		c.ask(words)
		return
	}
	g := grammars[c.Verb]
	end := len([]rune(c.Text)) + 1
	seen := map[string]bool{}
	var stop word
	for i := 0; i < len(words); i++ {
		w := words[i]
		switch keyword := c.keyword(w, g); {
		case keyword == "because":
			seen[keyword] = true
			c.because(w)
			i = len(words)
		case keyword == "until":
			if seen[keyword] {
				c.fault(w.column, `"until" stands here twice`)
			}
			seen[keyword] = true
			if i+1 == len(words) || words[i+1].text == "because" {
				c.fault(w.column, `"until" has no date; expected one as in 2026-03-09 or 2026-03-09T09:00:00Z`)
				continue
			}
			i++
			c.until(words[i], zone)
		case strings.Contains(w.text, "=") && len(g.options) > 0:
			c.option(w, g.options, seen)
		case c.Verb == Release && w.text == "stop":
			c.Everything, stop = true, w
		case g.target != never:
			c.target(w, g.only)
		default:
			c.fault(w.column, "%q is too much; `%s` is all", w.text, lead+" "+string(c.Verb))
		}
	}
	if c.Everything && (c.Patch != "" || c.Host != "") {
		c.fault(stop.column, `"stop" is what stops everything, and the command names something else too; a release is of one of them`)
	}
	c.lacks(g, seen, end)
}

// lacks tells what is missing.
func (c *Command) lacks(g grammar, seen map[string]bool, end int) {
	if c.Verb == Override && !seen["risk"] {
		c.fault(end, `what is overridden is missing; expected "risk=high" or "risk=low"`)
	}
	if g.target == must && c.Patch == "" && c.Host == "" && len(c.Faults) == 0 {
		what := "a host, as in web-01, or a patch, as in deb:openssl@*"
		if g.only == "patch" {
			what = "a patch, as in deb:openssl@*"
		}
		c.fault(end, "what it is about is missing; expected %s", what)
	}
	if g.until == must && !seen["until"] {
		c.fault(end, `its end is missing; expected "until" and a date, as in until 2026-03-09`)
	}
	if c.Risk == "low" && !seen["until"] {
		c.fault(end, `what takes caution away ends by itself; expected "until" and a date, as in until 2026-03-09`)
	}
	if g.because == must && !seen["because"] {
		c.fault(end, `the reason is missing, which models learn from; expected "because" and why`)
	}
}

// patchLetters are those of ids of patches and of patterns over them.
const patchLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:@.+~^_/*?-"

// target takes a host or a patch, which has a colon, or only one of them.
func (c *Command) target(w word, only string) {
	host := inventory.HostID(w.text)
	switch {
	case c.strange(w):
	case strings.ContainsAny(w.text, ":@*"):
		i := strings.IndexFunc(w.text, func(r rune) bool { return !strings.ContainsRune(patchLetters, r) })
		switch {
		case i >= 0:
			c.fault(w.column+i, "%q is in no patch's id; expected one as in deb:openssl@3.0.15-1~deb12u1, in which * and ? stand for others", w.text[i:i+1])
		case !strings.Contains(w.text, ":") || !strings.Contains(w.text, "@"):
			c.fault(w.column, "%q is not a patch's id; expected one as in deb:openssl@3.0.15-1~deb12u1 or deb:openssl@*", w.text)
		case only == "host":
			c.fault(w.column, "%q is a patch; a stop is about everything, or about a host: a patch is held", w.text)
		case c.Patch != "":
			c.fault(w.column, "%q is a second patch; a command is about one, or about a pattern as in deb:openssl@*", w.text)
		default:
			c.Patch = w.text
		}
	case !host.Valid():
		c.fault(w.column, "%q is neither a host nor a patch; expected as in web-01 or deb:openssl@*", w.text)
	case only == "patch":
		c.fault(w.column, "%q is not a patch's id; an exception is about one, as deb:openssl@3.0.15-1~deb12u1 or deb:openssl@*", w.text)
	case c.Host != "":
		c.fault(w.column, "%q is a second host, if it is one; a command is about one", w.text)
	default:
		c.Host = host
	}
}

// strange tells letters that names are not written with, for many of them look
// like those that they are written with.
func (c *Command) strange(w word) bool {
	for i, r := range []rune(w.text) {
		if r < '!' || r > '~' {
			c.fault(w.column+i, "%U stands in %+q; names and dates are written in ASCII", r, w.text)
			return true
		}
	}
	return false
}

// option takes a word that has a value.
func (c *Command) option(w word, known []string, seen map[string]bool) {
	if c.strange(w) {
		return
	}
	name, value, _ := strings.Cut(w.text, "=")
	switch {
	case !slices.Contains(known, name):
		c.fault(w.column, "%q cannot be set here; %s", name, hclfile.Expected(name, known))
		if len(known) == 1 {
			seen[known[0]] = true // what was meant is not told as missing too
		}
		return
	case seen[name]:
		c.fault(w.column, "%q stands here twice", name)
		return
	}
	seen[name] = true
	switch name {
	case "risk":
		c.Risk = c.oneOf(w, name, value, "high", "low")
	case "rollbacks":
		c.Rollbacks = c.oneOf(w, name, value, "held") != ""
	case "service":
		c.Service = c.named(w, name, value)
	case "rule":
		c.Rule = c.named(w, name, value)
	}
}

// oneOf is a value that is one of some words, "" where it is none.
func (c *Command) oneOf(w word, name, value string, words ...string) string {
	if !slices.Contains(words, value) {
		c.fault(w.column, "%s %q; %s", name, value, hclfile.Expected(value, words))
		return ""
	}
	return value
}

// named is a value that is a name; whose it is is looked up by whoever does it.
func (c *Command) named(w word, name, value string) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
	if value == "" || strings.Trim(value, letters) != "" {
		c.fault(w.column, "%s %q is not a name", name, value)
		return ""
	}
	return value
}

func (c *Command) until(w word, zone *time.Location) {
	if c.strange(w) {
		return
	}
	t, err := Until(w.text, zone)
	if err != nil {
		c.fault(w.column, "%v", err)
		return
	}
	c.Until = t
}

// Until reads an end as people write it. A date alone is when that day begins in
// the zone.
func Until(text string, zone *time.Location) (time.Time, error) {
	t, err := time.ParseInLocation(time.DateOnly, text, zone)
	if err != nil {
		t, err = time.Parse(time.RFC3339, text)
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a date; expected as in 2026-03-09 or 2026-03-09T09:00:00Z", text)
	}
	if t = t.UTC().Truncate(time.Second); t.Year() < 1970 || t.Year() > 9999 {
		return time.Time{}, fmt.Errorf("%q is not of the years 1970 to 9999 in UTC; what has no end has no \"until\"", text)
	}
	return t, nil
}

// because takes the rest of the line.
func (c *Command) because(w word) {
	var near string
	c.ReasonType, c.Reason, near = Typed(strings.TrimSpace(strings.Map(shown, c.Text[w.at+len(w.text):])))
	if near != "" {
		word, _, _ := strings.Cut(c.Reason, ":")
		c.fault(w.column+len("because "), "%q is not a type of reason; did you mean %q?", word, near)
	}
	if strings.Trim(c.Reason, "…. -") == "" {
		c.fault(w.column, "the reason is empty; models and people learn from it")
	}
}

// Typed cuts the type from a reason: its first word, where that ends in a colon and is
// one of outcome.ReasonTypes. Near is the one that a word in its place may mean.
func Typed(text string) (typ, reason, near string) {
	first, rest, ok := strings.Cut(text, ":")
	switch {
	case !ok || strings.Contains(first, " "):
		return "", text, ""
	case slices.Contains(outcome.ReasonWords(), first):
		return first, strings.TrimSpace(rest), ""
	}
	return "", text, hclfile.Nearest(first, outcome.ReasonWords())
}

// shown leaves out what no reader sees, and what turns text around.
func shown(r rune) rune {
	if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
		return -1
	}
	return r
}

// ask reads a question. Only those that a plan answers are understood.
func (c *Command) ask(words []word) {
	var asked []string
	for _, w := range words {
		asked = append(asked, w.text)
	}
	text := strings.TrimSuffix(strings.Join(asked, " "), "?")
	for _, q := range []Question{WhyNot, When} {
		name, ok := strings.CutPrefix(text, string(q)+" ")
		if !ok || strings.Contains(name, " ") {
			continue
		}
		c.Question = q
		w := words[len(words)-1]
		w.text = strings.TrimSuffix(w.text, "?")
		c.target(w, "")
		return
	}
	if text == "who must approve" {
		c.Question = Who
		return
	}
	column := len(lead+" ask") + 1
	if len(words) > 0 {
		column = words[0].column
	}
	c.fault(column, "there is no answer to this; expected one of %s", fmt.Sprintf("%q, %q, %q", "why not HOST|PATCH", "when HOST|PATCH", "who must approve"))
}

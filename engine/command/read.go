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
type grammar struct{ target, until, because, risk need }

var grammars = map[Verb]grammar{
	Explain:  {target: must},
	Hold:     {target: must, until: must, because: must},
	Exclude:  {target: must, until: may, because: must},
	Override: {target: may, until: may, because: must, risk: must},
	Replan:   {},
	Help:     {},
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
		case strings.Contains(w.text, "=") && g.risk != never:
			seen["risk"] = true
			c.risk(w)
		case g.target != never:
			c.target(w)
		default:
			c.fault(w.column, "%q is too much; `%s` is all", w.text, lead+" "+string(c.Verb))
		}
	}
	c.lacks(g, seen, end)
}

// lacks tells what is missing.
func (c *Command) lacks(g grammar, seen map[string]bool, end int) {
	if g.risk == must && !seen["risk"] {
		c.fault(end, `what is overridden is missing; expected "risk=high" or "risk=low"`)
	}
	if g.target == must && c.Patch == "" && c.Host == "" && len(c.Faults) == 0 {
		c.fault(end, "what it is about is missing; expected a host, as in web-01, or a patch, as in deb:openssl@*")
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

// target takes a host or a patch, which has a colon.
func (c *Command) target(w word) {
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
		case c.Patch != "":
			c.fault(w.column, "%q is a second patch; a command is about one, or about a pattern as in deb:openssl@*", w.text)
		default:
			c.Patch = w.text
		}
	case !host.Valid():
		c.fault(w.column, "%q is neither a host nor a patch; expected as in web-01 or deb:openssl@*", w.text)
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

func (c *Command) risk(w word) {
	if c.strange(w) {
		return
	}
	name, value, _ := strings.Cut(w.text, "=")
	switch {
	case name != "risk":
		c.fault(w.column, `%q cannot be overridden; expected "risk"`, name)
	case value != "high" && value != "low":
		c.fault(w.column, "risk %q; %s", value, hclfile.Expected(value, []string{"high", "low"}))
	case c.Risk != "":
		c.fault(w.column, `"risk" stands here twice`)
	default:
		c.Risk = value
	}
}

func (c *Command) until(w word, zone *time.Location) {
	if c.strange(w) {
		return
	}
	t, err := time.ParseInLocation(time.DateOnly, w.text, zone)
	if err != nil {
		t, err = time.Parse(time.RFC3339, w.text)
	}
	if err != nil {
		c.fault(w.column, "%q is not a date; expected as in 2026-03-09 or 2026-03-09T09:00:00Z", w.text)
		return
	}
	if t = t.UTC().Truncate(time.Second); t.Year() < 1970 || t.Year() > 9999 {
		c.fault(w.column, "%q is not of the years 1970 to 9999 in UTC; what has no end has no \"until\"", w.text)
		return
	}
	c.Until = t
}

// because takes the rest of the line. Its first word is the type, where it ends
// in a colon and is one.
func (c *Command) because(w word) {
	c.Reason = strings.TrimSpace(strings.Map(shown, c.Text[w.at+len(w.text):]))
	first, rest, ok := strings.Cut(c.Reason, ":")
	if ok && slices.Contains(outcome.ReasonWords(), first) {
		c.ReasonType, c.Reason = first, strings.TrimSpace(rest)
	} else if near := hclfile.Nearest(first, outcome.ReasonWords()); ok && near != "" && !strings.Contains(first, " ") {
		c.fault(w.column+len("because "), "%q is not a type of reason; did you mean %q?", first, near)
	}
	if strings.Trim(c.Reason, "…. -") == "" {
		c.fault(w.column, "the reason is empty; models and people learn from it")
	}
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
		c.target(w)
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

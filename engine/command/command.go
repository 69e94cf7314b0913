// Package command reads what people ask of ringmaster in comments.
//
// A comment is somebody's text with, perhaps, commands in it. Only a line that
// begins a paragraph is one: what stands in code, in a quote, in HTML that a page
// hides, or in the middle of a sentence is text. What is not understood is told, with
// all of its faults at once, and nothing of it is done.
package command

import (
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// Verb is what a command asks for.
type Verb string

// The verbs.
const (
	Explain   Verb = "explain"
	Hold      Verb = "hold"
	Exclude   Verb = "exclude"
	Stop      Verb = "stop"
	Release   Verb = "release"
	Override  Verb = "override"
	Exception Verb = "exception"
	Replan    Verb = "replan"
	Ask       Verb = "ask"
	Help      Verb = "help"
)

// Usage is how a verb is written, and what it does.
type Usage struct {
	Verb       Verb
	Form, Does string
}

// Usages are all verbs, in the order in which help tells them.
var Usages = []Usage{
	{Explain, "/ringmaster explain HOST|PATCH", "says why the plan does with it what it does"},
	{Hold, "/ringmaster hold PATCH|HOST until DATE because [TYPE:] REASON", "nothing of it begins before that date"},
	{Exclude, "/ringmaster exclude HOST|PATCH [until DATE] because [TYPE:] REASON", "the same, for good where no date is given"},
	{Stop, "/ringmaster stop [HOST] [rollbacks=held] [until DATE] because [TYPE:] REASON", "nothing begins any more, or nothing on that host; rollbacks go on unless held"},
	{Release, "/ringmaster release [HOST|PATCH|stop] because [TYPE:] REASON", "ends early what holds back just that, or this plan, once an owner approves"},
	{Override, "/ringmaster override risk=high|low [PATCH|HOST] [until DATE] because [TYPE:] REASON", "takes the risk for high, at once; for low, once an owner approves, 90 days at most"},
	{Exception, "/ringmaster exception PATCH [service=NAME] [rule=RULE] until DATE because [TYPE:] REASON", "a rule that yields to exceptions lets it through, once an owner approves"},
	{Replan, "/ringmaster replan", "plans again now; a plan that would say the same is left alone"},
	{Ask, "/ringmaster ask why not HOST|PATCH · ask when HOST|PATCH · ask who must approve", "answers from the plan"},
	{Help, "/ringmaster help", "says this"},
}

// Command is one command, understood or with what is wrong with it.
type Command struct {
	Line       int    // of the comment, from 1
	Text       string // as it was written
	Verb       Verb   // "" where the word is none
	Patch      string // pattern over ids
	Host       inventory.HostID
	Risk       string // high | low
	Service    string // that an exception is about, "" for every one
	Rule       string // that an exception is from, "" for every one that yields
	Rollbacks  bool   // are stopped too
	Everything bool   // is released, rather than the plan
	Until      time.Time
	ReasonType string // of outcome.ReasonTypes, "" where none was named
	Reason     string
	Question   Question
	Faults     []string // each with its column, from 1; where there is any, nothing is done
}

// Question is what is asked. Without one of these words there is no answer.
type Question string

// The questions.
const (
	WhyNot Question = "why not"
	When   Question = "when"
	Who    Question = "who"
)

// The most that is read of a comment.
const (
	mostCommands = 20
	mostLine     = 1000 // characters of a command
	lead         = "/ringmaster"
)

// Parse returns the commands of a comment, in order. A date alone is when that
// day begins in the zone.
func Parse(body string, zone *time.Location) []Command {
	var list []Command
	for _, l := range live(body) {
		if len(list) == mostCommands {
			list[mostCommands-1].fault(1, "a comment holds at most %d commands; nothing after this one is read", mostCommands)
			break
		}
		list = append(list, parse(l, zone))
	}
	return list
}

func (c *Command) fault(column int, format string, args ...any) {
	c.Faults = append(c.Faults, fmt.Sprintf("column %d: ", column)+fmt.Sprintf(format, args...))
}

func parse(l line, zone *time.Location) Command {
	c := Command{Line: l.number, Text: l.text}
	if n := utf8.RuneCountInString(l.text); n > mostLine {
		c.Text = string([]rune(l.text)[:mostLine])
		c.fault(mostLine+1, "a command has at most %d characters, and this one has %d", mostLine, n)
		return c
	}
	if l.inside {
		c.fault(1, "it stands in the middle of a paragraph; leave an empty line before it")
	}
	words := split(l.text)
	if words[0].text != lead {
		c.strange(words[0])
		return c
	}
	if len(words) == 1 {
		c.Verb = Help
		return c
	}
	verb := words[1]
	i := slices.IndexFunc(Usages, func(u Usage) bool { return string(u.Verb) == verb.text })
	if i < 0 {
		c.fault(verb.column, "%q is not a command; %s", verb.text, hclfile.Expected(verb.text, verbs()))
		return c
	}
	c.Verb = Usages[i].Verb
	c.read(words[2:], zone)
	return c
}

func verbs() []string {
	list := make([]string, len(Usages))
	for i, u := range Usages {
		list[i] = string(u.Verb)
	}
	return list
}

// word is a run of characters without a space between.
type word struct {
	text   string
	column int // from 1
	at     int // byte of the line
}

// split cuts a line at spaces and tabs, and at those alone: other blanks are part
// of a word, and told.
func split(text string) []word {
	var list []word
	column, within := 0, false
	for at, r := range text {
		column++
		if r == ' ' || r == '\t' {
			within = false
			continue
		}
		if !within {
			within = true
			list = append(list, word{column: column, at: at})
		}
		list[len(list)-1].text += string(r)
	}
	return list
}

package report

import (
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

// Answers are what became of the commands in a pull request's comments, newest
// first. They do not say when they were made: what says the same is sent once.
type Answers struct {
	Timezone string
	List     []Answer
	Refused  []Refusal
	Stand    []Hold // overrides that hold of this plan, or ended lately
}

// Answer is one command and what became of it. All of it is plain text.
type Answer struct {
	At     time.Time // when it was said
	By     string
	Text   string // as it was written
	URL    string // of the comment
	Became string
	Link   string // to what it made, "" where it made nothing
	Detail string // what is folded away
}

// Refusal is somebody whose commands are not read.
type Refusal struct {
	By   string
	May  string // as the forge has it
	Many int
}

// The most that an answer tells of one thing, in characters, before they are made
// inert, which makes some of them many.
const (
	textMost   = 200
	becameMost = 600
	personMost = 60
)

// How much room each part has, in characters. What is folded away has what the
// rest leaves of answersMost, which is GitHub's most, less what marks a comment.
const (
	answersMost = 65_000
	rowsRoom    = 36_000
	refusedRoom = 4_000
	standRoom   = 8_000
)

// Markdown is a comment of at most answersMost characters.
func (a *Answers) Markdown() string {
	zone, err := ring.Zone(a.Timezone)
	if err != nil {
		zone = time.UTC
	}
	var rows, refused []string
	for _, x := range a.List {
		became := inert(clip(x.Became, becameMost))
		if at := webAddress(x.Link); at != "" {
			became += " ([see](" + at + "))"
		}
		rows = append(rows, fmt.Sprintf("- %s<br>%s, %s: %s\n", code(clip(x.Text, textMost)), code(clip(x.By, personMost)), linked(moment(x.At.In(zone)), x.URL), became))
	}
	for _, r := range a.Refused {
		refused = append(refused, fmt.Sprintf("- %s of %s, whose right is %s\n", plural(r.Many, "command"), code(clip(r.By, personMost)), code(clip(r.May, personMost))))
	}
	text := "### Commands in comments\n\n" +
		lines("", rows, rowsRoom, "before these") +
		lines("\nNot done, for it takes the right to write to this repository; somebody who has it may say the same:\n\n", refused, refusedRoom, "more") +
		lines("\n"+overrideHead, overrideRows(a.Stand, zone), standRoom, "more; `ringmaster status` has all")
	foot := fmt.Sprintf("\nOnly people who may write to this repository are answered. A command begins a paragraph, and is read once, as it was first written: `/ringmaster help` tells them all. Times are those of %s.\n", inert(zone.String()))
	return text + folded(a.List, answersMost-utf8.RuneCountInString(text+foot)) + foot
}

// lines are as many of a list as there is room for, below a head, and how many
// there are besides; "" where the list is empty.
func lines(head string, list []string, room int, more string) string {
	if len(list) == 0 {
		return ""
	}
	text := head
	n := utf8.RuneCountInString(head)
	for i, l := range list {
		if n += utf8.RuneCountInString(l); n > room {
			return text + fmt.Sprintf("\n… and %d %s.\n", len(list)-i, more)
		}
		text += l
	}
	return text
}

// overrideHead begins a table of overrides.
const overrideHead = "| override of this plan | by | why | until |\n|---|---|---|---|\n"

func overrideRows(list []Hold, zone *time.Location) []string {
	var rows []string
	for _, h := range list {
		rows = append(rows, fmt.Sprintf("| %s | %s | %s | %s |\n", inert(clip(h.Kind+" "+h.What, textMost)), code(clip(h.By, personMost)), cell(clip(h.Why, textMost)), ending(h, zone)))
	}
	return rows
}

// overrideTable is a table of at most so many overrides.
func overrideTable(list []Hold, zone *time.Location, most int) string {
	rows := overrideRows(list, zone)
	text := overrideHead + strings.Join(rows[:min(len(rows), most)], "")
	if more := len(rows) - most; more > 0 {
		text += fmt.Sprintf("| … and %d more; `ringmaster status` has all | | | |\n", more)
	}
	return text
}

// ending is when an override ends.
func ending(h Hold, zone *time.Location) string {
	until := "it is released"
	if !h.Until.IsZero() {
		until = moment(h.Until.In(zone))
	}
	if h.Notice != "" {
		until += ": **" + inert(h.Notice) + "**"
	}
	return until
}

// folded are the details, each below its command, in at most room characters: the
// newest first, as far as the room goes.
func folded(list []Answer, room int) string {
	const most, least = 12_000, 200
	const end, cut = "```\n\n</details>\n", "…\nthe rest was cut\n"
	var b strings.Builder
	for _, x := range list {
		if x.Detail == "" {
			continue
		}
		head := fmt.Sprintf("\n<details><summary>%s</summary>\n\n```text\n", htmlText(clip(x.Text, textMost)))
		fits := min(most, room) - utf8.RuneCountInString(head+cut+end)
		if fits < least {
			break
		}
		text := block(x.Detail)
		if utf8.RuneCountInString(text) > fits {
			text = string([]rune(text)[:fits]) + cut
		}
		text = head + text + end
		room -= utf8.RuneCountInString(text)
		b.WriteString(text)
	}
	return b.String()
}

// block is text between fences: lines stay, and none of them ends it.
func block(s string) string {
	var b strings.Builder
	for l := range strings.Lines(s) {
		b.WriteString(strings.ReplaceAll(oneLine(strings.TrimRight(l, "\r\n")), "`", "'") + "\n")
	}
	return b.String()
}

// linked is text that leads to an address, where there is one.
func linked(text, to string) string {
	if at := webAddress(to); at != "" {
		return "[" + text + "](" + at + ")"
	}
	return text
}

// webAddress is an address that stays one inside Markdown's parentheses, "" for any
// other.
func webAddress(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || strings.ContainsAny(s, " ()<>\"'`|\\\n\r\t") {
		return ""
	}
	return s
}

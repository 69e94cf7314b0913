package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

// part is a table of the board.
type part struct {
	title, none string
	head        []string
	rows        [][]string // plain text
	links       []string   // where a row's first cell leads to, on a page; may be shorter
}

// boardRows is how many rows of a table a board shows.
const boardRows = 30

// When is a time as the estate's clocks show it, "" where there is none.
func (b *Board) When(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return minute(t.In(b.zone()), b.At.In(b.zone()))
}

func (b *Board) zone() *time.Location {
	zone, err := ring.Zone(b.Timezone)
	if err != nil {
		return time.UTC
	}
	return zone
}

func (b *Board) parts() []part {
	when := b.When
	open := part{"Waits for people", "Nothing waits for people.", []string{"plan", "what", "missing", "starts", "due"}, nil, nil}
	for _, x := range b.Open {
		missing := strings.Join(x.Missing, "; ")
		if missing == "" {
			missing = "nothing: it can be merged"
		}
		open.rows = append(open.rows, []string{x.ID, x.Title, missing, when(x.Start), when(x.Deadline)})
		open.links = append(open.links, x.URL)
	}
	queue := part{"In the queue", "Nothing is in the queue.", []string{"plan", "what", "due", "why"}, nil, nil}
	for _, x := range b.Queue {
		queue.rows = append(queue.rows, []string{x.ID, x.Title, when(x.Deadline), x.Why})
		queue.links = append(queue.links, x.URL)
	}
	running := part{"Runs", "Nothing runs.", []string{"plan", "rings", "next", "for", "trouble"}, nil, nil}
	for _, x := range b.Running {
		next, what := when(x.Next), x.For
		if x.Refused != "" {
			next, what = "", "refused: "+x.Refused
		}
		running.rows = append(running.rows, []string{x.ID, progress(x.Rings), next, what, x.trouble()})
	}
	holds := part{"Held, frozen and excepted", "Nothing is held, frozen or excepted.", []string{"kind", "what", "why", "by", "until"}, nil, nil}
	for _, x := range b.Holds {
		until := when(x.Until)
		if x.From.After(b.At) {
			until = "from " + when(x.From) + " to " + until
		}
		if x.Notice != "" {
			until += ": " + x.Notice
		}
		holds.rows = append(holds.rows, []string{x.Kind, x.What, x.Why, x.By, until})
	}
	waiting := part{"Needed and not planned", "Everything that is needed is planned.", []string{"why", "patches", "changes", "opens", "due"}, nil, nil}
	for _, x := range b.Waiting {
		due := when(x.Deadline)
		if x.Overdue > 0 {
			due += fmt.Sprintf(" (%d overdue)", x.Overdue)
		}
		waiting.rows = append(waiting.rows, []string{x.Why, strings.Join(cut(x.Patches, 3), ", "), fmt.Sprint(x.Changes), b.opens(x.Until), due})
	}
	for _, why := range b.Blind {
		waiting.rows = append(waiting.rows, []string{why, "not known", "not known", "", ""})
	}
	return []part{open, queue, running, holds, waiting, b.signs()}
}

// trouble is the first of what stands in a plan's way.
func (x *RunningPlan) trouble() string {
	list := x.Trouble
	if n := len(list) - 5; n > 0 {
		list = append(slices.Clone(list[:5]), fmt.Sprintf("and %d more", n))
	}
	return strings.Join(list, "; ")
}

// opens is when something that waits may be done.
func (b *Board) opens(t time.Time) string {
	if t.IsZero() {
		return "no date: when the reason is gone"
	}
	return b.When(t)
}

// signs are what each part of ringmaster was last heard of by: silence is how a
// part that stopped shows.
func (b *Board) signs() part {
	p := part{"Last heard of", "", []string{"what", "last", "ago"}, nil, nil}
	for _, x := range []struct {
		what string
		at   time.Time
	}{{"execute, by its ledgers", b.Heard}, {"hosts, by their facts", b.Facts}, {"feeds, by what they brought", b.Feeds}} {
		row := []string{x.what, "never", ""}
		if !x.at.IsZero() {
			row = []string{x.what, b.When(x.at), ago(b.At.Sub(x.at))}
		}
		p.rows = append(p.rows, row)
	}
	return p
}

// ago is a length of time as far as it tells whether something is silent.
func ago(d time.Duration) string {
	if d >= 48*time.Hour {
		return plural(int(d/(24*time.Hour)), "day")
	}
	return span(max(d, 0))
}

// progress is "canary 1 of 1 healthy; early 0 of 2, 1 between".
func progress(rings []RingProgress) string {
	var list []string
	for _, r := range rings {
		text := fmt.Sprintf("%s %d of %d healthy", r.Name, r.Healthy, r.Changes)
		if r.Between > 0 {
			text += fmt.Sprintf(", %d between", r.Between)
		}
		if r.Bad > 0 {
			text += fmt.Sprintf(", %d went wrong", r.Bad)
		}
		list = append(list, text)
	}
	return strings.Join(list, "; ")
}

// footer says what the board is made of, and how old it is when it lies about;
// name shows the commit.
func (b *Board) footer(name func(string) string) string {
	zone := b.zone()
	return fmt.Sprintf("As of %s (%s), commit %s.", moment(b.At.In(zone)), zone, name(b.Commit[:min(len(b.Commit), 10)]))
}

// stopped is how readers of a kept page know that nobody writes it any more. A
// page cannot say so by itself.
func (b *Board) stopped() string {
	if b.Next.IsZero() {
		return ""
	}
	return fmt.Sprintf("_As of %s. Is it later than **%s**? Then this page is no longer written and ringmaster has stopped: see the runs of its workflows._\n\n",
		moment(b.At.In(b.zone())), moment(b.Next.In(b.zone())))
}

// boardMost is how many characters a board's page has: what GitHub takes for an
// issue, less what marks the page.
const boardMost = 65_000

// Markdown is the board as a page of at most boardMost characters: the alerts,
// then each table as far as its share of the room goes. Texts from outside may
// be of any length, and must not keep the page from being shown.
func (b *Board) Markdown() []byte {
	var t strings.Builder
	fmt.Fprintf(&t, "# %s\n\n", inert(clip(b.Estate, 100)))
	t.WriteString(b.stopped())
	parts := b.parts()
	room := boardMost / (len(parts) + 2)
	t.WriteString(alerts(b.Alerts, room))
	for _, p := range parts {
		t.WriteString(p.markdown(room))
	}
	fmt.Fprintf(&t, "---\n%s\n", b.footer(code))
	return []byte(t.String())
}

func alerts(list []string, room int) string {
	var b strings.Builder
	n := 0
	for i, a := range list {
		l := fmt.Sprintf("> **%s**\n>\n", inert(clip(a, 300)))
		if n += utf8.RuneCountInString(l); n > room-100 {
			fmt.Fprintf(&b, "> **and %s more**\n>\n", plural(len(list)-i, "alert"))
			break
		}
		b.WriteString(l)
	}
	if len(list) > 0 {
		b.WriteString("\n")
	}
	return b.String()
}

// markdown is a table of at most room characters, and says what is cut.
func (p part) markdown(room int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n", p.title)
	if len(p.rows) == 0 {
		return b.String() + p.none + "\n\n"
	}
	fmt.Fprintf(&b, "| %s |\n|%s\n", strings.Join(p.head, " | "), strings.Repeat("---|", len(p.head)))
	n := utf8.RuneCountInString(b.String()) + 100 // for saying what is cut
	for i, row := range p.rows {
		cells := make([]string, len(row))
		for k := range row {
			cells[k] = cell(clip(row[k], 300))
		}
		if i < len(p.links) {
			cells[0] = link(cells[0], p.links[i])
		}
		l := "| " + strings.Join(cells, " | ") + " |\n"
		if n += utf8.RuneCountInString(l); i == boardRows || n > room {
			fmt.Fprintf(&b, "\n… and %d more; `ringmaster status --format json` has all.\n", len(p.rows)-i)
			break
		}
		b.WriteString(l)
	}
	return b.String() + "\n"
}

// Text writes the board on a terminal.
func (b *Board) Text(w io.Writer, o TextOptions) error {
	t := newTerminal(w, o)
	for _, a := range b.Alerts {
		mark := "! "
		for _, l := range wrap(oneLine(a), t.o.Width-len(mark)) {
			t.line("%s", t.paint("31", mark+l))
			mark = "  " // no text from outside begins a line: a workflow's runner would take it for a command
		}
	}
	for _, p := range b.parts() {
		if len(p.rows) == 0 {
			t.line("%s", p.none)
			continue
		}
		t.line("%s", t.bold(p.title))
		for _, row := range p.rows[:min(len(p.rows), boardRows)] {
			t.item("", "%s", row[0])
			for i, cell := range row[1:] {
				if cell != "" {
					t.item("  "+p.head[i+1], "%s", cell)
				}
			}
		}
		if n := len(p.rows) - boardRows; n > 0 {
			t.line("  … and %d more; --format json has all", n)
		}
	}
	t.line("%s", b.footer(oneLine))
	return t.w.Flush()
}

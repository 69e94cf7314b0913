package command

import "strings"

// line is a line that may be a command.
type line struct {
	number int // from 1
	text   string
	inside bool // a paragraph, other than commands, goes on in it
}

// live returns the lines that begin with lead and are shown as text. CommonMark
// has four places where such a line is not: code between fences, HTML up to its
// closing tag, an indented block (there it does not begin the line), and whatever
// goes on from the line before, as a quote, a list or a link's title. The first two
// are followed here; the last is told, for an empty line ends it. What is folded
// away is left out too: who says it should have to show it.
func live(body string) []line {
	var list []line
	var fence, hidden string // what ends code, and HTML
	inside, folds := false, false
	body = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.ToValidUTF8(body, "\uFFFD"))
	for i, text := range strings.Split(body, "\n") {
		text = strings.TrimRight(text, " \t")
		opens := fenceOf(text)
		switch {
		case fence != "":
			if closes(text, fence) {
				fence = ""
			}
		case hidden != "":
			hidden = hiding(text, hidden)
			inside = true
		case opens != "":
			fence, inside = opens, false
		case text == "":
			inside = false
		case asks(text) && !folds:
			list = append(list, line{i + 1, text, inside})
		default:
			hidden, inside = hiding(text, ""), true
			folds = folding(text, folds)
		}
	}
	return list
}

// asks says whether a line speaks to ringmaster: what follows the name does not
// make another name of it.
func asks(text string) bool {
	rest, ok := strings.CutPrefix(text, lead)
	if !ok || rest == "" {
		return ok
	}
	c := rest[0]
	return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '/' || c == '.')
}

// indented cuts up to three spaces; a line with more is code, or goes on.
func indented(text string) (string, bool) {
	rest := strings.TrimLeft(text, " ")
	return rest, len(text)-len(rest) <= 3
}

// fenceOf is what has to end the code that a line begins, "" where it begins none.
func fenceOf(text string) string {
	rest, ok := indented(text)
	for _, mark := range []string{"`", "~"} {
		info := strings.TrimLeft(rest, mark)
		n := len(rest) - len(info)
		if ok && n >= 3 && (mark == "~" || !strings.Contains(info, "`")) {
			return rest[:n]
		}
	}
	return ""
}

func closes(text, fence string) bool {
	rest, ok := indented(text)
	return ok && len(rest) >= len(fence) && strings.Trim(rest, fence[:1]) == ""
}

// hides are what a page may not show before it ends, whatever lies between.
var hides = []struct{ begin, end string }{
	{"<!--", "-->"}, {"<?", "?>"}, {"<![cdata[", "]]>"}, {"<pre", "</pre>"}, {"<script", "</script>"}, {"<style", "</style>"},
	{"<textarea", "</textarea>"},
}

// folding says whether a line leaves something folded away, of which all that
// Markdown knows is read nevertheless.
func folding(text string, folds bool) bool {
	text = strings.ToLower(text)
	begin, end := strings.LastIndex(text, "<details"), strings.LastIndex(text, "</details")
	if begin < 0 && end < 0 {
		return folds
	}
	return begin > end
}

// hiding is what has to end the HTML that is open after a line, "" where none is;
// end is what had to before it.
func hiding(text, end string) string {
	text = strings.ToLower(text)
	for {
		if end != "" {
			_, rest, ok := strings.Cut(text, end)
			if !ok {
				return end
			}
			text = rest
		}
		first := len(text)
		end = ""
		for _, h := range hides {
			if i := strings.Index(text, h.begin); i >= 0 && i < first {
				first, end = i, h.end
			}
		}
		if end == "" {
			return ""
		}
		text = text[first+1:]
	}
}

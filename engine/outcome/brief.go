package outcome

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Briefly reads ledgers for what happened alone, for looking through many: lines
// are without Measured, and of Features they have the strings "vendor", "package"
// and "role". Equal texts are kept once. The zero value is ready. Not safe for
// concurrent use.
type Briefly struct {
	texts    map[string]string
	features map[[3]string]map[string]any
}

// briefFeatures are those that are kept.
var briefFeatures = [3]string{"vendor", "package", "role"}

// Parse is Parse of a ledger, in brief. The chain is checked as there; what is
// left out of a line is not looked into.
func (b *Briefly) Parse(ledger []byte, digest string) ([]Line, error) {
	if len(ledger) == 0 {
		return nil, nil
	}
	if b.texts == nil {
		b.texts, b.features = map[string]string{}, map[[3]string]map[string]any{}
	}
	list := make([]Line, 0, bytes.Count(ledger, []byte("\n")))
	prev := digest
	for len(ledger) > 0 {
		raw, rest, whole := bytes.Cut(ledger, []byte("\n"))
		if !whole {
			return list, &ChainError{len(list) + 1, "the last line is cut"}
		}
		ledger = rest
		var l Line
		if len(rest) == 0 || !b.scan(raw, &l) { // nothing behind the last line proves it
			var err error
			if l, err = b.decode(raw); err != nil {
				return list, &ChainError{len(list) + 1, err.Error()}
			}
		}
		if l.Prev != prev {
			return list, &ChainError{len(list) + 1, fmt.Sprintf("prev is %q, the line before has %q", l.Prev, prev)}
		}
		prev = hash(raw)
		l.Prev = ""
		list = append(list, l)
	}
	return list, nil
}

// decode reads a line that is not as this package writes them.
func (b *Briefly) decode(raw []byte) (Line, error) {
	var l Line
	if err := json.Unmarshal(raw, &l); err != nil {
		return l, err
	}
	var kept [3]string
	for i, name := range briefFeatures {
		kept[i], _ = l.Features[name].(string)
	}
	l.Features, l.Measured = b.featured(kept), nil
	return l, nil
}

// featured is the map that has these features, those that are "" left out.
func (b *Briefly) featured(kept [3]string) map[string]any {
	m, ok := b.features[kept]
	if !ok {
		m = map[string]any{}
		for i, name := range briefFeatures {
			if kept[i] != "" {
				m[name] = kept[i]
			}
		}
		b.features[kept] = m
	}
	return m
}

// text is bytes as a string that is kept once.
func (b *Briefly) text(raw []byte) string {
	s, ok := b.texts[string(raw)]
	if !ok {
		s = string(raw)
		b.texts[s] = s
	}
	return s
}

// scan reads a line as Append writes it: one object without spaces, whose texts
// need no escape. It is false for every other.
func (b *Briefly) scan(raw []byte, l *Line) bool {
	var kept [3]string
	ok := members(raw, func(name, value []byte) bool {
		switch string(name) {
		case "prev":
			return plain(value, func(s []byte) { l.Prev = string(s) })
		case "at":
			return plain(value, func(s []byte) { l.At, _ = time.Parse(time.RFC3339, string(s)) }) && !l.At.IsZero()
		case "schema":
			return b.take(value, &l.Schema)
		case "plan":
			return b.take(value, &l.Plan)
		case "ring":
			return b.take(value, &l.Ring)
		case "host":
			return plain(value, func(s []byte) { l.Host = inventory.HostID(b.text(s)) })
		case "patch":
			return plain(value, func(s []byte) { l.Patch = plan.PatchID(b.text(s)) })
		case "event":
			return plain(value, func(s []byte) { l.Event = Event(b.text(s)) })
		case "key":
			return plain(value, func(s []byte) { l.Key = string(s) })
		case "fleet":
			return b.take(value, &l.Fleet)
		case "engine":
			return b.take(value, &l.Engine)
		case "run":
			return b.take(value, &l.Run)
		case "from":
			return b.take(value, &l.From)
		case "to":
			return b.take(value, &l.To)
		case "detail":
			return b.take(value, &l.Detail)
		case "wave":
			n, err := strconv.Atoi(string(value))
			l.Wave = n
			return err == nil
		case "seconds":
			return number(value, &l.Seconds)
		case "predicted":
			return number(value, &l.Predicted)
		case "measured":
			return value[0] == '{'
		case "features":
			return members(value, func(name, value []byte) bool {
				for i := range briefFeatures {
					if string(name) == briefFeatures[i] {
						return b.take(value, &kept[i])
					}
				}
				return true
			})
		}
		return !bytes.ContainsFunc(name, func(r rune) bool { return r < 'a' || r > 'z' }) // another case of a name is that name
	})
	l.Features = b.featured(kept)
	return ok
}

func (b *Briefly) take(value []byte, to *string) bool {
	return plain(value, func(s []byte) { *to = b.text(s) })
}

func number(value []byte, to *float64) bool {
	if strings.IndexByte("-0123456789", value[0]) < 0 {
		return false
	}
	f, err := strconv.ParseFloat(string(value), 64)
	*to = f
	return err == nil
}

// plain hands on what a JSON string holds that is its own text.
func plain(value []byte, to func([]byte)) bool {
	if len(value) < 2 || value[0] != '"' {
		return false
	}
	text := value[1 : len(value)-1]
	for _, c := range text {
		if c < ' ' || c > '~' || c == '\\' {
			return false
		}
	}
	to(text)
	return true
}

// members calls do with the name and the value of each member of an object that
// is written without spaces, until it returns false.
func members(raw []byte, do func(name, value []byte) bool) bool {
	if len(raw) < 2 || raw[0] != '{' {
		return false
	}
	if string(raw) == "{}" {
		return true
	}
	for at := 1; ; at++ {
		end := valueEnd(raw, at)
		if end < 0 || raw[at] != '"' || end >= len(raw) || raw[end] != ':' {
			return false
		}
		name := raw[at+1 : end-1]
		at = valueEnd(raw, end+1)
		if at < 0 || at >= len(raw) || !do(name, raw[end+1:at]) {
			return false
		}
		switch raw[at] {
		case '}':
			return at == len(raw)-1
		case ',':
		default:
			return false
		}
	}
}

// valueEnd is where a value that begins at a place is over, -1 where it is none.
func valueEnd(raw []byte, at int) int {
	depth := 0
	for i := at; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			for i++; i < len(raw) && raw[i] != '"'; i++ {
				if raw[i] == '\\' {
					i++
				}
			}
			if i >= len(raw) {
				return -1
			}
		case '{', '[':
			depth++
			continue
		case '}', ']':
			if depth == 0 {
				return ended(at, i)
			}
			if depth--; depth > 0 {
				continue
			}
			return i + 1
		case ',', ':':
			if depth == 0 {
				return ended(at, i)
			}
			continue
		default:
			continue
		}
		if depth == 0 {
			return i + 1
		}
	}
	return -1
}

// ended is the end of a value that has to have something in it.
func ended(at, i int) int {
	if i == at {
		return -1
	}
	return i
}

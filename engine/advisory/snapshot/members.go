package snapshot

import (
	"bytes"
	"iter"
)

// members yields the names of a JSON object's members, as they are written, and
// the document from each value on. It stops where the text is not an object's,
// and checks no more of it than it needs: this tells formats apart, and the
// readers judge.
func members(doc []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		rest, ok := after(doc, '{')
		for ok && len(rest) > 0 && rest[0] == '"' {
			end := stringEnd(rest)
			if end < 0 {
				return
			}
			key := string(rest[1:end])
			if rest, ok = after(rest[end+1:], ':'); !ok || !yield(key, rest) {
				return
			}
			if rest = skip(rest); rest == nil {
				return
			}
			rest, ok = after(rest, ',')
		}
	}
}

// after passes over white space, one character and more white space.
func after(doc []byte, c byte) ([]byte, bool) {
	doc = bytes.TrimLeft(doc, " \t\r\n")
	if len(doc) == 0 || doc[0] != c {
		return nil, false
	}
	return bytes.TrimLeft(doc[1:], " \t\r\n"), true
}

// stringEnd returns the place of the quote that closes the string at the start,
// -1 when there is none.
func stringEnd(doc []byte) int {
	for i := 1; i < len(doc); i++ {
		switch doc[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// skip returns what follows the value at the start, nil when it has no end.
func skip(doc []byte) []byte {
	depth := 0
	for i := 0; i < len(doc); i++ {
		switch doc[i] {
		case '"':
			end := stringEnd(doc[i:])
			if end < 0 {
				return nil
			}
			i += end
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth < 0 {
				return doc[i:]
			}
		case ',':
			if depth == 0 {
				return doc[i:]
			}
		}
	}
	return nil
}

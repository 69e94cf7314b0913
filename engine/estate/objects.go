package estate

import (
	"bytes"
	"iter"
)

// objects yields the objects of a JSON list as they are written. It yields false
// once, and ends, where the list is not plainly objects one after another. It
// does not check that they are valid JSON.
func objects(data []byte) iter.Seq2[[]byte, bool] {
	return func(yield func([]byte, bool) bool) {
		rest, ok := bytes.CutPrefix(bytes.TrimSpace(data), []byte{'['})
		if !ok {
			yield(nil, false)
			return
		}
		rest = skipSpace(rest)
		if len(rest) == 1 && rest[0] == ']' {
			return
		}
		for {
			end := objectEnd(rest)
			if end < 0 {
				yield(nil, false)
				return
			}
			object := rest[:end]
			rest = skipSpace(rest[end:])
			last := len(rest) == 1 && rest[0] == ']'
			if !last && (len(rest) == 0 || rest[0] != ',') {
				yield(nil, false)
				return
			}
			if !yield(object, true) || last {
				return
			}
			rest = skipSpace(rest[1:])
		}
	}
}

// skipSpace drops JSON's white space from the front.
func skipSpace(data []byte) []byte {
	for i, c := range data {
		if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return data[i:]
		}
	}
	return nil
}

// objectEnd returns where the object ends that data begins with, -1 where it
// begins with none or it has no end.
func objectEnd(data []byte) int {
	if len(data) == 0 || data[0] != '{' {
		return -1
	}
	depth := 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		case '"':
			end := stringEnd(data, i)
			if end < 0 {
				return -1
			}
			i = end
		}
	}
	return -1
}

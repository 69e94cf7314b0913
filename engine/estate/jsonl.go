package estate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"
)

// linesOf yields the lines of a JSONL file with their numbers. Blank lines are
// passed over.
func linesOf(data []byte) iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		for n := 1; len(data) > 0; n++ {
			line, rest, _ := bytes.Cut(data, []byte{'\n'})
			data = rest
			if line = bytes.TrimSpace(line); len(line) > 0 && !yield(n, line) {
				return
			}
		}
	}
}

// jsonError says in plain words why a line could not be read.
func jsonError(err error) string {
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Sprintf("not JSON: %v after %d bytes", e, e.Offset)
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if e.Field == "" {
			return fmt.Sprintf("must be an object, got %s", article(e.Value))
		}
		return fmt.Sprintf("%q must be %s, got %s", e.Field, kindOf(e.Type.String()), article(e.Value))
	}
	if e, ok := errors.AsType[*time.ParseError](err); ok {
		return fmt.Sprintf(`%q is not an RFC 3339 time; expected one such as "2026-03-02T08:00:00Z"`, strings.Trim(e.Value, `"`))
	}
	return err.Error()
}

// kindOf names a Go type as JSON's readers know it.
func kindOf(goType string) string {
	switch goType {
	case "string", "inventory.HostID", "version.Type", "outcome.Event":
		return "a string"
	case "bool", "*bool":
		return "true or false"
	case "int", "int64", "*int", "*int64":
		return "a whole number"
	case "float64", "*float64":
		return "a number"
	}
	if len(goType) > 2 && goType[:2] == "[]" {
		return "a list"
	}
	return "an object"
}

// article names the JSON value that stands there.
func article(value string) string {
	switch value {
	case "object", "array":
		return "an " + value
	case "bool":
		return "true or false"
	case "string", "number":
		return "a " + value
	}
	return value // "number 1.5", which has its value with it
}

// checkJSON returns what is wrong with a JSON document and on which line, or "".
func checkJSON(data []byte) (int, string) {
	var any json.RawMessage
	err := json.Unmarshal(data, &any)
	if err == nil {
		return 0, ""
	}
	line := 0
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		line = 1 + bytes.Count(data[:min(int(e.Offset), len(data))], []byte{'\n'})
	}
	return line, fmt.Sprintf("not JSON: %v", err)
}

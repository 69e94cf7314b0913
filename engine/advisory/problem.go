package advisory

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Problem is something in a file of advisories that could not be taken as it
// stands. Member is the file inside an archive, "" where there is none; Line
// counts from 1, 0 for the document as a whole.
type Problem struct {
	Member  string
	Line    int
	Message string
}

func (p Problem) String() string {
	switch {
	case p.Member == "" && p.Line == 0:
		return p.Message
	case p.Member == "":
		return fmt.Sprintf("line %d: %s", p.Line, p.Message)
	case p.Line == 0:
		return fmt.Sprintf("%q: %s", p.Member, p.Message)
	}
	return fmt.Sprintf("%q line %d: %s", p.Member, p.Line, p.Message)
}

// JSONText says in plain words why JSON could not be read.
func JSONText(err error) string {
	e, ok := errors.AsType[*json.UnmarshalTypeError](err)
	switch {
	case ok && e.Field != "":
		return fmt.Sprintf("%q cannot be %s", e.Field, valueText(e.Value))
	case ok:
		return fmt.Sprintf("it must be an object, got %s", valueText(e.Value))
	}
	return fmt.Sprintf("not JSON: %v", err)
}

func valueText(value string) string {
	switch value {
	case "object":
		return "an object"
	case "array":
		return "a list"
	case "string", "number":
		return "a " + value
	case "bool":
		return "true or false"
	}
	return value // "number 1.5", which has its value with it
}

package advisory

import "fmt"

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

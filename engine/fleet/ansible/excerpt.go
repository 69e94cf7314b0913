package ansible

import "fmt"

// excerpt keeps the beginning and the end of what is written, most bytes of each.
type excerpt struct {
	head, tail []byte
	left       int // bytes between the two
}

const most = 32 << 10

func (e *excerpt) Write(p []byte) (int, error) {
	n := min(len(p), most-len(e.head))
	e.head = append(e.head, p[:n]...)
	e.tail = append(e.tail, p[n:]...)
	if more := len(e.tail) - most; more > 0 {
		e.left += more
		e.tail = append(e.tail[:0], e.tail[more:]...)
	}
	return len(p), nil
}

func (e *excerpt) String() string {
	if e.left == 0 {
		return string(e.head) + string(e.tail)
	}
	return fmt.Sprintf("%s\n… %d bytes are left out …\n%s", e.head, e.left, e.tail)
}

// end is the last of it, as it may stand in an error.
func (e *excerpt) end() string {
	const most = 800
	text := e.String()
	return text[max(0, len(text)-most):]
}

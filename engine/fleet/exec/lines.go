package exec

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// lines reads lines of a limited length.
type lines struct {
	r    *bufio.Reader
	most int
	buf  []byte
}

func newLines(r io.Reader, most int) *lines {
	return &lines{r: bufio.NewReaderSize(r, 64<<10), most: most}
}

// next returns the next line that is not blank, without its end; it is valid
// until the call after. A last line without an end is no line: it was cut.
func (l *lines) next() ([]byte, error) {
	for {
		l.buf = l.buf[:0]
		if err := l.fill(); err != nil {
			return nil, err
		}
		if line := bytes.TrimSpace(l.buf); len(line) > 0 {
			return line, nil
		}
	}
}

func (l *lines) fill() error {
	for {
		part, err := l.r.ReadSlice('\n')
		if len(l.buf)+len(part) > l.most {
			return fmt.Errorf("a line is longer than %d bytes", l.most)
		}
		l.buf = append(l.buf, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/sirupsen/logrus"
)

// unheard passes text on so that a workflow's runner hears no command in it.
// GitHub's takes one from a line that begins with "::", whatever blanks stand
// before, and from "##[" anywhere in a line, on stdout and on stderr alike
// (actions/runner, ActionCommand.cs). A gap without width makes neither of them. In
// JSON, which has no line that begins with a colon, the bracket is written as an
// escape and means the same.
type unheard struct {
	w     io.Writer
	json  bool
	begun bool    // the line has a letter or sign that no runner takes for a blank
	last  [2]byte // the two bytes before
}

const gap = "\u200b"

func (u *unheard) Write(p []byte) (int, error) {
	var b bytes.Buffer
	for _, c := range p {
		switch command := c == ':' && !u.begun || c == '[' && u.last == [2]byte{'#', '#'}; {
		case command && u.json:
			fmt.Fprintf(&b, `\u%04x`, c)
		case command:
			b.WriteString(gap)
			fallthrough
		default:
			b.WriteByte(c)
		}
		u.begun = c != '\n' && c != '\r' && (u.begun || c > ' ' && c < 0x7f)
		u.last = [2]byte{u.last[1], c}
	}
	if _, err := u.w.Write(b.Bytes()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// under is what a stream writes to in the end.
func under(w io.Writer) io.Writer {
	if u, ok := w.(*unheard); ok {
		return u.w
	}
	return w
}

// jsonFormatter writes entries as JSON, in which "##[" stands otherwise and means
// the same.
type jsonFormatter struct{ logrus.JSONFormatter }

func (f *jsonFormatter) Format(e *logrus.Entry) ([]byte, error) {
	line, err := f.JSONFormatter.Format(e)
	return bytes.ReplaceAll(line, []byte("##["), []byte(`##\u005b`)), err
}

// quietly is a text as unheard passes it on.
func quietly(s string) string {
	var b strings.Builder
	(&unheard{w: &b}).Write([]byte(s))
	return b.String()
}

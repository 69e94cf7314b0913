package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sirupsen/logrus"
)

// lineFormatter writes a log entry as one plain line.
type lineFormatter struct{ color bool }

// Format writes "ringmaster: warning: message key=value".
func (f *lineFormatter) Format(e *logrus.Entry) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("ringmaster: ")
	switch {
	case e.Level <= logrus.WarnLevel && f.color:
		fmt.Fprintf(&b, "\x1b[33m%s\x1b[0m: ", e.Level)
	case e.Level != logrus.InfoLevel:
		fmt.Fprintf(&b, "%s: ", e.Level)
	}
	b.WriteString(plain(e.Message))
	writeFields(&b, e.Data)
	b.WriteByte('\n')
	return b.Bytes(), nil
}

func writeFields(b *bytes.Buffer, fields logrus.Fields) {
	for _, k := range slices.Sorted(maps.Keys(fields)) {
		if v := fmt.Sprint(fields[k]); v != "" {
			fmt.Fprintf(b, " %s=%q", k, v)
		}
	}
}

// githubFormatter writes entries as workflow commands, so that GitHub Actions
// shows warnings and errors as annotations.
type githubFormatter struct{}

// Format writes "::warning::message", with what GitHub would read as a command
// of its own escaped.
func (githubFormatter) Format(e *logrus.Entry) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(e.Message)
	writeFields(&b, e.Data)
	text := commandData(b.String())
	switch {
	case e.Level <= logrus.ErrorLevel:
		text = "::error::" + text
	case e.Level == logrus.WarnLevel:
		text = "::warning::" + text
	case e.Level >= logrus.DebugLevel:
		text = "::debug::" + text
	default:
		text = quietly(strings.ReplaceAll(b.String(), "\n", " "))
	}
	return []byte(text + "\n"), nil
}

// commandData escapes the text of a workflow command.
func commandData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

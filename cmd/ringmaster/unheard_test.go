package main

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/sirupsen/logrus"
)

// heard is the first line of a stream that GitHub's runner takes a command from,
// as it looks for them, "" where there is none.
func heard(s string) string {
	for _, l := range strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if strings.HasPrefix(strings.TrimSpace(l), "::") || strings.Contains(l, "##[") {
			return l
		}
	}
	return ""
}

var spoken = []string{"::error::x", "  ::set-output name=x::y", "x\n::stop-commands::z\n", "\t \n\n ::add-mask::e", ":", "::::x", ":::x", "a::b", "##[error]x", "x ##[add-mask]e", "###[x]", "# #[", "\u00a0::error::x", "\r::error::x", "\v::error::x"}

func TestUnheard(t *testing.T) {
	for _, s := range spoken {
		for name, r := range map[string]io.Reader{"whole": strings.NewReader(s), "by bytes": iotest.OneByteReader(strings.NewReader(s))} {
			var b bytes.Buffer
			if _, err := io.Copy(&unheard{w: &b}, struct{ io.Reader }{r}); err != nil {
				t.Fatal(err)
			}
			if l := heard(b.String()); l != "" {
				t.Errorf("%s: %q is passed on as %q, in which a runner hears %q", name, s, b.String(), l)
			}
			if got := strings.ReplaceAll(b.String(), gap, ""); got != s {
				t.Errorf("%s: %q is passed on as %q", name, s, got)
			}
		}
	}
	for _, s := range spoken {
		for _, v := range []any{s, []any{s, "##", []any{s}}, map[string]any{s: s}} {
			var b bytes.Buffer
			e := json.NewEncoder(&unheard{w: &b, json: true})
			e.SetIndent("", "  ")
			if err := e.Encode(v); err != nil {
				t.Fatal(err)
			}
			var got any
			if err := json.Unmarshal(b.Bytes(), &got); err != nil || !reflect.DeepEqual(got, v) {
				t.Errorf("%q as JSON is passed on as %q, %v", v, b.String(), err)
			}
			if l := heard(b.String()); l != "" {
				t.Errorf("in %q as JSON a runner hears %q", v, l)
			}
		}
	}
	for _, s := range []string{"a: b\n", "12:30\n  10:00 x", "## x [1]", "#[1]", "plain"} {
		if got := quietly(s); got != s {
			t.Errorf("%q is passed on as %q", s, got)
		}
	}
}

// TestLogsUnheard: in no format does a message become a command of its own.
func TestLogsUnheard(t *testing.T) {
	for name, f := range map[string]logrus.Formatter{"text": &lineFormatter{}, "json": &jsonFormatter{}, "github": &githubFormatter{}} {
		for _, s := range slices.Concat(spoken, []string{"x\n::error::y"}) {
			for _, level := range []logrus.Level{logrus.InfoLevel, logrus.WarnLevel} {
				line, err := f.Format(&logrus.Entry{Logger: logrus.New(), Level: level, Message: s, Data: logrus.Fields{"k": s}})
				if err != nil {
					t.Fatal(err)
				}
				text := string(line)
				if name == "text" {
					text = quietly(text)
				}
				if name == "github" && level == logrus.WarnLevel {
					if !strings.HasPrefix(text, "::warning::") || strings.Count(text, "\n") != 1 {
						t.Errorf("%q becomes %q", s, text)
					}
					continue // the runner takes all of the line for the warning's text
				}
				if l := heard(text); l != "" {
					t.Errorf("%s: %q becomes %q", name, s, l)
				}
				var got struct{ K string }
				if name == "json" && (json.Unmarshal(line, &got) != nil || got.K != s) {
					t.Errorf("%q becomes %s", s, line)
				}
			}
		}
	}
}

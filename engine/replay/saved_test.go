package replay

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// fill puts a text into every string of a value, and n elements into every list.
func fill(v reflect.Value, text string, n int) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		fill(v.Elem(), text, n)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i), text, n)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(v.Index(i), text, n)
		}
	case reflect.String:
		v.SetString(text)
	case reflect.Int:
		v.SetInt(7)
	case reflect.Float64:
		v.SetFloat(1.5)
	case reflect.Bool:
		v.SetBool(true)
	}
}

var spans = regexp.MustCompile("`[^`\n]*`")

// TestSavedIsInert: a report that somebody made up is shown as text and bounded,
// whatever it says.
func TestSavedIsInert(t *testing.T) {
	for i, text := range []string{
		"`x` @team #1 <img src=x onerror=1> [a](http://evil.example) ![i](http://evil.example/p) | $$x$$ www.evil.example\n\n# h\n- a\n",
		"www.evil.example", "@everybody", "- [ ] item", "# head", "1. one", "    code", "~~~\n", "<!-- ringmaster: note replay -->", "a\u202eb\u2066", "<details>", "$`x`$", strings.Repeat("long ", 400),
		"```\nx", "http://evil.example", "</details>", "owner/repo#1", "evil@example.com", "GH-1", "a ~~b~~ c", "\xff\xfe",
	} {
		for _, models := range []bool{false, true} {
			var r Report
			fill(reflect.ValueOf(&r).Elem(), text, 40)
			r.Schema, r.Models, r.Commit = Schema, models, "0123"
			data, err := json.Marshal(r.Brief())
			if err != nil {
				t.Fatal(err)
			}
			read, err := Read(data)
			if err != nil {
				t.Fatal(err)
			}
			read.Commit = text
			page := read.Markdown()
			if n := utf8.RuneCountInString(page); n > 60000 {
				t.Errorf("text %d: the page has %d characters", i, n)
			}
			rest := spans.ReplaceAllString(page, "")
			for _, bad := range []string{"@", "http:", "www.", "<img", "<!--", "](", "$", "\u202e", "\u2066", "~~", "evil", "GH-1", "#1"} {
				if strings.Contains(rest, bad) {
					t.Errorf("text %d: the page holds %q outside of code:\n%s", i, bad, rest)
					break
				}
			}
			for line := range strings.Lines(page) {
				if strings.Count(line, "`")%2 != 0 {
					t.Errorf("text %d: a span of code is not ended: %s", i, line)
				}
			}
			if strings.Count(rest, "<details>") != strings.Count(rest, "</details>") {
				t.Errorf("text %d: a block is not ended", i)
			}
		}
	}
}

func TestReadRefuses(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", "it is no report"}, {"[]", "it is no report"}, {"{}", `its schema is ""`}, {`{"schema":"ringmaster/plan/v1"}`, `expected "ringmaster/replay/v1"`},
		{strings.Repeat(" ", MostSaved+1), "at most"},
	} {
		if _, err := Read([]byte(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Read(%.20q) = %v, want %q", tt.text, err, tt.want)
		}
	}
}

package hclfile

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func faultLines(faults []Fault) []string {
	var list []string
	for _, f := range faults {
		list = append(list, f.String())
	}
	return list
}

// TestParseFaults: what a person reads who got the text wrong.
func TestParseFaults(t *testing.T) {
	tests := []struct {
		name, src string
		want      []string
	}{
		{"sound", "a = 1\nb \"x\" {\n  c = \"d\"\n}\n", nil},
		{"two attributes on a line", "ring \"c\" { order = 1 share = 2 }\n", []string{
			`f.hcl:1:22: a block on one line holds one attribute; put each attribute on a line of its own`}},
		{"two attributes in a block's line", "ring \"c\" {\n  order = 1 share = 2\n}\n", []string{
			`f.hcl:2:13: one attribute a line; a new line is expected here`}},
		{"not closed", "ring \"c\" {\n  order = 1\n", []string{`f.hcl:1:10: block is not closed; "}" is missing before the end of the file`}},
		{"a quote is missing", "a = \"x\nb = \"y\"\n", []string{`f.hcl:1:7: string runs over the end of the line; close the quote or write \n`}},
		{"a quote is missing at the end", "a = \"x", []string{`f.hcl:1:7: string is not closed; a quote is missing before the end of the line or file`}},
		{"set twice", "a = 1\na = 2\n", []string{`f.hcl:2:1: attribute "a" is set twice; it was first set on line 1`}},
		{"columns count characters", "ü = \"ü\"\na = ö.x\n", []string{`f.hcl:2:5: attribute "a" must be a literal value, got the variable ö.x`}},
		{"bare word", "a = UTC\n", []string{`f.hcl:1:5: attribute "a" must be a literal value, got the bare word UTC; write "UTC" in quotes`}},
		{"function", "a = file(\"/etc/passwd\")\n", []string{`f.hcl:1:5: attribute "a" must be a literal value, got a call of function "file"`}},
		{"arithmetic", "a = 1 + 1\n", []string{`f.hcl:1:5: attribute "a" must be a literal value, got an expression`}},
		{"template", "a = \"${b}\"\nc = \"x${b}\"\n", []string{
			`f.hcl:1:5: attribute "a" must be a literal value, got a template`,
			`f.hcl:2:9: attribute "c" must be a literal value, got a template; write $${ or %%{ for the characters themselves`}},
		{"null", "a = null\n", []string{`f.hcl:1:5: attribute "a" is null; leave it out instead`}},
		{"in a list", "a = [\"x\", y, 1 + 1]\n", []string{
			`f.hcl:1:11: attribute "a" must be a literal value, got the bare word y; write "y" in quotes`,
			`f.hcl:1:14: attribute "a" must be a literal value, got an expression`}},
		{"keys", "a = { b = 1, b = 2, (c) = 3 }\n", []string{
			`f.hcl:1:14: attribute "a": key "b" is set twice; it was first set on line 1`,
			`f.hcl:1:21: attribute "a": a key must be a word or a string`}},
		{"too large", "a = 1e999\n", []string{`f.hcl:1:5: attribute "a": number is too large`}},
		{"deep", "a = " + strings.Repeat("[", 100000), []string{`f.hcl:1:37: nested deeper than 32 levels`}},
		{"signs", "a = " + strings.Repeat("-", 100000) + "1", []string{`f.hcl:1:37: nested deeper than 32 levels`}},
		{"not UTF-8", "a = \"\xff\"\n", []string{`f.hcl:1:6: file is not UTF-8`,
			`f.hcl:1:6: string is not closed; a quote is missing before the end of the line or file`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, faults := Parse("f.hcl", []byte(tt.src))
			if diff := cmp.Diff(tt.want, faultLines(faults)); diff != "" {
				t.Errorf("Parse() faults (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseValues(t *testing.T) {
	f, faults := Parse("f.hcl", []byte(`
s = "a \"b\" $${c}"
h = <<-EOT
  one
    two
EOT
n = -1.5
b = true
l = ["x", 2,
  false,
]
m = { a = "1", "b c" = ["2"], d : 3 }
outer "x" {
  inner {
    k = 1
  }
}
`))
	if len(faults) > 0 {
		t.Fatalf("Parse() faults %v", faults)
	}
	at := func(line, column int) Place { return Place{"f.hcl", line, column} }
	want := []Attr{
		{at(2, 1), "s", Value{Place: at(2, 5), Kind: String, Text: `a "b" ${c}`}},
		{at(3, 1), "h", Value{Place: at(3, 5), Kind: String, Text: "one\n  two\n"}},
		{at(7, 1), "n", Value{Place: at(7, 5), Kind: Number, Number: -1.5}},
		{at(8, 1), "b", Value{Place: at(8, 5), Kind: Bool, Bool: true}},
		{at(9, 1), "l", Value{Place: at(9, 5), Kind: List, Items: []Value{
			{Place: at(9, 6), Kind: String, Text: "x"}, {Place: at(9, 11), Kind: Number, Number: 2}, {Place: at(10, 3), Kind: Bool}}}},
		{at(12, 1), "m", Value{Place: at(12, 5), Kind: Map,
			Keys: []Key{{at(12, 7), "a"}, {at(12, 16), "b c"}, {at(12, 31), "d"}},
			Items: []Value{{Place: at(12, 11), Kind: String, Text: "1"}, {Place: at(12, 24), Kind: List, Items: []Value{{Place: at(12, 25), Kind: String, Text: "2"}}},
				{Place: at(12, 35), Kind: Number, Number: 3}}}},
	}
	if diff := cmp.Diff(want, f.Root.Attrs); diff != "" {
		t.Errorf("Parse() attributes (-want +got):\n%s", diff)
	}
	outer := f.Root.Blocks[0]
	if outer.Type != "outer" || outer.Name() != "x" || outer.NamePlace() != at(13, 7) || outer.Blocks[0].NamePlace() != at(14, 3) || outer.Blocks[0].Name() != "" {
		t.Errorf("Parse() block %+v", outer)
	}
}

func TestMentions(t *testing.T) {
	f, faults := Parse("f.hcl", []byte("service \"a\" {\n  x = \n}\nservice \"b\" {\n  window = \"w\"\nhost \"c\" {"))
	if !f.Broken || len(faults) == 0 {
		t.Fatalf("Parse() broken %v, faults %v", f.Broken, faults)
	}
	if want := []Mention{{"service", "a"}, {"service", "b"}, {"host", "c"}}; !cmp.Equal(f.Mentions, want) {
		t.Errorf("Mentions = %v, want %v", f.Mentions, want)
	}
}

func TestRead(t *testing.T) {
	fsys := fstest.MapFS{"big.hcl": {Data: make([]byte, MaxSize+1)}, "ok.hcl": {Data: []byte("a = 1\n")}}
	for name, want := range map[string]string{
		"ok.hcl":   "",
		"gone.hcl": "gone.hcl: open gone.hcl: file does not exist",
		"big.hcl":  "big.hcl: file has 4194305 bytes; at most 4194304 are read",
	} {
		f, faults := Read(fsys, name)
		if got := strings.Join(faultLines(faults), "\n"); got != want || f.Broken != (want != "") {
			t.Errorf("Read(%s) faults %q, broken %v, want %q", name, got, f.Broken, want)
		}
	}
}

// decodeAll asks a block for one attribute of every kind.
func decodeAll(b *Block) (values string, faults []Fault) {
	d := Decode(b, 1, &faults)
	d.Need("string")
	values = fmt.Sprintf("%q %q %q %v %v %v %v %v %v %q %v %v", d.String("string"), d.StringSuch("such", `"2"`), d.Word("word", "one", "two"),
		d.Number("number", 0, 10), d.Int("int", 1), d.Bool("bool"), d.Duration("duration", time.Minute), d.Share("share"),
		d.Time("time").Format(time.RFC3339), d.Strings("list"), d.Map("map"), d.MapOfLists("lists"))
	if inner := d.Block("inner"); inner != nil {
		i := Decode(inner, 0, &faults)
		i.Number("x", math.Inf(-1), math.Inf(1))
		i.Done()
	}
	d.Done()
	Sort(faults)
	return values, faults
}

func TestDecode(t *testing.T) {
	tests := []struct {
		name, src, values string
		want              []string
	}{
		{"everything", `thing "x" {
  string = "s"
  such = "60%"
  word = "two"
  number = 2.5
  int = 3
  bool = true
  duration = "1d12h"
  share = "5%"
  time = "2026-03-05T01:00:00+01:00"
  list = ["a", "b"]
  map = { k = "v" }
  lists = { k = ["a"] }
  inner {
    x = 1
  }
}`, `"s" "60%" "two" 2.5 3 true 36h0m0s 0.05 2026-03-05T00:00:00Z ["a" "b"] map[k:v] map[k:[a]]`, nil},
		{"nothing", `thing "x" {
}`, `"" "" "" 0 0 false 0s 0 0001-01-01T00:00:00Z [] map[] map[]`, []string{`f.hcl:1:1: thing "x": attribute "string" is missing`}},
		{"wrong kinds", `thing "x" {
  string = 1
  such = 60
  word = ["one"]
  number = "1"
  bool = "true"
  duration = 5
  list = "a"
  map = ["a"]
  lists = { k = "a", l = [1, ""] }
}`, `"" "" "" 0 0 false 0s 0 0001-01-01T00:00:00Z [] map[] map[l:[]]`, []string{
			`f.hcl:2:12: thing "x": attribute "string" must be a string, got a number`,
			`f.hcl:3:10: thing "x": attribute "such" must be a string such as "2", got a number`,
			`f.hcl:4:10: thing "x": attribute "word" must be a string, got a list`,
			`f.hcl:5:12: thing "x": attribute "number" must be a number, got a string`,
			`f.hcl:6:10: thing "x": attribute "bool" must be a bool, got a string`,
			`f.hcl:7:14: thing "x": attribute "duration" must be a string such as "90m", "4h" or "7d", got a number`,
			`f.hcl:8:10: thing "x": attribute "list" must be a list of strings, got a string`,
			`f.hcl:9:9: thing "x": attribute "map" must be a map of strings, got a list`,
			`f.hcl:10:17: thing "x": attribute "lists": "k" must be a list of strings, got a string`,
			`f.hcl:10:27: thing "x": attribute "lists" must be a list of strings; item 1 is a number`,
			`f.hcl:10:30: thing "x": attribute "lists": item 2 is empty`}},
		{"out of bounds", `thing "x" {
  string = "s"
  word = "tow"
  number = 11
  int = 0
  duration = "10s"
  share = "0%"
  time = "noon"
}`, `"s" "" "" 0 0 false 0s 0 0001-01-01T00:00:00Z [] map[] map[]`, []string{
			`f.hcl:3:10: thing "x": attribute "word" is "tow"; did you mean "two"? expected one of "one", "two"`,
			`f.hcl:4:12: thing "x": attribute "number" is 11; it must be at most 10`,
			`f.hcl:5:9: thing "x": attribute "int" is 0; it must be at least 1`,
			`f.hcl:6:14: thing "x": attribute "duration" is "10s"; it must be at least "1m"`,
			`f.hcl:7:11: thing "x": attribute "share" is "0%"; a share is above 0% and at most 100%`,
			`f.hcl:8:10: thing "x": attribute "time": "noon" is not an RFC 3339 time; expected one such as "2026-03-05T00:00:00Z"`}},
		{"unknown words", `thing "x" {
  string = "s"
  strnig = "s"
  inner = 1
  word {
  }
  inne {
  }
  inner {
    y = 1
  }
  inner "z" {
  }
}`, `"s" "" "" 0 0 false 0s 0 0001-01-01T00:00:00Z [] map[] map[]`, []string{
			`f.hcl:3:3: unknown attribute "strnig" in thing "x"; did you mean "string"? expected one of "bool", "duration", "int", "list", "lists", "map", "number", "share", "string", "such", "time", "word"`,
			`f.hcl:4:3: "inner" in thing "x" is a block; write inner { … } without the equals sign`,
			`f.hcl:5:3: "word" in thing "x" is an attribute; write word = …`,
			`f.hcl:7:3: unknown block "inne" in thing "x"; expected "inner"`,
			`f.hcl:10:5: unknown attribute "y" in inner; expected "x"`,
			`f.hcl:12:3: thing "x": block "inner" is declared twice; it was first declared on line 9`}},
		{"no name", "thing {\n  string = \"s\"\n}", `"s" "" "" 0 0 false 0s 0 0001-01-01T00:00:00Z [] map[] map[]`, []string{
			`f.hcl:1:1: thing block needs a name, as in thing "name" { … }`}},
		{"two names", "thing \"x\" \"y\" {\n  string = \"s\"\n}", `"s" "" "" 0 0 false 0s 0 0001-01-01T00:00:00Z [] map[] map[]`, []string{
			`f.hcl:1:11: thing block takes one name`}},
		{"what is missing in a broken block is not said", "thing \"x\" {\n  word =\n}", `"" "" "" 0 0 false 0s 0 0001-01-01T00:00:00Z [] map[] map[]`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, _ := Parse("f.hcl", []byte(tt.src))
			values, faults := decodeAll(f.Root.Blocks[0])
			if values != tt.values {
				t.Errorf("values = %s, want %s", values, tt.values)
			}
			if diff := cmp.Diff(tt.want, faultLines(faults)); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzParse: no text makes it panic, every place is one of the file, faults are
// sorted and each stands once, and a file without faults is not broken.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"a = 1\n", "ring \"c\" {\n  order = 1\n  share = \"5%\"\n}\n", "a = \"x\nb = 2", "a = {b = [1, {c = null}]}", "x \"é\" {\n ü = \"ö\r\n", "a = <<EOT\nx\nEOT\n", "thing \"x\" { inner { x = y } }", "\xef\xbb\xbfa = 1", "a = \"${\"${b}\"}\"", "{{{{", "a = -\"b\"", "a = for"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		file, faults := Parse("f.hcl", src)
		for _, b := range file.Root.Blocks {
			_, more := decodeAll(b)
			faults = append(faults, more...)
		}
		lines := bytes.Count(src, []byte("\n")) + 1
		for _, x := range faults {
			if x.File != "f.hcl" || x.Line < 0 || x.Line > lines || x.Message == "" || strings.Contains(x.Message, "\n") {
				t.Errorf("fault %+v of a file of %d lines", x, lines)
			}
			if x.Line > 0 && utf8.Valid(src) {
				line := bytes.Split(src, []byte("\n"))[x.Line-1]
				if x.Column < 1 || x.Column > utf8.RuneCount(line)+2 {
					t.Errorf("fault %+v: the line has %d characters", x, utf8.RuneCount(line))
				}
			}
		}
		_, again := Parse("f.hcl", src)
		if first := faults[:min(len(again), len(faults))]; !slices.Equal(first, again) {
			t.Errorf("the same text has other faults: %v, %v", first, again)
		}
		if file.Broken && len(again) == 0 {
			t.Error("broken without a fault")
		}
	})
}

package ebm

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func TestReadCSV(t *testing.T) {
	const text = "\ufeff" + `x,w,mixed,label,when,split,empty,zip
1,red,1,0,2026-01-02,train,,01234
 2,"a, b",two,1,2026-01-02T00:00:01Z,train,,56789
,,3.50,1,,train,,00001
-1e3,red,,0,7,,,9
x,oops,?,?,never,test,7,?
`
	// The second x begins with a space: that is a word, and so is all of x then.
	got, err := ReadCSV(strings.NewReader(text), CSV{Name: "t.csv", Label: "label", Split: "split", Time: "when"})
	if err != nil {
		t.Fatal(err)
	}
	nan := math.NaN()
	want := &Examples{
		Label: []bool{false, true, true, false},
		Time:  []float64{1767312000, 1767312001, nan, 7},
		Table: Table{Rows: 4, Columns: []Column{
			{Name: "x", Words: []string{"1", " 2", "", "-1e3"}},
			{Name: "w", Words: []string{"red", "a, b", "", "red"}},
			{Name: "mixed", Words: []string{"1", "two", "3.50", ""}},
			{Name: "empty", Numbers: []float64{nan, nan, nan, nan}},
			{Name: "zip", Numbers: []float64{1234, 56789, 1, 9}},
		}},
	}
	if a, b := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); a != b { // as text, NaN is NaN
		t.Errorf("ReadCSV() =\n%s, want\n%s", a, b)
	}
}

func TestNumber(t *testing.T) {
	for text, want := range map[string]float64{"12": 12, "-0.5": -0.5, "1e6": 1e6, "+3": 3, ".5": 0.5, "007": 7} {
		if got, ok := Number(text); !ok || got != want {
			t.Errorf("Number(%q) = %v, %v, want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "inf", "NaN", "0x10", "1_000", "1,5", "e5", "1e999", " 1", "-", "1e151"} {
		if got, ok := Number(text); ok || !math.IsNaN(got) {
			t.Errorf("Number(%q) = %v, %v, want no number", text, got, ok)
		}
	}
}

// All faults are told at once, each with its place.
func TestCSVFaults(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "t.csv:1:1: the file is empty; expected a header"},
		{"no label", "a,b\n1,2\n", `t.csv:1:1: no column "label" for the label; there are "a", "b"`},
		{"several", "x,label,when\n1,yes,1\n2,0\n3,1,tomorrow\n4,,2\n", `t.csv:2:3: label "yes"; expected 0 or 1
t.csv:3:1: 2 fields; the header has 3
t.csv:4:5: time "tomorrow"; expected a number, a date or an RFC 3339 time
t.csv:5:3: label ""; expected 0 or 1`},
		{"header", "x,x,,label\n", `t.csv:1:3: column "x" is there twice
t.csv:1:5: a column without a name`},
		{"quote", "x,label\n1,0\n\"2,1\n3,1\n", "t.csv:4:5: extraneous or missing \" in quoted-field"},
		{"bare quote", "x,label\na\"b,1\n", "t.csv:2:2: bare \" in non-quoted-field"},
		{"not UTF-8", "x,label\na\xff,1\n,2\n", `t.csv:2:1: "a\xff" is not UTF-8
t.csv:3:2: label "2"; expected 0 or 1`},
		{"header not UTF-8", "x\xff,label\n", `t.csv:1:1: column "x\xff" is not named in UTF-8`},
		{"lines in fields", "x,label\n\"a\nb\",7\n", `t.csv:3:4: label "7"; expected 0 or 1`},
		{"many", "x,label\n" + strings.Repeat("1,2\n", 25), "t.csv: … and 5 more like these"},
	} {
		o := CSV{Name: "t.csv", Label: "label"}
		if strings.Contains(c.text, "when") {
			o.Time = "when"
		}
		_, err := ReadCSV(strings.NewReader(c.text), o)
		var faults Faults
		if !errors.As(err, &faults) || faults.Error() != c.want && !(c.name == "many" && strings.HasSuffix(faults.Error(), "\n"+c.want) && len(faults) == mostFaults+1) {
			t.Errorf("%s: ReadCSV() = %v, want\n%s", c.name, err, c.want)
		}
	}
	broken := errors.New("the disk is gone")
	if _, err := ReadCSV(iotest.ErrReader(broken), CSV{Name: "t.csv", Label: "label"}); err == nil || !strings.Contains(err.Error(), "the disk is gone") {
		t.Errorf("a file that cannot be read: %v", err)
	}
	if _, err := ReadCSV(strings.NewReader("x\n1\n"), CSV{Name: "t.csv"}); err == nil {
		t.Error("no label column was named, and that passed")
	}
}

// Whatever stands in rows of the test split, the model is the same: they do not
// even make a column one of words.
func TestTestSplitIsNeverRead(t *testing.T) {
	tb, label := planted(400, 21)
	file := func(test string) []byte {
		var b bytes.Buffer
		fmt.Fprintln(&b, "a,w,label,split")
		for i := range tb.Rows {
			if i%3 == 0 && test != "" {
				fmt.Fprintln(&b, test)
			}
			fmt.Fprintf(&b, "%v,%s,%d,train\n", tb.Columns[0].Numbers[i], tb.Columns[5].Words[i], map[bool]int{true: 1}[label[i]])
		}
		return b.Bytes()
	}
	var want []byte
	for _, test := range []string{"", "17,blue,1,test", "word,violet,maybe,test", "1e300,\xff,,test"} {
		e, err := ReadCSV(bytes.NewReader(file(test)), CSV{Name: "t.csv", Label: "label", Split: "split"})
		if err != nil {
			t.Fatal(err)
		}
		got := mustFit(t, e.Table, e.Label, Options{}).Bytes()
		if want == nil {
			want = got
		}
		if !bytes.Equal(got, want) {
			t.Errorf("test rows %q changed the model", test)
		}
	}
}

// A file's scores are its rows' scores, with columns in any order and others
// between.
func TestScoreCSV(t *testing.T) {
	m, tb, _ := plantedModel(t)
	var b bytes.Buffer
	fmt.Fprintln(&b, "w,other,noise,d,c,b,a")
	show := func(x float64) string {
		if math.IsNaN(x) {
			return ""
		}
		return fmt.Sprint(x)
	}
	for i := range 200 {
		fmt.Fprintf(&b, "%s,?,%s,%s,%s,%s,%s\n", tb.Columns[5].Words[i], show(tb.Columns[4].Numbers[i]), show(tb.Columns[3].Numbers[i]),
			show(tb.Columns[2].Numbers[i]), show(tb.Columns[1].Numbers[i]), show(tb.Columns[0].Numbers[i]))
	}
	b.WriteString("red,?,0.5,10,10,much,50\n")
	var got []Score
	err := m.ScoreCSV(&b, "t.csv", func(row int, s Score) error {
		if row != len(got) {
			t.Errorf("row %d handed on as %d", len(got), row)
		}
		got = append(got, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := scores(t, m, tb)[:200]
	if !slices.Equal(got[:200], want) {
		t.Error("a file's scores differ from its rows' scores")
	}
	if last := got[200]; !last.Abstain || last.Why != "b is not a number" {
		t.Errorf("a word for a number: %+v, want it to abstain", last)
	}
	for text, want := range map[string]string{
		"a,b\n1,2\n": `t.csv:1:1: the model needs columns that are not there: "c", "d", "noise", "w"`,
		"":           "t.csv:1:1: the file is empty; expected a header",
		"a,b,c,d,noise,w\n1,2,3,4,5,red\n1,2\n1,2,3\n": "t.csv:3:1: 2 fields; the header has 6\nt.csv:4:1: 3 fields; the header has 6",
	} {
		if err := m.ScoreCSV(strings.NewReader(text), "t.csv", func(int, Score) error { return nil }); err == nil || err.Error() != want {
			t.Errorf("ScoreCSV(%q) = %v, want %s", text, err, want)
		}
	}
	stop := errors.New("stop")
	if err := m.ScoreCSV(strings.NewReader("a,b,c,d,noise,w\n1,2,3,4,5,red\n"), "t.csv", func(int, Score) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("ScoreCSV() = %v, want what the caller returned", err)
	}
}

// What ReadCSV takes is a table that hangs together, and every fault has a place.
func FuzzReadCSV(f *testing.F) {
	for _, text := range []string{
		"x,label\n1,0\n,1\n",
		"\ufeffx,label,split,when\n1,0,train,2026-01-02\nred,1,test,x\n\"a\nb\",1,,\n",
		"x,label\n1,0\n2\n\"3,1\n",
		"label\n0\n1\n",
		"x,x,label,\n007,+1,1,é\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		o := CSV{Name: "t.csv", Label: "label"}
		if header, _, _ := bytes.Cut(data, []byte("\n")); bytes.Contains(header, []byte("split")) && bytes.Contains(header, []byte("when")) {
			o.Split, o.Time = "split", "when"
		}
		e, err := ReadCSV(bytes.NewReader(data), o)
		var faults Faults
		if errors.As(err, &faults) {
			for _, line := range faults {
				if !strings.HasPrefix(line, "t.csv:") {
					t.Errorf("fault %q has no place", line)
				}
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := check(e.Table, e.Label, Options{Time: e.Time}); err != nil {
			t.Errorf("the table does not hang together: %v", err)
		}
		again, err := ReadCSV(iotest.OneByteReader(io.Reader(bytes.NewReader(data))), o)
		if err != nil || !reflect.DeepEqual(fmt.Sprint(again), fmt.Sprint(e)) {
			t.Errorf("read byte by byte it is another table: %v", err)
		}
	})
}

package epss

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
)

func TestParse(t *testing.T) {
	at := time.Date(2031, 3, 10, 0, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name, file string
		want       Scores
	}{
		{"2021-04", "cve,epss\nCVE-2020-5902,0.65117\n", Scores{Forecasts: []advisory.Forecast{{CVE: "CVE-2020-5902", P: 0.65117}}}},
		{"2021-09", "cve,epss,percentile\r\nCVE-2020-5902,0.65117,0.998\r\n", Scores{Forecasts: []advisory.Forecast{{CVE: "CVE-2020-5902", P: 0.65117, Percentile: 0.998}}}},
		{
			"2022-02", "#model_version:v2022.01.01,score_date:2031-03-10T00:00:00+0000\ncve,epss,percentile\nCVE-2020-5902,0.96817,0.99999",
			Scores{Model: "v2022.01.01", At: at, Forecasts: []advisory.Forecast{{CVE: "CVE-2020-5902", P: 0.96817, Percentile: 0.99999, At: at}}},
		},
		{
			"2025-03", "#model_version:v2025.03.14,score_date:2031-03-10T12:55:00Z\ncve,epss,percentile\n",
			Scores{Model: "v2025.03.14", At: at.Add(12*time.Hour + 55*time.Minute), Forecasts: []advisory.Forecast{}},
		},
		{
			"an extract", "CVE,CVSS3,EPSS,EPSS Percentile,Description\nCVE-2020-5902,9.8,0.5,0.9,\"two\nlines, quoted\"\n",
			Scores{Forecasts: []advisory.Forecast{{CVE: "CVE-2020-5902", P: 0.5, Percentile: 0.9}}},
		},
	} {
		got, problems, err := Parse([]byte(test.file))
		if err != nil || len(problems) > 0 {
			t.Errorf("%s: Parse() = %v, %v", test.name, problems, err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestParseProblems(t *testing.T) {
	got, problems, err := Parse([]byte("#model_version:v1,score_date:2031-03-10T00:00:00Z\ncve,epss,percentile\nCVE-2031-0001,0.5,0.5\nCVE-2031-0002,1.5,0.5\nx,0.5,0.5\nCVE-2031-0003,NaN,0\nCVE-2031-0004,0.1,two\n"))
	want := []string{
		`line 4: score "1.5" is not a number from 0 to 1; the row is left out`,
		`line 5: "x" is not the id of a CVE; the row is left out`,
		`line 6: score "NaN" is not a number from 0 to 1; the row is left out`,
		`line 7: percentile "two" is not a number from 0 to 1; the row is left out`,
	}
	var said []string
	for _, p := range problems {
		said = append(said, p.String())
	}
	if diff := cmp.Diff(want, said); diff != "" || err != nil || len(got.Forecasts) != 1 {
		t.Errorf("Parse() = %d rows, %v, problems (-want +got):\n%s", len(got.Forecasts), err, diff)
	}
	if _, _, err := Parse([]byte("cve,score\n")); err == nil {
		t.Error("Parse() of another table succeeded, want an error")
	}
}

func TestParseManyProblems(t *testing.T) {
	_, problems, _ := Parse([]byte("cve,epss\n" + string(bytes.Repeat([]byte("x,1\n"), 1000))))
	if len(problems) != 11 || problems[10].Message != "1000 rows are left out in all" {
		t.Errorf("Parse() = %d problems, want 10 and their number", len(problems))
	}
}

func TestDateIn(t *testing.T) {
	if got := DateIn("epss/1-epss_scores-2021-04-14.csv.gz"); !got.Equal(time.Date(2021, 4, 14, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("DateIn() = %v, want 2021-04-14", got)
	}
	if got := DateIn("epss_scores-current.csv.gz"); !got.IsZero() {
		t.Errorf("DateIn() = %v, want zero", got)
	}
}

// TestFraction holds the short way to the long one, bit for bit.
func TestFraction(t *testing.T) {
	for i := range 20_000 {
		for _, text := range []string{fmt.Sprintf("0.%05d", i*5), fmt.Sprintf("0.%d", i), fmt.Sprintf("0.%015d", i*48611111111)} {
			want, err := strconv.ParseFloat(text, 64)
			if got, ok := fraction([]byte(text)); got != want || ok != (err == nil) {
				t.Fatalf("fraction(%q) = %v, %v, want %v", text, got, ok, want)
			}
		}
	}
	for text, want := range map[string]bool{"1": true, "0": true, "1e-5": true, "1.1": false, "-0.1": false, "0.1x": false, "": false, "0.": true, "NaN": false} {
		if _, ok := fraction([]byte(text)); ok != want {
			t.Errorf("fraction(%q) = %v, want %v", text, ok, want)
		}
	}
}

// daily is a file of n rows in the form of a daily one.
func daily(n int) []byte {
	var b bytes.Buffer
	b.WriteString("#model_version:v2025.03.14,score_date:2031-03-10T12:55:00Z\ncve,epss,percentile\n")
	for i := range n {
		b.WriteString("CVE-" + strconv.Itoa(1999+i%27) + "-" + fmt.Sprintf("%05d", i) + ",0." + fmt.Sprintf("%05d", i*7919%100000) + ",0." + fmt.Sprintf("%05d", i*104729%100000) + "\n")
	}
	return b.Bytes()
}

// BenchmarkParse reads as many rows as a daily file of 2026 has.
func BenchmarkParse(b *testing.B) {
	data := daily(300_000)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		s, problems, err := Parse(data)
		if err != nil || len(problems) > 0 || len(s.Forecasts) != 300_000 {
			b.Fatalf("Parse() = %d rows, %v, %v", len(s.Forecasts), problems, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(daily(3))
	if data, err := os.ReadFile(filepath.Join("../../../testdata/feeds", "epss_scores-2031-03-10.csv")); err == nil {
		f.Add(data)
	}
	f.Add([]byte("CVE,CVSS3,EPSS,Description\nCVE-2020-5902,9.8,0.5,\"a\nb\"\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, _, err := Parse(data)
		for _, x := range s.Forecasts {
			if err == nil && (!advisory.IsCVE(x.CVE) || !(x.P >= 0 && x.P <= 1) || !(x.Percentile >= 0 && x.Percentile <= 1)) {
				t.Errorf("Parse() gave %+v", x)
			}
		}
	})
}

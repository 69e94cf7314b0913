package outcome

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseOutcomesCSV(t *testing.T) {
	truth, size, reports, p := true, int64(1024), 3, 0.5
	want := []Imported{{
		At: time.Date(2025, 3, 2, 9, 0, 0, 0, time.UTC), Host: "web-01", Patch: "HER-1312", Service: "shop", Event: Healthy,
		SizeBytes: &size, Reboot: &truth, Components: []string{"tls", "http"}, Reports: &reports, Predicted: &p, Detail: "a, \"b\"\nc",
	}}
	const row = `2025-03-02T10:00:00+01:00,web-01,HER-1312,shop,healthy,1024,yes,tls; http,3,0.5,"a, ""b""` + "\nc\",x\n"
	const head = "at,host,patch,service,event,size_bytes,reboot,components,reports,predicted,detail,ticket\n"
	for _, c := range []struct{ name, text string }{
		{"commas", head + row},
		{"byte order mark", "\xef\xbb\xbf" + head + row},
		{"quoted names in upper case", strings.ToUpper(`"at","host"`) + strings.TrimPrefix(head, "at,host") + row},
		{"semicolons", strings.ReplaceAll(head, ",", ";") + `2025-03-02T10:00:00+01:00;web-01;HER-1312;shop;healthy;1024.0;1;"tls;http";3;0.5;"a, ""b""` + "\nc\";x\n"},
		{"tabs", strings.ReplaceAll(head, ",", "\t") + "2025-03-02T10:00:00+01:00\tweb-01\tHER-1312\tshop\thealthy\t1024\ttrue\ttls;http\t3\t5e-1\t\"a, \"\"b\"\"\nc\"\tx\n"},
	} {
		got, problems := ParseOutcomesCSV("x.csv", []byte(c.text))
		if d := cmp.Diff(want, got); d != "" || len(problems) > 0 {
			t.Errorf("%s: %s %v", c.name, d, problems)
		}
	}
	crlf := strings.ReplaceAll("at,host,patch,event\n2025-03-02T10:00:00Z,web-01,X,failed\n", "\n", "\r\n")
	if got, problems := ParseOutcomesCSV("x.csv", []byte(crlf)); len(got) != 1 || got[0].Event != Failed || len(problems) > 0 {
		t.Errorf("CRLF: %v %v", got, problems)
	}
}

func TestParseCSVProblems(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "the file is empty"},
		{"\xff\xfea\x00", "UTF-16"},
		{"PK\x03\x04", "a workbook or an archive"},
		{"at,host\xff\n", "not UTF-8"},
		{"at,host,event\n", `x.csv:1: column "patch" is missing; needed are at, host, patch, event`},
		{"at,host,patch,event,at\n", `x.csv:1: column "at" stands there twice`},
		{"at,host,patch,event\n2025-01-01,web-1,X,failed\n", `x.csv:2: at "2025-01-01" is not an RFC 3339 time`},
		{"at,host,patch,event\n\n2025-01-01T00:00:00Z,web 1,X,failed\n", `x.csv:3: host "web 1" is not a host name`},
		{"at,host,patch,event\n2025-01-01T00:00:00Z,web-1,,failed\n", "x.csv:2: patch is empty"},
		{"at,host,patch,event\n2025-01-01T00:00:00Z,web-1,X,applied\n", `x.csv:2: unknown event "applied"; expected one of`},
		{"at,host,patch,event\n2025-01-01T00:00:00Z,web-1\n", "x.csv:2: the row has 2 cells, the first line names 4 columns"},
		{"at,host,patch,event\n2025-01-01T00:00:00Z,web-1,\"X,failed\n", "x.csv:2: row left out"},
		{"at,host,patch,event,predicted\n2025-01-01T00:00:00Z,web-1,X,failed,NaN\n", `predicted "NaN" is not a number`},
		{"at,host,patch,event,uptime_s\n2025-01-01T00:00:00Z,web-1,X,failed,1.5\n", `uptime_s "1.5" is not a whole number`},
		{"at,host,patch,event\n2025-01-01T00:00:00Z,web-1,\"X\nY\",failed\n", "has control characters"},
	} {
		list, problems := ParseOutcomesCSV("x.csv", []byte(c.text))
		if len(list) != 0 || len(problems) != 1 || !strings.Contains(problems[0].String(), c.want) {
			t.Errorf("%q: %v, %v; want %s", c.text, list, problems, c.want)
		}
	}
	_, problems := ParseIncidentsCSV("i.csv", []byte("opened,host,service,closed,minutes\n2025-01-02T00:00:00Z,web-1,,2025-01-01T00:00:00Z,-1\n2025-01-02T00:00:00Z,,shop,,\n"))
	var got []string
	for _, p := range problems {
		got = append(got, p.String())
	}
	want := []string{
		"i.csv:2: service is empty; every row needs it", `i.csv:2: minutes "-1" is below 0`,
		"i.csv:2: closed 2025-01-01T00:00:00Z is before opened 2025-01-02T00:00:00Z", "i.csv:3: host is empty; every row needs it",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("incidents: %s", d)
	}
}

// FuzzParseOutcomesCSV: whatever is read survives being written and read again.
func FuzzParseOutcomesCSV(f *testing.F) {
	f.Add([]byte("at,host,patch,event,components,minutes\n2025-01-01T00:00:00Z,web-1,X,failed,a;b,1\n"))
	f.Add([]byte("opened;host;service\n2025-01-01T00:00:00Z;web-1;X\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, problems := ParseOutcomesCSV("x", data)
		incidents, more := ParseIncidentsCSV("x", data)
		for _, p := range append(problems, more...) {
			if p.Message == "" || p.File != "x" {
				t.Errorf("problem %+v", p)
			}
		}
		for _, o := range list {
			line, err := json.Marshal(o)
			var again Imported
			if err != nil || json.Unmarshal(line, &again) != nil || !o.Host.Valid() {
				t.Errorf("%+v: %v", o, err)
			}
			if d := cmp.Diff(o, again); d != "" {
				t.Errorf("written and read again: %s", d)
			}
		}
		for _, i := range incidents {
			if _, err := json.Marshal(i); err != nil {
				t.Errorf("%+v: %v", i, err)
			}
		}
	})
}

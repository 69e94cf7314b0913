package osv

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// same holds decode to json.Unmarshal.
func same(t *testing.T, data []byte) {
	t.Helper()
	var want, got record
	wantErr, gotErr := json.Unmarshal(data, &want), decode(data, &got)
	if (wantErr == nil) != (gotErr == nil) {
		t.Fatalf("decode(%s) = %v, json.Unmarshal says %v", data, gotErr, wantErr)
	}
	if wantErr != nil {
		return
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(record{}, affected{}, ranges{}, event{}, severity{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("decode(%s) (-json.Unmarshal +decode):\n%s", data, diff)
	}
}

var unusual = []string{
	`null`, `{}`, `[]`, `1`, `"x"`, ` { } `, `{"id":null,"affected":null,"aliases":[null,"a"]}`,
	`{"id":"a","id":"b"}`, `{"ID":"a"}`, `{"id":"a","Id":"b"}`, `{"\u0069d":"a"}`, `{"i\u017f":"a","aliaſes":["b"]}`,
	`{"id":1}`, `{"id":{}}`, `{"aliases":"x"}`, `{"aliases":{}}`, `{"affected":[1]}`, `{"affected":[null,{"package":null}]}`,
	`{"id":"tab\tquote\"\u00e9\ud83d\ude00\ud800","summary":"é` + "\xff" + `"}`,
	`{"affected":[{"versions":null,"ecosystem_specific":[1,{"a":"]"}],"ranges":[{"type":"X","events":[{"introduced":"0","limit":"9"},null]}]}]}`,
	`{"affected":[{"package":{"name":"a"}},{"package":{"ecosystem":"b"}}],"x":{"y":["}",{"z":-1.5e3}]},"severity":[{"type":"T","score":"S","z":true}]}`,
	`{"id":"a"} x`, `{"id":"a"`, `{"id":"a",}`, `{"affected":[{"severity":[{"type":"a"}],"severity":[{"score":"b"}]}]}`,
}

func TestDecode(t *testing.T) {
	for _, text := range unusual {
		same(t, []byte(text))
	}
	names, _ := filepath.Glob(filepath.Join(feeds, "*.json"))
	real, _ := filepath.Glob("../../../../shared/data/osv/plain/*.json")
	for _, name := range append(names, real...) {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		same(t, data)
		var r record
		s := scan{data: data}
		if s.record(&r); s.odd {
			t.Errorf("%s is taken for unusual", name)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, text := range unusual {
		f.Add([]byte(text))
	}
	names, _ := filepath.Glob(filepath.Join(feeds, "*.json"))
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(same)
}

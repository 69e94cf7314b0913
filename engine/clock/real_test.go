package clock

import (
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"io"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

const data = "../../../shared/data/"

// realKEV reads the real catalogue, skipping where it is not there.
func realKEV(t *testing.T) map[string]advisory.Exploited {
	text, err := os.ReadFile(data + "kev/known_exploited_vulnerabilities.json")
	if err != nil {
		t.Skip("needs ../shared/data/kev: ", err)
	}
	var file struct {
		Vulnerabilities []struct{ CveID, DateAdded, DueDate string }
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	list := map[string]advisory.Exploited{}
	for _, v := range file.Vulnerabilities {
		list[v.CveID] = advisory.Exploited{CVE: v.CveID, Added: at(v.DateAdded + "T00:00:00Z"), Due: at(v.DueDate + "T00:00:00Z")}
	}
	return list
}

// A year of real CVEs with CISA's assessments, on hosts of every exposure: each
// has a class and a deadline that agree, what is listed is never laxer than
// high, less exposure never tightens, and all four classes occur.
func TestRealCVEs(t *testing.T) {
	know := nothingKnown()
	know.Exploited = realKEV(t)
	f, err := os.Open(data + "exploitation/cve_features.csv.gz")
	if err != nil {
		t.Skip("needs ../shared/data/exploitation: ", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(z)
	head, err := r.Read()
	if err != nil {
		t.Fatal(err)
	}
	classes := map[string]map[plan.Class]int{}
	for n := 0; ; n++ {
		cells, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if n%4 != 0 { // a quarter is enough, and quick
			continue
		}
		get := func(name string) string { return cells[slices.Index(head, name)] }
		c := advisory.CVE{ID: get("cve"), Exploitation: get("ssvc_exploitation"), Automatable: get("ssvc_automatable"), TechnicalImpact: get("ssvc_technical_impact")}
		if v := get("cvss_vector"); v != "" {
			c.Vectors = []string{v}
		}
		a := &advisory.Advisory{ID: "A", Kind: advisory.Security, Published: at(get("published") + "T00:00:00Z"), CVEs: []advisory.CVE{c}}
		var last Verdict
		for _, exposure := range []string{"isolated", "internal", "internet", ""} {
			v := Judge(Facts{Advisories: []*advisory.Advisory{a}, Knowledge: know, At: at("2025-04-09T00:00:00Z"), Exposure: exposure, Impact: "low"})
			if plan.Rank(v.Class) > plan.Rank(Implied(v.Clocks[0].Span)) || !v.Deadline.Equal(v.Clocks[0].Deadline) || len(v.Reasons) > 20 {
				t.Fatalf("%s: %+v", c.ID, v)
			}
			_, listed := know.Exploited[c.ID]
			if listed && plan.Rank(v.Class) > plan.Rank(plan.High) {
				t.Errorf("%s is listed, and %s", c.ID, v.Class)
			}
			if exposure != "isolated" && (v.Deadline.After(last.Deadline) || plan.Rank(v.Class) > plan.Rank(last.Class)) {
				t.Errorf("%s: %q is %s by %s, less exposed it was %s by %s", c.ID, exposure, v.Class, v.Deadline, last.Class, last.Deadline)
			}
			last = v
			if classes[exposure] == nil {
				classes[exposure] = map[plan.Class]int{}
			}
			classes[exposure][v.Class]++
		}
	}
	t.Logf("%v", classes)
	for _, c := range plan.Classes {
		if classes["isolated"][c]+classes["internet"][c] == 0 {
			t.Errorf("no CVE is %s", c)
		}
	}
}

// The historic directive takes the catalogue's own dates.
func TestRealDueDates(t *testing.T) {
	kev := realKEV(t)
	know := nothingKnown()
	know.Exploited = kev
	for id, e := range kev {
		a := &advisory.Advisory{ID: "A", Kind: advisory.Security, Published: e.Added.Add(-time.Hour), CVEs: []advisory.CVE{{ID: id}}}
		v := Judge(Facts{Advisories: []*advisory.Advisory{a}, Knowledge: know, At: e.Added, Exposure: "internet", Profile: BOD2201})
		if c, ok := clockOf(v, BOD2201); !ok || !c.Deadline.Equal(e.Due) {
			t.Fatalf("%s: clock %+v, due %s", id, c, e.Due)
		}
		if !v.KnownExploited || v.Class != plan.Critical {
			t.Errorf("%s: known exploited %v, %s", id, v.KnownExploited, v.Class)
		}
	}
}

package synthetic

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// The members of an OSV record that distributions write.
type (
	record struct {
		SchemaVersion string     `json:"schema_version"`
		ID            string     `json:"id"`
		Summary       string     `json:"summary"`
		Details       string     `json:"details"`
		Published     string     `json:"published"`
		Modified      string     `json:"modified"`
		Related       []string   `json:"related"`
		Severity      []severity `json:"severity,omitempty"`
		Affected      []affected `json:"affected"`
	}
	severity struct {
		Type  string `json:"type"`
		Score string `json:"score"`
	}
	affected struct {
		Package pkg    `json:"package"`
		Ranges  []span `json:"ranges"`
	}
	pkg struct {
		Ecosystem string `json:"ecosystem"`
		Name      string `json:"name"`
		PURL      string `json:"purl,omitempty"`
	}
	span struct {
		Type   string              `json:"type"`
		Events []map[string]string `json:"events"`
	}
)

// forecasts is how many CVEs besides those of the advisories have a forecast,
// known how many of others are known to be exploited.
const forecasts, known = 20_000, 1200

// feeds writes snapshots of what is published.
func (e *maker) feeds() {
	e.files["inventory/advisories/osv/1-gen.tar.gz"] = e.archive()
	rng := e.chance(forFeeds)
	var kev, epss strings.Builder
	fmt.Fprintf(&epss, "#model_version:v2025.03.14,score_date:%s\ncve,epss,percentile\n", e.At.Truncate(24*time.Hour).Format("2006-01-02T15:04:05-0700"))
	kev.WriteString("cveID,vendorProject,product,vulnerabilityName,dateAdded,shortDescription,requiredAction,dueDate,knownRansomwareCampaignUse,notes,cwes\n")
	exploited := func(cve string, added time.Time) {
		fmt.Fprintf(&kev, "%s,Synthetic,Synthetic,Synthetic Vulnerability,%s,It is made up.,Apply updates per vendor instructions.,%s,%s,,CWE-125\n",
			cve, added.Format(time.DateOnly), added.AddDate(0, 0, 21).Format(time.DateOnly), []string{"Unknown", "Unknown", "Known"}[rng.IntN(3)])
	}
	forecast := func(cve string) {
		p := rng.Float64()
		fmt.Fprintf(&epss, "%s,%.5f,%.5f\n", cve, p*p*p*p*p*p*0.97+0.0003, p)
	}
	for i := range e.bulletin {
		b := &e.bulletin[i]
		for _, cve := range b.cves {
			forecast(cve)
		}
		if added := b.published.AddDate(0, 0, 3); rng.IntN(60) == 0 && added.Before(e.At) {
			exploited(b.cves[0], added)
		}
	}
	for n := range forecasts {
		forecast(fmt.Sprintf("CVE-2019-%d", 900000+n))
	}
	for n := range known {
		exploited(fmt.Sprintf("CVE-2019-%d", 900000+n), e.ago(400+float64(n)))
	}
	e.files["inventory/advisories/kev/1-gen.csv"] = []byte(kev.String())
	e.files["inventory/advisories/epss/1-gen.csv.gz"] = packed([]byte(epss.String()))
}

// archive is all records in a tar archive, as publishers offer them.
func (e *maker) archive() []byte {
	var b bytes.Buffer
	t := tar.NewWriter(&b)
	for i := range e.bulletin {
		x := &e.bulletin[i]
		data := line(x.record())
		must(t.WriteHeader(&tar.Header{Name: x.id + ".json", Mode: 0o644, Size: int64(len(data)), ModTime: x.published}))
		_, err := t.Write(data)
		must(err)
	}
	must(t.Close())
	return packed(b.Bytes())
}

func packed(data []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(data)
	must(err)
	must(z.Close())
	return b.Bytes()
}

// must is for writers into memory, which do not fail.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

func (b *bulletin) record() record {
	r := record{
		SchemaVersion: "1.6.3", ID: b.id, Summary: b.title(), Details: "It is made up: " + strings.Join(b.cves, ", ") + ".",
		Published: b.published.Format(time.RFC3339), Modified: b.published.Add(6 * time.Hour).Format(time.RFC3339), Related: b.cves,
		Severity: []severity{{"CVSS_V3", b.vector}},
	}
	for _, f := range b.fixes {
		p := f.system.sources[b.source]
		events := []map[string]string{{"introduced": "0"}, {"fixed": p.at(f.system, f.updates)}}
		if f.system.typ == version.RPM {
			for _, name := range p.binaries {
				r.Affected = append(r.Affected, affected{pkg{Ecosystem: f.system.ecosystem, Name: name}, []span{{"ECOSYSTEM", events}}})
			}
			continue
		}
		r.Affected = append(r.Affected, affected{pkg{f.system.ecosystem, p.name, purl(f.system, p)}, []span{{"ECOSYSTEM", events}}})
	}
	return r
}

package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// demoFiles are what the demo adds to the starter, or says differently.
func demoFiles(dir string, at time.Time) (map[string][]byte, error) {
	files := map[string][]byte{}
	settings, err := os.ReadFile(filepath.Join(dir, "inventory", "estate.hcl"))
	if err != nil {
		return nil, err
	}
	files["inventory/estate.hcl"] = bytes.Replace(settings, []byte("  open_plans = 5\n"), []byte("  open_plans = 5\n  clock      = \"given\" # the demo's time is told to it\n"), 1)
	fleet, err := os.ReadFile(filepath.Join(dir, "rings", "fleet.hcl"))
	if err != nil {
		return nil, err
	}
	files["rings/fleet.hcl"] = bytes.Replace(fleet, []byte("  seed     = 7\n"), []byte("  seed     = 7\n  file     = \"inventory/sim.json\"\n"), 1)
	files["inventory/sim.json"] = []byte(demoTruth)
	files["inventory/advisories/kev/1-demo.json"] = demoKEV(at)
	files["inventory/facts/demo.jsonl"], err = demoFacts(at, "2.3.0")
	files["inventory/patches/demo.jsonl"] = []byte(
		demoPatch(at.AddDate(0, 0, -4), "HER-1312", "heron-web", "4.2.1", "4.2.2", "") +
			demoPatch(at.AddDate(0, 0, -12), "OSP-88", "osprey-agent", "2.3.0", "2.3.1", ""))
	return files, err
}

// demoTruth is what nobody knows: heron-web 4.2.2 breaks where hba7 is loaded.
const demoTruth = `{
  "schema": "ringmaster/sim/v1",
  "faults": [
    {"name": "heron-web 4.2.2 and the hba7 module", "package": "heron-web", "patch": "HER-1312", "modules": ["hba7"],
     "kind": "errors", "error_ratio": 0.3, "after_s": 600, "p": 1}
  ]
}
`

// demoKEV is a catalogue that lists neither of the demo's vulnerabilities: that
// they are not in it is knowledge.
func demoKEV(at time.Time) []byte {
	return fmt.Appendf(nil, `{"title":"Known exploited vulnerabilities, for the demo","catalogVersion":"%s","dateReleased":%q,"count":1,"vulnerabilities":[
{"cveID":"CVE-2025-10001","vendorProject":"Kestrel","product":"kestrel","vulnerabilityName":"Kestrel session flaw","dateAdded":"%s","shortDescription":"","requiredAction":"","dueDate":"%s","knownRansomwareCampaignUse":"Unknown","notes":"","cwes":[]}]}
`, at.Format("2006.01.02"), at.Add(-3*time.Hour).Format("2006-01-02T15:04:05.0000Z"), at.AddDate(0, -1, 0).Format("2006-01-02"), at.AddDate(0, 0, -10).Format("2006-01-02"))
}

func demoFacts(at time.Time, osprey string) ([]byte, error) {
	type pkg struct {
		Type    string `json:"type"`
		Name    string `json:"name"`
		Version string `json:"version"`
		Vendor  string `json:"vendor"`
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	for _, kind := range []struct {
		name, role string
		n          int
		module     string
	}{{"api", "api", 6, ""}, {"db", "db", 2, ""}, {"lab", "web", 1, ""}, {"office", "office", 6, ""}, {"web", "web", 12, "hba7"}} {
		for i := range kind.n {
			packages := []pkg{{"generic", "osprey-agent", osprey, "Osprey"}}
			if kind.role == "web" {
				heron := "4.2.1"
				if kind.name == "lab" && osprey != "2.3.0" {
					heron = "4.2.2" // the lab took it well: hba7 is not loaded there
				}
				packages = append([]pkg{{"generic", "heron-web", heron, "Heron"}}, packages...)
			}
			f := map[string]any{
				"host": fmt.Sprintf("%s-%02d", kind.name, i+1), "at": at.Add(-2 * time.Hour).Format(time.RFC3339), "source": "demo",
				"os":       map[string]any{"id": "debian", "version": "12", "arch": "amd64"},
				"packages": packages, "labels": map[string]string{"role": kind.role}, "exposed": kind.name == "web", "uptime_s": 40 * 86400,
				"reboot_pending": false, "drift": false, "disk_mb": 40000, "disk_free_mb": 21000, "mem_mb": 8192, "mem_free_mb": 3000,
			}
			if kind.module != "" {
				f["modules"] = []string{kind.module}
			}
			if err := e.Encode(f); err != nil {
				return nil, err
			}
		}
	}
	return b.Bytes(), nil
}

func demoPatch(published time.Time, id, name, from, to, more string) string {
	vendor, cvss, cve, exploitation := "Heron", "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:N", "CVE-2026-10312", "public poc"
	if name == "osprey-agent" {
		vendor, cvss, cve, exploitation = "Osprey", "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:L/I:L/A:N", "CVE-2026-10088", "none"
	}
	return fmt.Sprintf(`{"schema":"ringmaster/patch/v1","id":%q,"vendor":%q,"type":"generic","package":%q,"from":%q,"to":%q,%s"kind":"security","published":%q,"size_bytes":4200000,"reboot":false,"components":["tls"],"cves":[{"id":%q,"cvss":%q,"exploitation":%q}],"bulletin":"A flaw in the handling of sessions. Restart the service.","known_issues":[],"reports":0}`+"\n",
		id, vendor, name, from, to, more, published.Format(time.RFC3339), cve, cvss, exploitation)
}

// demoHistory is what the team did in the eight months before, as CSV. Osprey's
// updates were dull; a few of Heron's went wrong.
func demoHistory(at time.Time) []byte {
	var b strings.Builder
	b.WriteString("at,host,patch,service,type,package,vendor,from,to,event,kind,role,env\n")
	for month := 8; month >= 1; month-- {
		day := at.AddDate(0, -month, 3)
		for i := range 12 {
			event := "healthy"
			if i == 5 && month%3 == 0 {
				event = "failed"
			}
			to := fmt.Sprintf("4.1.%d", 10-month)
			fmt.Fprintf(&b, "%s,web-%02d,generic:heron-web@%s,shop,generic,heron-web,Heron,,%s,%s,security,web,prod\n", day.Add(time.Duration(i)*time.Hour).Format(time.RFC3339), i+1, to, to, event)
		}
		for i := range 6 {
			to := fmt.Sprintf("2.2.%d", 10-month)
			fmt.Fprintf(&b, "%s,api-%02d,generic:osprey-agent@%s,orders,generic,osprey-agent,Osprey,,%s,healthy,bugfix,api,prod\n", day.AddDate(0, 0, 7).Add(time.Duration(i)*time.Hour).Format(time.RFC3339), i+1, to, to)
		}
	}
	return []byte(b.String())
}

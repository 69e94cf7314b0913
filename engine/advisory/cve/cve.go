// Package cve reads records of the CVE program (CVE JSON 5) for what they say
// beyond advisories: CVSS vectors, weaknesses, the flaw in words, and the SSVC
// decision points that CISA adds in its ADP container
// (https://github.com/cisagov/vulnrichment).
//
// Which product versions a record calls affected is not read: upstream versions
// say nothing about a distribution's packages.
package cve

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
)

type record struct {
	Type     string `json:"dataType"`
	Metadata struct {
		ID        string `json:"cveId"`
		State     string `json:"state"`
		Published string `json:"datePublished"`
		Updated   string `json:"dateUpdated"`
	} `json:"cveMetadata"`
	Containers struct {
		CNA container   `json:"cna"`
		ADP []container `json:"adp"`
	} `json:"containers"`
}

type container struct {
	Provider struct {
		Updated string `json:"dateUpdated"`
	} `json:"providerMetadata"`
	Descriptions []struct {
		Language string `json:"lang"`
		Value    string `json:"value"`
	} `json:"descriptions"`
	Affected []struct {
		Vendor  string `json:"vendor"`
		Product string `json:"product"`
	} `json:"affected"`
	Metrics      []metric `json:"metrics"`
	ProblemTypes []struct {
		Descriptions []struct {
			CWE  string `json:"cweId"`
			Text string `json:"description"`
		} `json:"descriptions"`
	} `json:"problemTypes"`
}

type metric struct {
	V2    *vector `json:"cvssV2_0"`
	V30   *vector `json:"cvssV3_0"`
	V31   *vector `json:"cvssV3_1"`
	V4    *vector `json:"cvssV4_0"`
	Other *struct {
		Type    string          `json:"type"`
		Content json.RawMessage `json:"content"`
	} `json:"other"`
}

type vector struct {
	Vector string `json:"vectorString"`
}

type ssvc struct {
	Timestamp string              `json:"timestamp"`
	Options   []map[string]string `json:"options"`
}

// ErrNotCVE is returned for JSON that is not a CVE record.
var ErrNotCVE = errors.New(`not a CVE record: "dataType" is not "CVE_RECORD", or "cveMetadata.cveId" is not the id of a CVE`)

// Parse reads one record. At is when CISA made its assessment, or else when the
// record was updated. A rejected record returns false, for it assesses nothing.
func Parse(data []byte) (advisory.Assessment, bool, []advisory.Problem, error) {
	var r record
	if err := json.Unmarshal(data, &r); err != nil {
		return advisory.Assessment{}, false, nil, fmt.Errorf("not a CVE record: %s", advisory.JSONText(err))
	}
	if r.Type != "CVE_RECORD" || !advisory.IsCVE(r.Metadata.ID) {
		return advisory.Assessment{}, false, nil, ErrNotCVE
	}
	if r.Metadata.State == "REJECTED" {
		return advisory.Assessment{}, false, nil, nil
	}
	reading := reading{Assessment: advisory.Assessment{CVE: r.Metadata.ID}}
	reading.Published = reading.time("datePublished", r.Metadata.Published)
	for _, c := range slices.Concat([]container{r.Containers.CNA}, r.Containers.ADP) {
		reading.container(c)
	}
	updated := reading.time("dateUpdated", r.Metadata.Updated)
	if reading.At.IsZero() {
		reading.At = updated
	}
	if updated.After(reading.Updated) {
		reading.Updated = updated
	}
	reading.describe(r.Containers.CNA)
	slices.Sort(reading.CWEs)
	reading.CWEs = slices.Compact(reading.CWEs)
	return reading.Assessment, true, reading.problems, nil
}

// reading is what has been read of one record.
type reading struct {
	advisory.Assessment
	problems []advisory.Problem
}

func (r *reading) problem(format string, args ...any) {
	r.problems = append(r.problems, advisory.Problem{Message: r.CVE + ": " + fmt.Sprintf(format, args...)})
}

// time reads a time of a record; those without a zone are UTC.
func (r *reading) time(field, text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC()
		}
	}
	r.problem("%q: %q is not a time", field, text)
	return time.Time{}
}

// describe takes what the record's own author says; what others add in their
// containers is about something else.
func (r *reading) describe(c container) {
	for _, d := range c.Descriptions {
		if strings.HasPrefix(strings.ToLower(d.Language), "en") {
			r.Description = clip(d.Value)
			break
		}
	}
	if len(c.Affected) > 0 {
		r.Vendor, r.Product = strings.Clone(c.Affected[0].Vendor), strings.Clone(c.Affected[0].Product)
	}
}

// clip is the beginning of a text as a copy, so that the record is not kept for it.
func clip(s string) string {
	if len(s) > advisory.DescriptionLimit {
		s = strings.ToValidUTF8(s[:advisory.DescriptionLimit], "")
	}
	return strings.Clone(s)
}

func (r *reading) container(c container) {
	if at := r.time("providerMetadata.dateUpdated", c.Provider.Updated); at.After(r.Updated) {
		r.Updated = at
	}
	for _, m := range c.Metrics {
		for _, v := range []*vector{m.V4, m.V31, m.V30, m.V2} {
			if v != nil && v.Vector != "" && !slices.Contains(r.Vectors, v.Vector) {
				r.Vectors = append(r.Vectors, v.Vector)
			}
		}
		if m.Other != nil && m.Other.Type == "ssvc" {
			r.ssvc(m.Other.Content)
		}
	}
	for _, t := range c.ProblemTypes {
		for _, d := range t.Descriptions {
			if cwe := cweOf(d.CWE, d.Text); cwe != "" {
				r.CWEs = append(r.CWEs, cwe)
			}
		}
	}
}

// ssvc reads decision points. Of two assessments the newer one counts.
func (r *reading) ssvc(content json.RawMessage) {
	var s ssvc
	if err := json.Unmarshal(content, &s); err != nil {
		r.problem("SSVC: %s", advisory.JSONText(err))
		return
	}
	at := r.time("timestamp", s.Timestamp)
	if at.Before(r.At) {
		return
	}
	r.At = at
	for _, option := range s.Options {
		for name, value := range option {
			r.point(name, strings.ToLower(value))
		}
	}
}

// point reads one decision point; CISA writes "poc" for SSVC's "public poc".
func (r *reading) point(name, value string) {
	var to *string
	var words []string
	switch strings.ToLower(name) {
	case "exploitation":
		if value == "poc" {
			value = "public poc"
		}
		to, words = &r.Exploitation, []string{"none", "public poc", "active"}
	case "automatable":
		to, words = &r.Automatable, []string{"no", "yes"}
	case "technical impact":
		to, words = &r.TechnicalImpact, []string{"partial", "total"}
	default:
		return
	}
	if !slices.Contains(words, value) {
		r.problem("SSVC: %q is %q; expected one of %q; it is left out", name, value, words)
		return
	}
	*to = value
}

// cweOf returns the CWE that a problem type names, by its id or its text.
func cweOf(id, text string) string {
	for _, s := range []string{id, text} {
		digits, ok := strings.CutPrefix(strings.TrimSpace(s), "CWE-")
		if !ok {
			continue
		}
		if end := strings.IndexFunc(digits, func(c rune) bool { return c < '0' || c > '9' }); end >= 0 {
			digits = digits[:end]
		}
		if digits != "" && len(digits) <= 6 {
			return "CWE-" + digits
		}
	}
	return ""
}

// Package cvss reads CVSS vectors: the base score of versions 2.0, 3.0, 3.1 and
// 4.0, and what a vector's metrics say about automation and impact.
//
// It is the door to the CVSS library. It stands on the ground floor, because
// the clocks read the same vectors as the risk does, and stages never lean on
// one another.
package cvss

import (
	"strconv"
	"strings"

	cvss20 "github.com/pandatix/go-cvss/20"
	cvss30 "github.com/pandatix/go-cvss/30"
	cvss31 "github.com/pandatix/go-cvss/31"
	cvss40 "github.com/pandatix/go-cvss/40"
)

// Vector is one CVSS vector. Only its base metrics count: what a vendor adds
// for time and environment is about somebody else's estate.
type Vector struct {
	Text    string // as it was written
	Version string // "2.0", "3.0", "3.1", "4.0", or "" where only a number was given
	Base    float64
	metrics map[string]string
}

// Parse reads a vector, or a bare base score such as "9.8". It returns false
// for anything else.
func Parse(text string) (Vector, bool) {
	text = strings.TrimSpace(text)
	if v, ok := bare(text); ok {
		return v, true
	}
	version, body := split(text)
	metrics := pairs(body)
	var base float64
	var err error
	switch version {
	case "2.0":
		base, err = score20(baseOnly(body, names2))
	case "3.0":
		base, err = score30("CVSS:3.0/" + baseOnly(body, names3))
	case "3.1":
		base, err = score31("CVSS:3.1/" + baseOnly(body, names3))
	case "4.0":
		base, err = score40("CVSS:4.0/" + baseOnly(body, names4))
	default:
		return Vector{}, false
	}
	if err != nil {
		return Vector{}, false
	}
	return Vector{Text: text, Version: version, Base: base, metrics: metrics}, true
}

// Worst is the vector with the highest base score, ok false where none can be
// read. Among equals it is the newest version, then the first in byte order.
func Worst(vectors []string) (worst Vector, ok bool) {
	for _, text := range vectors {
		v, readable := Parse(text)
		if readable && (!ok || worse(v, worst)) {
			worst, ok = v, true
		}
	}
	return worst, ok
}

func worse(v, than Vector) bool {
	if v.Base != than.Base {
		return v.Base > than.Base
	}
	if v.Version != than.Version {
		return v.Version > than.Version
	}
	return v.Text < than.Text
}

// Automatable says whether the vector's metrics let an attack be automated: over
// the network, of low complexity, with no privileges and nobody's help. known
// is false where the vector does not tell: version 2.0 has no metric for the
// help of a user, so that it can only deny.
func (v Vector) Automatable() (yes, known bool) {
	open := v.metrics["AV"] == "N" && v.metrics["AC"] == "L"
	switch v.Version {
	case "2.0":
		return false, !(open && v.metrics["Au"] == "N")
	case "3.0", "3.1":
		return open && v.metrics["PR"] == "N" && v.metrics["UI"] == "N", true
	case "4.0":
		return open && v.metrics["AT"] == "N" && v.metrics["PR"] == "N" && v.metrics["UI"] == "N", true
	}
	return false, false
}

// Total says whether confidentiality, integrity and availability of the
// vulnerable system are all lost; known is false where there is but a number.
func (v Vector) Total() (yes, known bool) {
	m := v.metrics
	switch v.Version {
	case "2.0":
		return m["C"] == "C" && m["I"] == "C" && m["A"] == "C", true
	case "3.0", "3.1":
		return m["C"] == "H" && m["I"] == "H" && m["A"] == "H", true
	case "4.0":
		return m["VC"] == "H" && m["VI"] == "H" && m["VA"] == "H", true
	}
	return false, false
}

// bare reads a base score without a vector: at most one decimal, 0 to 10.
func bare(text string) (Vector, bool) {
	if text == "" || len(text) > 4 || strings.Trim(text, "0123456789.") != "" {
		return Vector{}, false
	}
	base, err := strconv.ParseFloat(text, 64)
	if err != nil || base > 10 {
		return Vector{}, false
	}
	return Vector{Text: text, Base: base}, true
}

// split takes the version off a vector. Version 2.0 has no prefix of its own,
// but stands in parentheses at times, or after "CVSS:2.0/" as some feeds write it.
func split(text string) (version, body string) {
	if head, rest, ok := strings.Cut(text, "/"); ok && strings.HasPrefix(head, "CVSS:") {
		return strings.TrimPrefix(head, "CVSS:"), rest
	}
	body = strings.TrimSuffix(strings.TrimPrefix(text, "("), ")")
	if strings.HasPrefix(body, "AV:") {
		return "2.0", body
	}
	return "", text
}

var (
	names2 = []string{"AV", "AC", "Au", "C", "I", "A"}
	names3 = []string{"AV", "AC", "PR", "UI", "S", "C", "I", "A"}
	names4 = []string{"AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA"}
)

// baseOnly keeps the metrics named, each as often as it stands there: a vector
// that says something twice is refused by the library, not mended here.
func baseOnly(body string, names []string) string {
	var kept []string
	for _, name := range names {
		for part := range strings.SplitSeq(body, "/") {
			if n, _, _ := strings.Cut(part, ":"); n == name {
				kept = append(kept, part)
			}
		}
	}
	return strings.Join(kept, "/")
}

func pairs(body string) map[string]string {
	m := map[string]string{}
	for part := range strings.SplitSeq(body, "/") {
		name, value, _ := strings.Cut(part, ":")
		m[name] = value
	}
	return m
}

func score20(vector string) (float64, error) {
	v, err := cvss20.ParseVector(vector)
	if err != nil {
		return 0, err
	}
	return v.BaseScore(), nil
}

func score30(vector string) (float64, error) {
	v, err := cvss30.ParseVector(vector)
	if err != nil {
		return 0, err
	}
	return v.BaseScore(), nil
}

func score31(vector string) (float64, error) {
	v, err := cvss31.ParseVector(vector)
	if err != nil {
		return 0, err
	}
	return v.BaseScore(), nil
}

func score40(vector string) (float64, error) {
	v, err := cvss40.ParseVector(vector)
	if err != nil {
		return 0, err
	}
	return v.Score(), nil
}

package inventory

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Decode decodes a whole foreign JSON file. Its errors are worded for people:
// what the file is instead, or which field has which wrong kind of value.
func Decode(data []byte, v any) error {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	switch trimmed := bytes.TrimSpace(data); {
	case len(trimmed) == 0:
		return errors.New("the file is empty")
	case bytes.HasPrefix(trimmed, []byte("<")):
		return errors.New("the file is XML or HTML; expected JSON")
	case bytes.HasPrefix(trimmed, []byte("\x1f\x8b")):
		return errors.New("the file is compressed with gzip; unpack it first")
	case bytes.HasPrefix(trimmed, []byte("\xff\xfe")), bytes.HasPrefix(trimmed, []byte("\xfe\xff")):
		return errors.New("the file is UTF-16; save it as UTF-8")
	}
	err := json.Unmarshal(data, v)
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		line := 1 + bytes.Count(data[:min(int(e.Offset), len(data))], []byte{'\n'})
		return fmt.Errorf("not JSON: line %d: %v", line, e)
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if e.Field == "" {
			return fmt.Errorf("the file is a JSON %s, which this format is not%s", e.Value, Recognise(data))
		}
		return fmt.Errorf("%q is a JSON %s, which this format does not have there%s", e.Field, e.Value, Recognise(data))
	}
	if e, ok := errors.AsType[*time.ParseError](err); ok {
		return fmt.Errorf("%s is not an RFC 3339 time", e.Value)
	}
	return err
}

// Recognise says what a JSON document looks like and which format imports it,
// as the end of a message; "" where it looks like nothing known.
func Recognise(data []byte) string {
	var top map[string]json.RawMessage
	if json.Unmarshal(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), &top) != nil {
		var list []map[string]json.RawMessage
		if json.Unmarshal(data, &list) != nil || len(list) == 0 {
			return ""
		}
		if has(list[0], "Target") {
			return `; it looks like a report of Trivy: import "trivy"`
		}
		return ""
	}
	for _, k := range known {
		if has(top, k.members...) {
			return "; it looks like " + k.what
		}
	}
	return ""
}

// known are documents by the members they have, the most telling first.
var known = []struct {
	members []string
	what    string
}{
	{[]string{"bomFormat"}, `a CycloneDX document: import "cyclonedx"`},
	{[]string{"spdxVersion"}, `an SPDX document: import "spdx"`},
	{[]string{"matches", "source"}, `a report of Grype: import "grype"`},
	{[]string{"matches", "descriptor"}, `a report of Grype: import "grype"`},
	{[]string{"results", "experimental_config"}, `a report of osv-scanner: import "osv-scanner"`},
	{[]string{"jsonVersion", "serverName"}, `a result of Vuls: import "vuls"`},
	{[]string{"ansible_facts"}, `facts of Ansible: import "ansible"`},
	{[]string{"plays", "stats"}, `output of Ansible: import "ansible"`},
	{[]string{"SchemaVersion", "ArtifactType"}, `a report of Trivy: import "trivy"`},
	{[]string{"ClusterName"}, "a report of Trivy on a Kubernetes cluster, which is no host"},
	{[]string{"data"}, "an answer of Wazuh, which ringmaster does not import"},
	{[]string{"hits"}, "an answer of Wazuh, which ringmaster does not import"},
	{[]string{"results", "subtotal"}, "an answer of Red Hat Satellite, which ringmaster does not import"},
	{[]string{"results"}, `a report of osv-scanner: import "osv-scanner"`},
}

func has(m map[string]json.RawMessage, members ...string) bool {
	for _, name := range members {
		if _, ok := m[name]; !ok {
			return false
		}
	}
	return true
}

// ModuleStream is the name and stream of an rpm modularity label, whose version
// and context follow: "nodejs:18:8090020240101:rhel8" is of "nodejs:18".
func ModuleStream(label string) string {
	if label == "" || label == "(none)" {
		return ""
	}
	parts := strings.SplitN(label, ":", 3)
	if len(parts) < 2 {
		return label
	}
	return parts[0] + ":" + parts[1]
}

// Moment reads a time as scanners write it: RFC 3339, with or without a
// fraction. It is zero where the text is no time, and for the year 1, which is
// how programs in Go write that they know none.
func Moment(s string) time.Time {
	at, err := time.Parse(time.RFC3339, strings.TrimSpace(s))
	if err != nil || at.Year() <= 1 {
		return time.Time{}
	}
	return at.UTC()
}

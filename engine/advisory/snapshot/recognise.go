package snapshot

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/advisory/debian"
	"github.com/ringmaster-dev/ringmaster/engine/advisory/epss"
)

// Kind is what a document is, in the words of feed blocks.
type Kind string

// The kinds. Those from CSAF on are recognised and not read yet. Index is an
// OSV feed's list of its records, Sources what `feeds sync` keeps for itself;
// neither says anything about packages.
const (
	Unknown Kind = ""
	OSV     Kind = "osv"
	KEV     Kind = "kev"
	EPSS    Kind = "epss"
	CVE     Kind = "cve"
	Debian  Kind = "debian"
	Patches Kind = "patches"
	CSAF    Kind = "csaf"
	VEX     Kind = "vex"
	NVD     Kind = "nvd"
	Ubuntu  Kind = "ubuntu"
	Tracker Kind = "debian-json"
	Index   Kind = "index"
	Sources Kind = "sources"
)

// Known says what may lie in inventory/advisories, for messages.
const Known = "expected OSV records, a KEV catalogue (JSON or CSV), EPSS scores (CSV), CVE records (JSON 5) or a list of Debian's advisories (DSA, DLA), plain or in a zip, tar, tar.gz, gz or bz2"

// titles name the kinds in messages.
var titles = map[Kind]string{
	OSV: "OSV", KEV: "KEV", EPSS: "EPSS", CVE: "CVE JSON 5", Debian: "a list of Debian's advisories", Patches: "ringmaster/patch/v1",
	CSAF: "CSAF", VEX: "VEX", NVD: "NVD", Ubuntu: "Ubuntu's USN database", Tracker: "Debian's security tracker in JSON",
	Index: "an OSV feed's index", Sources: "ringmaster/sources/v1",
}

func (k Kind) String() string {
	if t := titles[k]; t != "" {
		return t
	}
	return "no known format"
}

// Read reports whether documents of the kind are read, and not only recognised.
func (k Kind) Read() bool {
	switch k {
	case OSV, KEV, EPSS, CVE, Debian, Patches:
		return true
	}
	return false
}

// holds are the words of feed blocks, and the documents that each may hold: some
// publishers offer one kind in several formats.
var holds = map[string][]Kind{
	"osv":     {OSV, Index},
	"csaf":    {CSAF, VEX},
	"kev":     {KEV},
	"epss":    {EPSS},
	"cve":     {CVE},
	"nvd":     {NVD},
	"vex":     {VEX, CSAF},
	"debian":  {Debian, Tracker, OSV},
	"ubuntu":  {Ubuntu, OSV, VEX},
	"patches": {Patches},
}

// Holds returns the kinds of documents that a feed of a kind may hold, its own
// first; nil for a word that is not a feed's. The list is not to be changed.
func Holds(feed string) []Kind { return holds[feed] }

// Recognise says what a document is by what stands in it.
func Recognise(doc []byte) Kind {
	doc = bytes.TrimLeft(bytes.TrimPrefix(doc, []byte("\ufeff")), " \t\r\n")
	switch {
	case len(doc) == 0:
		return Unknown
	case doc[0] == '{':
		return object(doc)
	case doc[0] == '[' && !debian.Heading(firstLine(doc)):
		return list(doc)
	}
	return text(doc)
}

func firstLine(doc []byte) []byte {
	line, _, _ := bytes.Cut(doc, []byte{'\n'})
	return line
}

// text recognises what is not JSON.
func text(doc []byte) Kind {
	line := string(bytes.TrimSpace(firstLine(doc[:min(len(doc), 4096)])))
	switch {
	case strings.HasPrefix(line, "#") && strings.Contains(line, "score_date:"):
		return EPSS
	case strings.HasPrefix(line, "cveID,"):
		return KEV
	case epss.Header(line):
		return EPSS
	case debian.Heading([]byte(line)):
		return Debian
	}
	return Unknown
}

// list recognises a JSON list by its first element.
func list(doc []byte) Kind {
	first := bytes.TrimLeft(doc[1:], " \t\r\n")
	if len(first) == 0 || first[0] != '{' {
		return Unknown
	}
	n, id, modified := 0, false, false
	for key := range members(first) {
		n++
		id, modified = id || key == "id", modified || key == "modified"
	}
	if n == 2 && id && modified {
		return Index
	}
	if object(first) == OSV {
		return OSV
	}
	return Unknown
}

// osvOnly are the members of an OSV record beside its id.
var osvOnly = map[string]bool{"affected": true, "schema_version": true, "modified": true, "withdrawn": true}

var usn = regexp.MustCompile(`^(USN-|LSN-)?[0-9]{3,5}-[0-9]{1,2}$`)

// object recognises a JSON object by its members, as early as they tell.
func object(doc []byte) Kind {
	seen := map[string]bool{}
	for key, value := range members(doc) {
		seen[key] = true
		switch {
		case key == "cveMetadata", key == "dataType" && starts(value, `"CVE_RECORD"`):
			return CVE
		case key == "catalogVersion", seen["vulnerabilities"] && (seen["dateReleased"] || seen["count"]):
			return KEV
		case key == "CVE_Items", key == "CVE_data_type", key == "resultsPerPage", key == "format" && starts(value, `"NVD_CVE"`):
			return NVD
		case key == "schema" && starts(value, `"ringmaster/patch/`):
			return Patches
		case key == "schema" && starts(value, `"ringmaster/sources/`):
			return Sources
		case key == "document" && starts(value, "{"):
			if bytes.Contains(doc, []byte(`"csaf_vex"`)) {
				return VEX
			}
			return CSAF
		case key == "@context" && bytes.Contains(value[:min(len(value), 200)], []byte("openvex")), key == "bomFormat":
			return VEX
		case seen["id"] && (osvOnly[key] || anyOf(seen, osvOnly)):
			return OSV
		case len(seen) == 1 && usn.MatchString(key):
			return Ubuntu
		case len(seen) == 1 && starts(value, "{") && firstKeyIsCVE(value):
			return Tracker
		}
	}
	return Unknown
}

func anyOf(seen, of map[string]bool) bool {
	for key := range of {
		if seen[key] {
			return true
		}
	}
	return false
}

func firstKeyIsCVE(value []byte) bool {
	for key := range members(value) {
		return strings.HasPrefix(key, "CVE-")
	}
	return false
}

func starts(value []byte, prefix string) bool { return bytes.HasPrefix(value, []byte(prefix)) }

package inventory

import "strings"

// Valid reports whether the id is a host name: labels of 1 to 63 letters,
// digits, "-" and "_" joined by ".", none beginning or ending with "-", 253
// characters in all. That is RFC 1123 section 2.1 plus the underscore, which
// Windows and container names use.
func (id HostID) Valid() bool {
	if id == "" || len(id) > 253 {
		return false
	}
	for label := range strings.SplitSeq(string(id), ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			c := label[i]
			if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}

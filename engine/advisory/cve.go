package advisory

// IsCVE reports whether the id has the form of the CVE program: CVE, a year and
// 4 to 19 digits.
func IsCVE(id string) bool {
	if len(id) < len("CVE-1999-0001") || len(id) > len("CVE-1999-")+19 || id[:4] != "CVE-" || id[8] != '-' {
		return false
	}
	for i := 4; i < len(id); i++ {
		if i != 8 && (id[i] < '0' || id[i] > '9') {
			return false
		}
	}
	return true
}

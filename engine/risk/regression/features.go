package regression

import (
	"maps"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
)

// Features are an update's, by name, as the model is trained on them and scores
// them: the one definition of both. What is not known has none.
//
//	cves                           ln((1+n)/3), n at most 14: 0 for two CVEs at once
//	releases <dist> 1, 2, 3+       1 where the notice is for that many releases
//	package <family>               1
//	package <family> in <dist>     1
//	ubuntu                         1: its typical rate beside Debian's, the intercept
func Features(u Update) map[string]float64 {
	name := strings.ToLower(u.Distribution)
	all := packageFeatures(name, Family(u.Package))
	maps.Copy(all, cveFeatures(u.CVEs))
	maps.Copy(all, releaseFeatures(name, u.Releases))
	if name == "ubuntu" {
		all["ubuntu"] = 1
	}
	return all
}

func packageFeatures(distribution, family string) map[string]float64 {
	return map[string]float64{"package " + family: 1, "package " + family + " in " + distribution: 1}
}

// mostCVEs is the largest number that counts: nineteen notices in twenty have no
// more, and what lies beyond was not riskier still (183 updates of Debian with 15
// and more: 3.8 % regressed).
const mostCVEs = 14

func cveFeatures(n int) map[string]float64 {
	if n < 0 {
		return map[string]float64{}
	}
	return map[string]float64{"cves": exact.Log(float64(1+min(n, mostCVEs)) / 3)}
}

func releaseFeatures(distribution string, n int) map[string]float64 {
	if n <= 0 {
		return map[string]float64{}
	}
	return map[string]float64{"releases " + distribution + " " + [...]string{"1", "2", "3+"}[min(n, 3)-1]: 1}
}

// order is the names of a map, sorted.
func order[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// known are the names under which a family goes elsewhere: other distributions'
// package names and what Ubuntu's notices call a component.
var known = map[string]string{
	"iceweasel": "firefox", "firefox-esr": "firefox", "icedove": "thunderbird", "chromium-browser": "chromium",
	"apache-http-server": "apache", "django": "python-django", "libtiff": "tiff", "x.org-x-server": "xorg-server",
	"wpa-supplicant-hostapd": "wpa", "wpa_supplicant-hostapd": "wpa", "qemu-kvm": "qemu", "webkit2gtk": "webkitgtk", "openjdk-lts": "openjdk",
}

// flavours are the names of kernel packages after "linux-".
var flavours = []string{"aws", "azure", "gcp", "gke", "gkeop", "hwe", "ibm", "image", "intel", "iot", "kvm", "lowlatency", "lts", "meta", "oem", "oracle", "raspi", "raspi2", "riscv", "signed", "snapdragon", "nvidia", "xilinx"}

// Family is a package's name as all its versions and distributions share it:
// "php7.4" and "php5" are php, "linux-aws-5.15" is linux, "iceweasel" firefox. It
// is lower case, and takes the component names of Ubuntu's notices as well as
// source packages. It is never empty for a name that is not.
func Family(name string) string {
	s := strings.ToLower(strings.TrimSpace(name))
	if i := strings.Index(s, " ("); i > 0 {
		s = s[:i]
	}
	if strings.Contains(s, "linux kernel") || kernel(s) {
		return "linux"
	}
	s = strings.ReplaceAll(s, " ", "-")
	if k, ok := known[s]; ok {
		return k
	}
	// Versions in names: php7.4, openjdk-11, postgresql-9.6, glib2.0.
	cut := strings.TrimRight(s, "0123456789.")
	if cut != s {
		cut = strings.TrimRight(cut, "-")
	}
	if cut == "" {
		return s
	}
	if k, ok := known[cut]; ok {
		return k
	}
	return cut
}

// kernel holds for "linux", "linux-5.4", "linux-aws", "linux-image-amd64".
func kernel(s string) bool {
	rest, ok := strings.CutPrefix(s, "linux-")
	if !ok {
		return s == "linux"
	}
	word, _, _ := strings.Cut(rest, "-")
	return strings.Trim(word, "0123456789.") == "" && word != "" || slices.Contains(flavours, word)
}

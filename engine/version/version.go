// Package version orders the version strings of package managers: dpkg, rpm,
// apk, Semantic Versioning, and dotted numbers for what follows none of them.
package version

// Type is a package's kind, which decides the grammar and order of its versions.
type Type string

// The types of the contract.
const (
	Deb     Type = "deb"
	RPM     Type = "rpm"
	APK     Type = "apk"
	Windows Type = "windows"
	Generic Type = "generic"
)

// Package advisory holds security advisories and the versions they affect.
//
// An Advisory says which package versions are fixed on which platform. Public
// advisories, a vendor's own updates (inventory/patches) and a distribution's
// errata all become this one type; the readers below this package (osv, …)
// turn each public format into it. What is known about a CVE beyond the
// advisory (exploited, forecast, assessed) stands in Knowledge.
//
// Everything here is a value: nothing reads a disk, a network or a clock.
package advisory

import (
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// Kind says what an update is for.
type Kind string

// The kinds of update. An advisory that does not say is Security when it names
// a CVE or its feed carries security advisories only, else Bugfix.
const (
	Security Kind = "security"
	Bugfix   Kind = "bugfix"
	Feature  Kind = "feature"
)

// Advisory is one published statement that some versions of some packages are
// replaced by others. The zero value of an optional field means "not stated".
type Advisory struct {
	ID       string   // DSA-5417-1, ALSA-2025:0288, HER-1312
	Aliases  []string // other ids of the same advisory
	CVEs     []CVE    // sorted by id
	Vendor   string   // who publishes the update: Debian, AlmaLinux, Heron
	Format   string   // osv, debian, patches: the format it was read from
	File     string   // where in the estate it was read, for messages
	Kind     Kind
	Summary  string
	Bulletin string // prose, inert

	Published time.Time // zero when the feed does not say
	Modified  time.Time
	Withdrawn time.Time // non-zero: no longer holds, never matched
	Deadline  time.Time // the vendor's own, zero when none

	Fixes      []Fix
	Supersedes []string // ids this one replaces, transitive

	SizeBytes   int64 // 0: not stated
	Reboot      *bool // nil: not stated
	Components  []string
	KnownIssues []KnownIssue
	Reports     int // trouble reports by other users, as the feed counts them
	// NoRollback is there where the vendor says that the update cannot be rolled back.
	NoRollback *NoRollback
}

// CVE is a vulnerability as the advisory names it. Vectors may be empty;
// Exploitation, Automatable and TechnicalImpact carry SSVC's words ("none",
// "public poc", "active"; "yes", "no"; "partial", "total") or "" when unstated.
type CVE struct {
	ID              string   `json:"id"`
	Vectors         []string `json:"-"`
	Exploitation    string   `json:"exploitation,omitempty"`
	Automatable     string   `json:"automatable,omitempty"`
	TechnicalImpact string   `json:"technical_impact,omitempty"`
}

// Fix is one package on one platform: versions in [Introduced, Fixed) are
// affected and Fixed is the first that is not. An empty Fixed means that no fix
// is published; LastAffected is then the last version known to be affected,
// when the feed says so. Affected lists exact versions where a feed does.
type Fix struct {
	Platform     Platform
	Type         version.Type
	Package      string
	Source       bool   // Package is a source package (Debian, Ubuntu)
	Module       string // rpm module stream, "nodejs:18"
	Introduced   string // "" or "0": from the first version on
	Fixed        string
	LastAffected string
	Affected     []string
}

// Platform is an operating system and its release as the field writes them:
// {debian 12}, {almalinux 9}, {alpine 3.19}. Version "" means any release.
// The zero Platform is for software that does not belong to one ("generic").
type Platform struct {
	OS      string // os-release ID, lower case
	Version string
}

// NoRollback is why an update cannot be rolled back, and what is done instead.
type NoRollback struct {
	Why     string `json:"why"`
	Instead string `json:"instead"`
}

// KnownIssue is trouble that the vendor admits.
type KnownIssue struct {
	At       time.Time  `json:"at"`
	Text     string     `json:"text"`
	Module   string     `json:"module,omitempty"`
	Role     string     `json:"role,omitempty"`
	Resolved *time.Time `json:"resolved_at"`
}

// Exploited is an entry of a catalogue of known exploited vulnerabilities.
type Exploited struct {
	CVE        string
	Vendor     string // as the catalogue writes it: Microsoft, D-Link
	Product    string
	Added      time.Time
	Due        time.Time // zero when the catalogue sets none
	Ransomware bool
}

// Forecast is one EPSS score: the probability that exploitation is seen within
// 30 days of At.
type Forecast struct {
	CVE        string
	P          float64
	Percentile float64 // 0 when the file has none
	At         time.Time
}

// DescriptionLimit is how many bytes of a CVE's description are kept.
const DescriptionLimit = 800

// Assessment is what a CVE record says beyond the advisory: CVSS vectors and
// CISA's SSVC decision points, each "" when unstated, and what the flaw is in
// words. Vendor and Product are the first that the record names; they are for
// telling vendors apart, not for matching.
type Assessment struct {
	CVE             string
	Published       time.Time
	Vectors         []string
	Exploitation    string
	Automatable     string
	TechnicalImpact string
	CWEs            []string
	Vendor          string
	Product         string
	Description     string    // inert, its first DescriptionLimit bytes
	At              time.Time // when the assessment was made
	Updated         time.Time // when anything of the record last changed
}

// Knowledge is what the feeds of one commit know about CVEs. A nil map means
// that no such feed is there, which is not the same as an empty catalogue: a
// CVE that a present catalogue does not list is known not to be listed.
type Knowledge struct {
	Exploited   map[string]Exploited
	ExploitedAt time.Time // the catalogue's own date
	Forecasts   map[string]Forecast
	ForecastsAt time.Time
	Assessments map[string]Assessment
}

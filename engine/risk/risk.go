// Package risk says what deploying a change may break and what waiting may
// cost: a score with an interval and the reasons that made it.
//
// Before an estate has history of its own, deploy risk comes from rules and a
// beta-binomial track record shrunk to what larger groups showed; exploit risk
// comes from KEV, EPSS and CVSS. A score that is not yet trusted may only add
// caution.
//
// # Deploy risk
//
// The score is a sum of log-odds, p = 1/(1+exp(-s)), and every summand is a
// reason:
//
//	s = base + Σ usual + t + Σ special
//
// base is the log-odds of 2 % of changes going wrong on a host. Public notices
// say that 3.6 % of Debian's and 4.7 % of Ubuntu's security updates had to be
// fixed again for somebody; one host sees fewer. usual terms are what such
// updates are like (kind, version jump, reboot, size, CVEs at once); special
// ones are what is so now (known issues, reports, age, and the host's state).
//
// t is the track record. It stands in for base and usual, as far as there is
// evidence, since what a package is usually like is in its record already:
//
//	t = w·(logit(m) - base - Σ usual),  w = n/(n+k)
//
// where m is the shrunk failure rate of the most specific group that has a
// record, n the finished changes behind it and k = 20 what the rules count for.
// Until the ladder reaches advisory, t is never below 0.
//
// The interval is the central 90 % of a beta distribution with mean p, worth k
// changes for the rules and n more for the record.
//
// Where there is a deployment model (models/deployment.json), an Outlook scores by
// it: see Deployment for what it is made of and what it was measured to be worth.
//
// # Track record
//
// Groups are nested: everything, vendor, package, package × role. A group that
// showed b failures in n changes, where all around it without itself lets expect
// the rate μ, has
//
//	(b + s·μ)/(n + s)
//
// where the strength s comes from how much groups of that level differ (method
// of moments, Kleinman 1973: ρ = 1/(s+1) is the correlation within a group),
// itself held to s = 20 by the weight of 20 changes, and is never more than the
// changes that μ rests on. Around everything is the base rate, worth 20 changes.
package risk

import (
	"slices"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/cvss"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Patch is what is known of a patch when it is scored.
type Patch struct {
	ID         plan.PatchID
	Package    string
	Vendor     string
	From, To   string // From: the oldest version it moves from
	Advisories []*advisory.Advisory
	Restart    string // what its bulletin asks for (none, service, reboot), where that is known without the text; "" reads the advisories'
	// Prior is what is known of such patches elsewhere, in log-odds beside the
	// rules' own terms; it stands in for the term of CVEs at once, which rests on
	// the same notices. Empty: nothing.
	Prior []plan.Reason
}

// Where a deploy risk comes from.
const (
	FromRules = "rules"
	FromPrior = "prior" // a track record of imported history only
	FromModel = "model"
)

// BaseScore is the highest CVSS base score among vectors (v2, 3.0, 3.1, 4.0) and
// its vector, ok false where none can be read.
func BaseScore(vectors []string) (score float64, vector string, ok bool) {
	v, ok := cvss.Worst(vectors)
	return v.Base, v.Text, ok
}

// Test says how a patch is tried first: in a sandbox where it is likely to break
// something (even the low end of its risk is over three times what the tier
// tolerates, or a known issue is unresolved), fast where even the high end is
// tolerated and rests on evidence rather than on rules alone, else as a canary.
// A tolerance that nobody declared is 0: then nothing is fast, and only a known
// issue asks for a sandbox.
func Test(p plan.Risk, tolerance float64, reasons ...plan.Reason) string {
	troubled := slices.ContainsFunc(reasons, func(r plan.Reason) bool { return r.Term == termKnownIssue && r.Effect > 0 })
	switch {
	case troubled || tolerance > 0 && p.Low > float64(3*tolerance):
		return "sandbox"
	case p.High <= tolerance && p.Source != FromRules:
		return "fast"
	}
	return "canary"
}

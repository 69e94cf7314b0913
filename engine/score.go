package engine

import (
	"fmt"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/risk"
	"github.com/ringmaster-dev/ringmaster/engine/risk/regression"
)

// score says what each patch, and each change of it, may break and what waiting
// may cost.
func (d *decider) score(dr *draft) {
	worst := d.scoreChanges(dr)
	for i, p := range dr.patches {
		var why []plan.Reason
		p.exploit, why = d.exploits.Score(p.advisories)
		p.reasons = slices.Concat(worst[i].reasons(), why, p.verdict.Reasons)
		p.test = risk.Test(p.deploy, d.tolerance(p), p.reasons...)
	}
}

// riskiest is where a patch's risk comes from: its riskiest host, or nil for the
// patch as such.
type riskiest struct {
	outlook *risk.Outlook
	spot    *risk.Spot
	host    inventory.HostID
}

// reasons are the riskiest host's, which they name.
func (r riskiest) reasons() []plan.Reason {
	list := r.outlook.Reasons(r.spot)
	if r.host != "" {
		list = append(list, plan.Reason{Term: "riskiest host", Value: string(r.host)})
	}
	return list
}

// scoreChanges scores every change for its own host. A patch is as risky as its
// riskiest host, and its reasons are that host's: an average would hide it.
func (d *decider) scoreChanges(dr *draft) []riskiest {
	type move struct {
		patch int32
		from  string
	}
	worst := make([]riskiest, len(dr.patches))
	for i, p := range dr.patches {
		worst[i].outlook = d.outlook(p, p.found[0].Groups[0].From)
		p.deploy = worst[i].outlook.Score(nil)
	}
	outlooks := map[move]*risk.Outlook{}
	spots := map[int32]*risk.Spot{}
	for i := range dr.changes {
		c := &dr.changes[i]
		p, h := dr.patches[c.patch], &d.hosts[c.host]
		m := move{c.patch, c.from}
		o := outlooks[m]
		if o == nil {
			o = d.outlook(p, c.from)
			outlooks[m] = o
		}
		s := spots[c.host]
		if s == nil {
			s = d.places.Of(h, d.setting(h))
			spots[c.host] = s
		}
		c.risk = d.overruled(o.Score(s), dr.id, p.id, h)
		if c.risk.P > p.deploy.P {
			p.deploy, worst[c.patch] = c.risk, riskiest{o, s, h.ID}
		}
	}
	return worst
}

// outlook is what deploying a patch over one version may break.
func (d *decider) outlook(p *patchDraft, from string) *risk.Outlook {
	return risk.NewOutlook(risk.Question{
		Patch: d.riskPatch(p, from), Record: d.record, Model: d.model, History: d.history, Peers: d.peers[string(p.id)], At: d.at,
	})
}

func (d *decider) riskPatch(p *patchDraft, from string) risk.Patch {
	m := p.found[0]
	// Of most patches nothing is known elsewhere, and then nothing is said of it.
	prior, _ := regression.Score(regression.Of(p.id, p.advisories))
	return risk.Patch{ID: p.id, Package: m.Package, Vendor: m.Vendor, From: from, To: m.To, Advisories: p.advisories, Prior: prior.Reasons}
}

// tolerance is the smallest risk that a patch's hosts tolerate.
func (d *decider) tolerance(p *patchDraft) float64 {
	least := 1.0
	for _, f := range p.from {
		for _, s := range d.hosts[f.host].Services {
			if t := d.tiers[d.services[s].Tier]; t != nil {
				least = min(least, t.RiskTolerance)
			}
		}
	}
	return least
}

// A person who says "high" or "low" is taken at these, unless the score is
// beyond them already.
const saidHigh, saidLow = 0.5, 0.01

// overruled applies the newest override of a risk that stands. A lower risk
// only came here by a reviewed merge (Trust 4).
func (d *decider) overruled(r plan.Risk, id string, patch plan.PatchID, h *inventory.Host) plan.Risk {
	for _, o := range slices.Backward(d.est.Overrides) {
		if o.Kind != "risk" || o.Plan != "" && o.Plan != id || !d.stands(o, patch, h) {
			continue
		}
		if o.Value == "high" {
			r.P, r.High = max(r.P, saidHigh), max(r.High, saidHigh)
		} else {
			r.P, r.Low = min(r.P, saidLow), min(r.Low, saidLow)
		}
		return r
	}
	return r
}

// stands says whether an override holds now, for the patch on the host.
func (d *decider) stands(o outcome.Override, patch plan.PatchID, h *inventory.Host) bool {
	return stands(o, d.at) &&
		(o.Patch == "" || patch.Matches(o.Patch)) &&
		(o.Host == "" || o.Host == h.ID) &&
		(o.Service == "" || slices.Contains(h.Services, o.Service))
}

func stands(o outcome.Override, at time.Time) bool {
	return begun(o, at) && (o.Until.IsZero() || at.Before(o.Until))
}

// begun says whether an override counts yet. What adds caution does as soon as it lies
// there: whoever recorded it may have had a clock that is ahead.
func begun(o outcome.Override, at time.Time) bool { return !Loosens(o) || !o.At.After(at) }

// reasonsOf says in a plan's words why an override took a risk elsewhere.
func (d *decider) reasonsOf(id string, p *patchDraft) []plan.Reason {
	reasons := p.reasons
	for _, o := range d.est.Overrides {
		if o.Kind == "risk" && (o.Plan == "" || o.Plan == id) && stands(o, d.at) && (o.Patch == "" || p.id.Matches(o.Patch)) {
			says := o.Value
			if !o.Until.IsZero() {
				says += " until " + stamp(o.Until)
			}
			reasons = append(slices.Clip(reasons), plan.Reason{Term: "override", Value: fmt.Sprintf("%s says %s: %s", o.By, says, o.Reason)})
		}
	}
	return reasons
}

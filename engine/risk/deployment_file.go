package risk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/ebm"
	"github.com/ringmaster-dev/ringmaster/engine/exact"
)

// deploymentFile is what the file has beside what Deployment shows.
type deploymentFile struct {
	Deployment
	Record json.RawMessage `json:"record"`
	Learnt json.RawMessage `json:"learnt"`
}

// ParseDeployment reads models/deployment.json; unknown fields are passed over.
func ParseDeployment(data []byte) (*Deployment, error) {
	var f deploymentFile
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("deployment model: %w", err)
	}
	m := &f.Deployment
	if m.Schema != DeploymentSchema {
		return nil, fmt.Errorf("deployment model: schema %q; expected %q", m.Schema, DeploymentSchema)
	}
	var err error
	if present(f.Record) {
		if m.Record, err = ParseTrackRecord(f.Record); err != nil {
			return nil, fmt.Errorf("deployment model: record: %w", err)
		}
	}
	if present(f.Learnt) {
		if m.learnt, err = ebm.Parse(f.Learnt); err != nil {
			return nil, fmt.Errorf("deployment model: learnt: %w", err)
		}
		if err := m.bind(); err != nil {
			return nil, fmt.Errorf("deployment model: %w", err)
		}
	}
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("deployment model: %w", err)
	}
	m.round()
	return m, nil
}

func present(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

func (m *Deployment) check() error {
	if y := m.At.Year(); y < 1970 || y > 9000 {
		return fmt.Errorf("at: the year %d", y)
	}
	if m.Trials < 0 || m.Failures < 0 || m.Failures > m.Trials || m.Own < 0 || m.Own > m.Trials || m.Trials > largest {
		return fmt.Errorf("%d failures and %d own among %d trials", m.Failures, m.Own, m.Trials)
	}
	if !(m.Share >= 0 && m.Share <= 1) {
		return fmt.Errorf("share: %v; expected 0 to 1", m.Share)
	}
	if m.Share > 0 && m.learnt == nil {
		return fmt.Errorf("share: %v of a correction that is not there", m.Share)
	}
	if !(m.Peers >= shapes[0] && m.Peers <= shapes[len(shapes)-1]) {
		return fmt.Errorf("peers: %v; expected %v to %v", m.Peers, shapes[0], shapes[len(shapes)-1])
	}
	if !(m.Rules.Slope >= 0 && m.Rules.Slope <= steepest) || !(m.Rules.Shift >= -strongestEffect && m.Rules.Shift <= strongestEffect) {
		return fmt.Errorf("rules: %+v; expected a slope from 0 to %v and a shift in log-odds", m.Rules, steepest)
	}
	for i, p := range m.Pairs {
		if err := p.check(); err != nil {
			return fmt.Errorf("incompatible: %d: %w", i, err)
		}
	}
	return m.Bounds.check()
}

// strongestEffect is beyond what any number of failures makes of a pair.
const strongestEffect = 20

func (i Incompatible) check() error {
	switch {
	case !isTrait(i.Patch, patchTraits):
		return fmt.Errorf("patch: %q is no trait; expected one of %q and a name", i.Patch, patchTraits)
	case !isTrait(i.Host, hostTraits):
		return fmt.Errorf("host: %q is no trait; expected one of %q and a name", i.Host, hostTraits)
	case !(i.Bad >= 0 && i.Bad <= i.N && i.N <= largest):
		return fmt.Errorf("%q with %q: %v of %v failed", i.Host, i.Patch, i.Bad, i.N)
	case !(i.Expected >= 0 && i.Expected <= 1 && i.P >= 0 && i.P <= 1):
		return fmt.Errorf("%q with %q: expected %v, p %v; both are probabilities", i.Host, i.Patch, i.Expected, i.P)
	case !(i.Effect >= 0 && i.Effect <= strongestEffect):
		return fmt.Errorf("%q with %q: effect %v; expected 0 to %d", i.Host, i.Patch, i.Effect, strongestEffect)
	}
	return nil
}

func (m *Deployment) round() {
	m.At = m.At.UTC().Truncate(time.Second)
	m.Rules = Weight{exact.Round5(m.Rules.Shift), exact.Round5(m.Rules.Slope)}
	m.Bounds.round()
	m.Peers, m.Share = exact.Round5(m.Peers), exact.Round5(m.Share)
	for i := range m.Pairs {
		p := &m.Pairs[i]
		p.N, p.Bad, p.Expected, p.Effect = exact.Round5(p.N), exact.Round5(p.Bad), exact.Round5(p.Expected), exact.Round5(p.Effect)
	}
}

// Bytes are the canonical bytes of the model: members sorted, a line for each
// incompatibility, record and bin, so that a change of one shows as one line.
func (m *Deployment) Bytes() []byte {
	var b bytes.Buffer
	b.WriteString("{\n")
	members := map[string]any{
		"schema": m.Schema, "at": m.At, "trials": m.Trials, "failures": m.Failures, "own": m.Own, "rules": m.Rules, "peers": m.Peers, "share": m.Share,
		"incompatible": m.Pairs, "bounds": m.Bounds, "data": m.Data, "record": json.RawMessage("null"), "learnt": json.RawMessage("null"),
	}
	if m.Record != nil {
		members["record"] = json.RawMessage(m.Record.Bytes())
	}
	if m.learnt != nil {
		members["learnt"] = json.RawMessage(m.learnt.Bytes())
	}
	names := inOrder(members)
	for i, name := range names {
		fmt.Fprintf(&b, "  %q: ", name)
		switch v := members[name].(type) {
		case map[string]any:
			lines(&b, v)
		case []Incompatible:
			pairLines(&b, v)
		case json.RawMessage:
			b.Write(bytes.ReplaceAll(bytes.TrimSpace(v), []byte("\n"), []byte("\n  ")))
		default:
			b.Write(canonical(v))
		}
		b.WriteString(comma(i, len(names)))
	}
	b.WriteString("}\n")
	return b.Bytes()
}

func pairLines(b *bytes.Buffer, list []Incompatible) {
	if len(list) == 0 {
		b.WriteString("[]")
		return
	}
	b.WriteString("[\n")
	for i, p := range list {
		fmt.Fprintf(b, "    %s", canonical(p))
		b.WriteString(comma(i, len(list)))
	}
	b.WriteString("  ]")
}

// Learnt is the explainable boosting machine within, for people to look at; nil
// where there is none.
func (m *Deployment) Learnt() *ebm.Model { return m.learnt }

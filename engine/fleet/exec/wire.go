package exec

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// request is every request of the protocol; the op says which members it has.
// Packages are what a step moves, Names those that "installed" asks for: both
// are called packages on the wire.
type request struct {
	V         int
	ID        int64
	Op        string
	Now       string
	Engine    string
	Key       string
	Host      inventory.HostID
	Packages  []fleet.Package
	NotBefore string
	NotAfter  string
	Reboot    string
	DryRun    *bool
	Labels    map[string]string
	Reason    string
	Jobs      []string
	Hosts     []inventory.HostID
	Names     []string
	From, To  string
	Signals   []string
	Future    bool // adds a member that no version 1 plugin knows
}

func (r request) line() ([]byte, error) {
	var packages any
	switch {
	case r.Packages != nil:
		packages = r.Packages
	case r.Names != nil:
		packages = r.Names
	}
	data, err := json.Marshal(struct {
		V         int                `json:"v,omitempty"`
		ID        int64              `json:"id"`
		Op        string             `json:"op"`
		Now       string             `json:"now"`
		Engine    string             `json:"engine,omitempty"`
		Key       string             `json:"key,omitempty"`
		Host      inventory.HostID   `json:"host,omitempty"`
		Hosts     []inventory.HostID `json:"hosts,omitempty"`
		Packages  any                `json:"packages,omitempty"`
		NotBefore string             `json:"not_before,omitempty"`
		NotAfter  string             `json:"not_after,omitempty"`
		Reboot    string             `json:"reboot,omitempty"`
		DryRun    *bool              `json:"dry_run,omitempty"`
		Labels    map[string]string  `json:"labels,omitempty"`
		Reason    string             `json:"reason,omitempty"`
		Jobs      []string           `json:"jobs,omitempty"`
		From      string             `json:"from,omitempty"`
		To        string             `json:"to,omitempty"`
		Signals   []string           `json:"signals,omitempty"`
		Future    bool               `json:"ringmaster_future,omitempty"`
	}{r.V, r.ID, r.Op, r.Now, r.Engine, r.Key, r.Host, r.Hosts, packages, r.NotBefore, r.NotAfter, r.Reboot,
		r.DryRun, r.Labels, r.Reason, r.Jobs, r.From, r.To, r.Signals, r.Future})
	if err != nil {
		return nil, fmt.Errorf("writing request %s: %w", r.Op, err)
	}
	return append(data, '\n'), nil
}

func moving(op string, now time.Time, s fleet.Step) request {
	r := request{Op: op, Now: stamp(now), Key: s.Key, Host: s.Host, Packages: s.Packages, DryRun: &s.DryRun,
		NotBefore: stamp(s.NotBefore), NotAfter: stamp(s.NotAfter), Reboot: s.Reboot, Labels: s.Labels}
	if op == "rollback" {
		r.Reason = s.Reason
	}
	return r
}

// stamp writes a time as the contract does; the zero time is left out.
func stamp(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Truncate(time.Second).Format(time.RFC3339)
}

// reply is every reply of the protocol. Unknown members are passed over.
type reply struct {
	V      int    `json:"v"`
	ID     *int64 `json:"id"`
	OK     *bool  `json:"ok"`
	Plugin string `json:"plugin"`
	Caps   *struct {
		Ops       []string `json:"ops"`
		Schedules bool     `json:"schedules"`
		MaxBatch  *int     `json:"max_batch"`
		DryRun    bool     `json:"dry_run"`
	} `json:"caps"`
	wireJob           // apply and rollback
	Jobs    []wireJob `json:"jobs"`
	Hosts   []struct {
		Host     inventory.HostID `json:"host"`
		Packages []wirePackage    `json:"packages"`
	} `json:"hosts"`
	Series []wireSeries `json:"series"`
	Error  *struct {
		Code      string `json:"code"`
		Message   string `json:"message"`
		Retryable bool   `json:"retryable"`
	} `json:"error"`
}

type wireJob struct {
	Job      string        `json:"job"`
	State    fleet.State   `json:"state"`
	Started  *time.Time    `json:"started"`
	Finished *time.Time    `json:"finished"`
	Packages []wirePackage `json:"packages"`
	Rebooted bool          `json:"rebooted"`
	Detail   string        `json:"detail"`
}

type wirePackage struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// broken is an answer that does not follow the protocol.
func broken(format string, args ...any) *fleet.Error {
	return &fleet.Error{Code: "internal", Message: fmt.Sprintf(format, args...)}
}

// maxBatch bounds what a plugin may claim: more is of no use, and each takes memory.
const maxBatch = 4096

func (r *reply) caps() (fleet.Caps, error) {
	switch {
	case r.V != 1:
		return fleet.Caps{}, broken("the plugin speaks version %d of the protocol, expected 1", r.V)
	case r.Caps == nil:
		return fleet.Caps{}, broken("the plugin's hello has no caps")
	case !slices.Contains(r.Caps.Ops, "apply"):
		return fleet.Caps{}, broken("the plugin's caps.ops is %q, expected at least \"apply\"", r.Caps.Ops)
	case r.Caps.MaxBatch != nil && *r.Caps.MaxBatch < 1:
		return fleet.Caps{}, broken("the plugin's caps.max_batch is %d, expected at least 1", *r.Caps.MaxBatch)
	}
	c := fleet.Caps{Plugin: clip(r.Plugin), Schedules: r.Caps.Schedules, DryRun: r.Caps.DryRun, MaxBatch: 1}
	if r.Caps.MaxBatch != nil {
		c.MaxBatch = min(*r.Caps.MaxBatch, maxBatch)
	}
	for _, op := range knownOps {
		if slices.Contains(r.Caps.Ops, op) {
			c.Ops = append(c.Ops, op)
		}
	}
	return c, nil
}

// job reads the answer to apply or rollback.
func (r *reply) job(op string, caps fleet.Caps) (fleet.Job, error) {
	switch {
	case r.State != fleet.Accepted && r.State != fleet.Succeeded && r.State != fleet.Failed:
		return fleet.Job{}, broken("%s was answered with state %q, expected one of \"accepted\", \"succeeded\", \"failed\"", op, r.State)
	case r.State == fleet.Accepted && r.Job == "":
		return fleet.Job{}, broken("%s was accepted without a job", op)
	case r.State == fleet.Accepted && !slices.Contains(caps.Ops, "status"):
		return fleet.Job{}, broken("%s was accepted as job %q, but the plugin does not offer status", op, r.Job)
	}
	return r.wireJob.job(), nil
}

func (w wireJob) job() fleet.Job {
	j := fleet.Job{ID: w.Job, State: w.State, Rebooted: w.Rebooted, Detail: clip(w.Detail)}
	if w.Started != nil {
		j.Started = w.Started.UTC()
	}
	if w.Finished != nil {
		j.Finished = w.Finished.UTC()
	}
	if len(w.Packages) > 0 {
		j.Packages = map[string]string{}
	}
	for _, p := range w.Packages {
		j.Packages[p.Name] = p.Version
	}
	return j
}

var states = []fleet.State{fleet.Accepted, fleet.Running, fleet.Succeeded, fleet.Failed, fleet.Canceled, fleet.Unknown}

// jobs reads the answer to status or cancel, in the order asked.
func (r *reply) jobs(op string, asked []string) ([]fleet.Job, error) {
	found := map[string]fleet.Job{}
	for _, w := range r.Jobs {
		if !slices.Contains(states, w.State) {
			return nil, broken("%s of job %q was answered with state %q, expected one of %q", op, w.Job, w.State, states)
		}
		found[w.Job] = w.job()
	}
	list := make([]fleet.Job, len(asked))
	for i, id := range asked {
		j, ok := found[id]
		if !ok {
			j = fleet.Job{ID: id, State: fleet.Unknown}
		}
		list[i] = j
	}
	return list, nil
}

func (r *reply) installed(hosts []inventory.HostID, packages []string, into map[inventory.HostID]map[string]string) error {
	for _, h := range r.Hosts {
		if !slices.Contains(hosts, h.Host) {
			continue
		}
		if into[h.Host] == nil {
			into[h.Host] = map[string]string{}
		}
		for _, p := range h.Packages {
			if !slices.Contains(packages, p.Name) {
				continue
			}
			if was, twice := into[h.Host][p.Name]; twice && was != p.Version {
				return broken("installed gives %q on host %q two versions, %q and %q", p.Name, h.Host, was, p.Version)
			}
			into[h.Host][p.Name] = p.Version
		}
	}
	return nil
}

var codes = []string{"unreachable", "refused", "invalid", "busy", "internal"}

// failure is the error a reply carries, nil when it is ok.
func (r *reply) failure() error {
	switch {
	case *r.OK:
		return nil
	case r.Error == nil:
		return broken("the plugin said ok: false and gave no error")
	case !slices.Contains(codes, r.Error.Code):
		return &fleet.Error{Code: "internal", Message: clip(r.Error.Code + ": " + r.Error.Message), Retryable: r.Error.Retryable}
	}
	return &fleet.Error{Code: r.Error.Code, Message: clip(r.Error.Message), Retryable: r.Error.Retryable}
}

// clip bounds text that plugins send: it goes into ledgers and logs.
func clip(s string) string {
	const most = 2000
	if len(s) <= most {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	cut := most
	for cut > most-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return strings.ToValidUTF8(s[:cut], "\uFFFD") + "…"
}

// value reads a measurement. JSON has no NaN, so null and the usual words stand
// for what is not finite; such a point is kept, for health to distrust.
func value(raw json.RawMessage) (float64, error) {
	var f float64
	text := string(raw)
	if text == "null" {
		return math.NaN(), nil
	}
	if err := json.Unmarshal(raw, &f); err == nil {
		return f, nil
	}
	switch strings.ToLower(strings.Trim(text, `"`)) {
	case "nan":
		return math.NaN(), nil
	case "inf", "+inf", "infinity", "+infinity":
		return math.Inf(1), nil
	case "-inf", "-infinity":
		return math.Inf(-1), nil
	}
	return 0, broken("probe gave %s as a measurement, expected a number, null, \"NaN\", \"Inf\" or \"-Inf\"", clip(text))
}

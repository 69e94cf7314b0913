package sim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// Schema is the value of Truth.Schema.
const Schema = "ringmaster/sim/v1"

// Truth is what is wrong in the simulated world and nobody knows: the file that
// a fleet block of kind "sim" names.
//
//	{"schema": "ringmaster/sim/v1",
//	 "noise": {"error_ratio": 0.004, "faults_per_day": 0.02},
//	 "faults": [
//	   {"name": "hba7 driver", "patch": "deb:openssl@3.0.15*", "modules": ["hba7"],
//	    "kind": "errors", "error_ratio": 0.35, "after_s": 300, "p": 0.9},
//	   {"name": "disk full", "package": "postgres*", "hosts": ["db-*"], "kind": "install_fails",
//	    "detail": "no space left on device"}],
//	 "background": [
//	   {"name": "switch", "hosts": ["web-*"], "at": "2026-03-03T23:10:00Z", "for_s": 1800, "kind": "slow"}]}
type Truth struct {
	Schema     string       `json:"schema"`
	Noise      Noise        `json:"noise"`
	Faults     []Fault      `json:"faults"`
	Background []Background `json:"background"`
}

// Noise is what healthy hosts look like. Absent numbers take their defaults.
type Noise struct {
	ErrorRatio     *float64 `json:"error_ratio"`     // mean, default 0.004
	LatencySeconds *float64 `json:"latency_seconds"` // mean at middling load, default 0.08
	LoadRatio      *float64 `json:"load_ratio"`      // mean of hosts that report no load by hour, default 0.3
	FaultsPerDay   float64  `json:"faults_per_day"`  // chance a host and day of 20 to 60 minutes of errors that no patch causes
}

// Kind is what a fault does.
type Kind string

// The kinds. The first four show when a step is taken, the others in the
// telemetry from AfterS after the install until it is rolled back, replaced by
// another version, or ForS has passed.
const (
	InstallFails  Kind = "install_fails"  // the job fails, nothing is moved
	InstallHalf   Kind = "install_half"   // the job fails, this package is moved all the same
	RollbackFails Kind = "rollback_fails" // a rollback fails, nothing is moved
	Unreachable   Kind = "unreachable"    // the host answers no apply
	Errors        Kind = "errors"         // error_ratio rises to ErrorRatio
	Slow          Kind = "slow"           // latency_seconds is multiplied by LatencyFactor
	Load          Kind = "load"           // load_ratio rises to LoadRatio
	Down          Kind = "down"           // up is 0, and the other signals are missing
)

var kinds = []Kind{InstallFails, InstallHalf, RollbackFails, Unreachable, Errors, Slow, Load, Down}
var symptoms = []Kind{Errors, Slow, Load, Down}

// Fault is something wrong with a patch on some hosts. What is left out narrows
// nothing: a fault with only a kind strikes every install.
type Fault struct {
	Name    string            `json:"name"`
	Patch   string            `json:"patch"`   // glob over patch ids
	Package string            `json:"package"` // glob over package names
	Hosts   []string          `json:"hosts"`   // globs, one of which must match
	Labels  map[string]string `json:"labels"`  // all of which a host must have
	Modules []string          `json:"modules"` // one of which a host must have
	P       *float64          `json:"p"`       // share of the hosts that match which are struck, default 1
	Kind    Kind              `json:"kind"`
	AfterS  float64           `json:"after_s"`
	ForS    float64           `json:"for_s"` // 0: for good
	Detail  string            `json:"detail"`
	Size
}

// Background is something wrong with hosts that no patch causes.
type Background struct {
	Name  string    `json:"name"`
	Hosts []string  `json:"hosts"` // globs; left out: all
	Kind  Kind      `json:"kind"`  // errors | slow | load | down; while down, a host takes no steps
	At    time.Time `json:"at"`
	ForS  float64   `json:"for_s"` // 0: for good
	Size
}

// Size is how bad it is.
type Size struct {
	ErrorRatio    *float64 `json:"error_ratio"`    // default 0.3
	LatencyFactor *float64 `json:"latency_factor"` // default 5
	LoadRatio     *float64 `json:"load_ratio"`     // default 0.98
}

// Problem is something wrong with a truth file.
type Problem struct {
	Line    int
	Message string
}

func (p Problem) String() string { return fmt.Sprintf("%d: %s", p.Line, p.Message) }

// ParseTruth reads a truth file and reports everything that is wrong with it.
func ParseTruth(data []byte) (Truth, []Problem) {
	var file struct {
		Schema     string            `json:"schema"`
		Noise      json.RawMessage   `json:"noise"`
		Faults     []json.RawMessage `json:"faults"`
		Background []json.RawMessage `json:"background"`
	}
	p := &parser{data: data}
	if err := strict(data, &file); err != nil {
		p.fail(data, "", err)
		return Truth{}, p.problems
	}
	t := Truth{Schema: file.Schema}
	if t.Schema != Schema {
		p.problems = append(p.problems, Problem{1, fmt.Sprintf("schema is %q, expected %q", t.Schema, Schema)})
	}
	if file.Noise != nil && p.read(file.Noise, "noise", &t.Noise) {
		p.noise(file.Noise, t.Noise)
	}
	for i, raw := range file.Faults {
		var f Fault
		if place := fmt.Sprintf("faults[%d]", i); p.read(raw, place, &f) {
			p.fault(raw, place, f)
			t.Faults = append(t.Faults, f)
		}
	}
	for i, raw := range file.Background {
		var b Background
		if place := fmt.Sprintf("background[%d]", i); p.read(raw, place, &b) {
			p.background(raw, place, b)
			t.Background = append(t.Background, b)
		}
	}
	return t, p.problems
}

func strict(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if d.More() {
		return errors.New("something follows the document")
	}
	return nil
}

// parser keeps the place: elements are read in the order of the file, and each
// is looked for after the one before.
type parser struct {
	data     []byte
	offset   int
	problems []Problem
}

func (p *parser) read(raw json.RawMessage, place string, v any) bool {
	if err := strict(raw, v); err != nil {
		p.fail(raw, place, err)
		return false
	}
	return true
}

func (p *parser) fail(raw []byte, place string, err error) {
	offset := 0
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		offset = int(syntax.Offset)
	}
	if kind := (*json.UnmarshalTypeError)(nil); errors.As(err, &kind) {
		offset = int(kind.Offset)
	}
	message := strings.TrimPrefix(err.Error(), "json: ")
	if place != "" {
		message = place + ": " + message
	}
	p.problems = append(p.problems, Problem{p.line(raw, offset), message})
}

// line is where an offset within raw lies in the file.
func (p *parser) line(raw []byte, offset int) int {
	start := bytes.Index(p.data, raw)
	if at := bytes.Index(p.data[p.offset:], raw); at >= 0 {
		start = p.offset + at
		p.offset = start
	}
	if start < 0 {
		return 1
	}
	end := min(len(p.data), start+offset)
	return 1 + bytes.Count(p.data[:end], []byte("\n"))
}

func (p *parser) say(raw []byte, format string, args ...any) {
	p.problems = append(p.problems, Problem{p.line(raw, 0), fmt.Sprintf(format, args...)})
}

func (p *parser) noise(raw []byte, n Noise) {
	p.ratio(raw, "noise.error_ratio", n.ErrorRatio)
	p.ratio(raw, "noise.load_ratio", n.LoadRatio)
	p.ratio(raw, "noise.faults_per_day", &n.FaultsPerDay)
	if n.LatencySeconds != nil && *n.LatencySeconds <= 0 {
		p.say(raw, "noise.latency_seconds is %v, expected more than 0", *n.LatencySeconds)
	}
}

func (p *parser) fault(raw []byte, place string, f Fault) {
	if !slices.Contains(kinds, f.Kind) {
		p.say(raw, "%s.kind: %q is not a kind; expected one of %q", place, f.Kind, kinds)
	}
	p.ratio(raw, place+".p", f.P)
	if !lasts(f.AfterS) || !lasts(f.ForS) {
		p.say(raw, "%s: after_s and for_s are seconds, from 0 to ten years", place)
	}
	p.size(raw, place, f.Size)
}

func (p *parser) background(raw []byte, place string, b Background) {
	if !slices.Contains(symptoms, b.Kind) {
		p.say(raw, "%s.kind: %q is not a kind of background; expected one of %q", place, b.Kind, symptoms)
	}
	if b.At.IsZero() {
		p.say(raw, "%s.at is missing, expected a time as 2026-03-03T23:00:00Z", place)
	}
	if !lasts(b.ForS) {
		p.say(raw, "%s.for_s is %v, expected seconds, from 0 to ten years", place, b.ForS)
	}
	p.size(raw, place, b.Size)
}

// lasts says whether s is a length of time that a duration holds.
func lasts(s float64) bool { return s >= 0 && s <= 10*366*24*3600 }

func (p *parser) size(raw []byte, place string, s Size) {
	p.ratio(raw, place+".error_ratio", s.ErrorRatio)
	p.ratio(raw, place+".load_ratio", s.LoadRatio)
	if s.LatencyFactor != nil && *s.LatencyFactor <= 0 {
		p.say(raw, "%s.latency_factor is %v, expected more than 0", place, *s.LatencyFactor)
	}
}

func (p *parser) ratio(raw []byte, name string, v *float64) {
	if v != nil && (*v < 0 || *v > 1) {
		p.say(raw, "%s is %v, expected 0 to 1", name, *v)
	}
}

// anyGlob says whether one of the patterns matches; none at all match everything.
func anyGlob(patterns []string, s string) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool { return glob(p, s) })
}

// glob reports whether s matches a pattern of "*" (any characters, also none)
// and "?" (one byte).
func glob(pattern, s string) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// takes says whether the fault is one of this host's.
func (f Fault) takes(h inventory.Host) bool {
	for k, v := range f.Labels {
		if h.Labels[k] != v {
			return false
		}
	}
	if len(f.Modules) > 0 && (h.Facts == nil || !slices.ContainsFunc(f.Modules, func(m string) bool { return slices.Contains(h.Facts.Modules, m) })) {
		return false
	}
	return anyGlob(f.Hosts, string(h.ID))
}

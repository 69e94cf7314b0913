// Package reference is a fleet plugin over imagined hosts: the smallest program
// that keeps all promises of the exec protocol, for authors to read and for
// tests to run.
//
// Its one idea: everything it has done is a line in a journal, written and
// flushed under a lock before the request is answered. What is installed, what
// a job is at and what a key was first answered with follow from the journal
// alone, so a plugin killed at any moment, or two at once, cannot do a thing
// twice. Tests count the journal's lines: each "moved" is one real install.
//
// With -misbehave it breaks a promise on purpose: see Misbehaviour.
package reference

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Main runs the plugin and returns its exit code. Requests are answered in the
// order they come.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	p, err := configure(args, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "plugin:", err)
		return 2
	}
	if p == nil {
		return 0
	}
	p.out = &sink{w: stdout}
	if err := p.serve(stdin); err != nil {
		fmt.Fprintln(stderr, "plugin:", err)
		return 1
	}
	return p.exit
}

type plugin struct {
	journal *journal
	bad     misbehaviour
	out     *sink
	log     io.Writer
	batch   int
	ops     []string
	forget  bool // honours no keys, as a plugin may that offers installed
	seen    int  // requests so far, hello included
	applies int  // apply requests so far
	held    []byte
	exit    int
}

// errEnd stops the plugin as if it had crashed.
var errEnd = errors.New("end")

func configure(args []string, stderr io.Writer) (*plugin, error) {
	flags := flag.NewFlagSet("plugin", flag.ContinueOnError)
	flags.SetOutput(stderr)
	state := flags.String("state", "", "folder for the journal")
	hosts := flags.String("hosts", "web-1,web-2,web-3", "the hosts there are")
	packages := flags.String("package", "heron-web=4.2.1", "name=version installed on every host at first, several joined by commas")
	accept := flags.Duration("accept", 0, "accept jobs, and have them succeed this much later by the requests' clock")
	batch := flags.Int("batch", 8, "max_batch")
	ops := flags.String("ops", "apply,rollback,status,probe,installed,cancel", "the ops offered")
	forget := flags.Bool("forget-keys", false, "honour no keys")
	var bad misbehaviour
	flags.Func("misbehave", "what to do wrong: "+strings.Join(misdeeds, ", "), bad.add)
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil, nil
		}
		return nil, err
	}
	if *state == "" {
		return nil, errors.New("-state names no folder")
	}
	installed, err := parsePackages(*packages)
	if err != nil {
		return nil, err
	}
	j, err := openJournal(*state, strings.Split(*hosts, ","), installed, *accept)
	if err != nil {
		return nil, err
	}
	j.bad = &bad
	return &plugin{journal: j, bad: bad, log: stderr, batch: *batch, ops: strings.Split(*ops, ","), forget: *forget}, nil
}

func parsePackages(text string) (map[string]string, error) {
	installed := map[string]string{}
	for _, pair := range strings.Split(text, ",") {
		name, version, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("-package %q is not name=version", pair)
		}
		installed[name] = version
	}
	return installed, nil
}

// request holds what this plugin reads of any request; other members are passed
// over.
type request struct {
	ID       json.RawMessage `json:"id"`
	Op       string          `json:"op"`
	Now      time.Time       `json:"now"`
	Key      string          `json:"key"`
	Host     string          `json:"host"`
	Hosts    []string        `json:"hosts"`
	Packages json.RawMessage `json:"packages"`
	NotAfter time.Time       `json:"not_after"`
	DryRun   bool            `json:"dry_run"`
	Jobs     []string        `json:"jobs"`
	From     time.Time       `json:"from"`
	To       time.Time       `json:"to"`
	Signals  []string        `json:"signals"`
}

type object = map[string]any

// problem is an answer that is not ok.
type problem struct {
	Code      string `json:"code"`
	Message   string `json:"message"`
	Retryable bool   `json:"retryable"`
}

func (p *problem) Error() string { return p.Code + ": " + p.Message }

func (p *plugin) serve(stdin io.Reader) error {
	lines := bufio.NewReader(stdin)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return p.flush()
		}
		if err != nil {
			return fmt.Errorf("reading requests: %w", err)
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if err := p.handle(line); errors.Is(err, errEnd) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func (p *plugin) handle(line []byte) error {
	p.seen++
	var r request
	if err := json.Unmarshal(line, &r); err != nil {
		return p.answer(r, nil, &problem{"invalid", err.Error(), false})
	}
	if r.Op == "apply" {
		p.applies++
	}
	if stop, err := p.before(r); stop || err != nil {
		return err
	}
	result, err := p.do(r)
	return p.answer(r, result, err)
}

func (p *plugin) do(r request) (object, error) {
	if r.Op != "hello" && !contains(p.ops, r.Op) {
		return nil, &problem{"invalid", fmt.Sprintf("unknown op %q", r.Op), false}
	}
	switch r.Op {
	case "hello":
		return object{"v": 1, "plugin": "reference", "caps": object{
			"ops": p.ops, "schedules": false, "max_batch": p.batch, "dry_run": true}}, nil
	case "apply", "rollback":
		return p.move(r)
	case "status":
		return p.journal.status(r)
	case "cancel":
		return p.journal.cancel(r)
	case "installed":
		return p.journal.installed(r)
	case "probe":
		return p.journal.probe(r)
	}
	return nil, &problem{"invalid", fmt.Sprintf("unknown op %q", r.Op), false}
}

// answer writes one reply. An error that is no problem ends the plugin: it
// could not keep its journal.
func (p *plugin) answer(r request, result object, err error) error {
	var bad *problem
	switch {
	case errors.As(err, &bad):
		result = object{"ok": false, "error": bad}
	case err != nil:
		return err
	default:
		result["ok"] = true
	}
	result["id"] = r.ID
	if r.ID == nil {
		result["id"] = 0
	}
	line, err := json.Marshal(result)
	if err != nil {
		return fmt.Errorf("writing the reply to %s: %w", r.Op, err)
	}
	return p.send(r, append(line, '\n'))
}

// sink writes whole lines.
type sink struct {
	mu sync.Mutex
	w  io.Writer
}

func (s *sink) write(line []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.w.Write(line)
	return err
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// Package ring holds deployment rings, maintenance windows and freezes, and the
// fleets and health sources that rings are run with: what people declare in
// rings/*.hcl, and the window and freeze blocks of inventory/*.hcl.
//
// Its one idea: a window is a recurrence in wall time (RFC 5545) of an elapsed
// duration, and everything it yields is a UTC interval.
package ring

import "time"

// Select narrows a block to some hosts. Empty fields match everything.
type Select struct {
	Services []string // glob patterns
	Labels   map[string]string
	Hosts    []string // glob patterns
	Tiers    []string // of the host's primary service
	// ExceptTiers are left out: what has no tier is still taken, which no list
	// of Tiers can say.
	ExceptTiers []string
}

// Ring is one step of a rollout. Order is ascending; a host is in the
// lowest-ordered ring that takes it.
type Ring struct {
	Name        string
	Order       int
	Share       float64       // 0..1 of the matching hosts; 1 takes all that are left
	Count       int           // at most this many hosts, 0 no cap
	After       time.Duration // since publication
	Soak        time.Duration
	MaxFailures int
	// Sandbox: its hosts are there to try things on. Only what is to be tried in a
	// sandbox first waits for it before it goes on to the next ring.
	Sandbox bool
	Select
}

// Window is when work may happen.
type Window struct {
	Name     string
	Recur    string        // RFC 5545 recurrence rule, wall time
	Start    string        // optional DTSTART local date-time, "2026-01-06T23:00:00"; default 1970-01-01T00:00:00
	Duration time.Duration // elapsed, not wall
	Timezone string        // IANA name, default the estate's
}

// Freeze is when nothing may be changed.
type Freeze struct {
	Name     string
	From, To time.Time
	Every    *Window  // when it comes again and again, and From and To are zero; nil: once
	Services []string // glob patterns
	Reason   string
}

// Interval is [Start, End) in UTC.
type Interval struct{ Start, End time.Time }

// Fleet says how changes are carried out. Kind is sim, exec, ansible or ssh;
// the last matching one counts.
type Fleet struct {
	Kind     string
	Command  []string
	Env      []string // names of variables a plugin inherits besides PATH, HOME, LANG
	Parallel int      // hosts at a time, 0 means 1
	Timeout  time.Duration
	Seed     int64  // sim only
	File     string // sim only: the hidden truth, a path in the estate
	SSH      *SSH   // ssh only
	Policy          // ssh and ansible only
	Select
}

// Keeps says that its hosts keep what became of their steps themselves: whoever asks
// for one gets the same answer, and a host looks at what it has before it begins.
func (f Fleet) Keeps() bool { return f.Kind == "ssh" || f.Kind == "ansible" }

// Policy is what a fleet that reaches hosts itself may do to them.
type Policy struct {
	Restart      time.Duration // how long a host that was restarted is waited for; 0 the fleet's own
	RestartLanes int           // how many hosts may be restarting at a time; 0 means 1
	MinFreeMB    int           // what stays free on disk; 0 the fleet's own
	NewConffiles bool
	NoHold       bool
	NoRestart    bool
	Hooks        []Hook
	Running      []Running
}

// SSH says how hosts are reached by SSH. One of
// Key, KeyEnv and Agent says who logs in; none of them is the secret itself.
type SSH struct {
	User        string
	Port        int
	KnownHosts  string // a path in the estate, or of the runner: "/…" or "~/…"
	Key         string // a path of the runner
	KeyEnv      string // the variable that holds the key
	Agent       bool   // the one of SSH_AUTH_SOCK
	Certificate string // a path of the runner
	Jump        string // user@host:port
	Become      bool
	Connect     time.Duration
}

// Hook is part of a host's step: snapshot, drain or undrain.
type Hook struct {
	Name    string
	Command []string // run on the host
	Tasks   string   // of a fleet "ansible", instead of a command: a file of tasks in the estate
	Timeout time.Duration
}

// Running says how the version of a package that runs is found out, which need not
// be the one on disk.
type Running struct {
	Package string
	Command []string
	Restart []string // tried where the two differ; may be empty
}

// Rollback says whether patches can be rolled back on some hosts: an estate's word,
// which counts more than what is known in general. The last that matches counts.
type Rollback struct {
	Name     string
	Patches  []string // patterns of patch ids; empty: every patch
	Possible bool
	Why      string
	Instead  string // what people do where it is not possible
	Select
}

// Health says how a host's health is measured. Kind is sim, exec, prometheus,
// http or command; the last matching one counts.
type Health struct {
	Kind    string
	URL     string
	Command []string
	Signals map[string]string // signal, or telemetry.Traffic → expression
	// MinRequests is how many requests a host must have served since its change
	// before it may be called healthy, by telemetry.Traffic; 0 asks for none.
	MinRequests int
	Step        time.Duration // prometheus only: between two points, 0 is a minute
	Timeout     time.Duration // http and command only: of one probe, 0 is 10 s
	Token       string        // prometheus only: the name of the variable that holds a bearer token
	Env         []string      // command only: names of variables it inherits besides PATH, HOME, LANG
	// Patience is how long after its soak a change without a verdict waits for
	// one before it is held; 0 is a day.
	Patience time.Duration
	Select
}

// Workload is load that hosts in a sandbox are put under before a change and after
// it, so that the two can be compared. Kind is http or command; the last matching one
// counts. A host that is not in a sandbox is never loaded.
type Workload struct {
	Kind        string
	URL         string        // http only: scheme, host and port, with {{address}} or {{host}} for the host
	Paths       []string      // http only: asked for in turn, by GET; never empty
	Command     []string      // command only
	Env         []string      // command only: names of variables it inherits besides PATH, HOME, LANG
	Rate        float64       // requests a second to one host in the busiest hour of the week
	Duration    time.Duration // what a week takes
	Timeout     time.Duration // of one request
	Connections int           // http only: requests at a time
	Shape       string        // the service whose week is followed; "" is the host's own
	Select
}

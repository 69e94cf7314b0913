// Package estate reads everything that one commit declares, from a file system:
// inventory, rings, policies, models, plans, ledgers, approvals and overrides.
//
// Read reports every fault of every file at once. What it returns is complete
// only when there is none; a fault never hides another file's.
package estate

import (
	"cmp"
	"fmt"
	"io/fs"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

// Estate is what one commit declares.
type Estate struct {
	Settings   inventory.Settings
	Tiers      []inventory.Tier      // sorted by rank, then name
	Services   []inventory.Service   // sorted by name, Group resolved
	Hosts      []inventory.Host      // sorted by id, facts joined, Services resolved
	Windows    []ring.Window         // sorted by name
	Freezes    []ring.Freeze         // sorted by name
	Feeds      []inventory.Feed      // in the order they stand
	Exceptions []inventory.Exception // sorted by name
	Rollbacks  []ring.Rollback       // in the order they stand: the last matching one counts

	Rings     []ring.Ring     // sorted by order, then name
	Fleets    []ring.Fleet    // in the order they stand: the last matching one counts
	Healths   []ring.Health   // in the order they stand
	Workloads []ring.Workload // in the order they stand

	Advisories []advisory.Advisory // sorted by id; feeds and inventory/patches together, withdrawn ones left out
	Knowledge  advisory.Knowledge
	Notices    []Fault // what feeds carry that is not used, and tags that turn nothing on, sorted by place; the estate is valid in spite of it

	Policies map[string][]byte // what policy.IsPolicy says, by path
	Models   map[string][]byte // models/*.json by path

	Plans     map[string][]byte  // plan id → plan.json as it lies there
	Ledgers   map[string][]byte  // plan id → outcomes/<id>.jsonl
	Approvals map[string][]byte  // plan id → approvals/<id>.jsonl
	Overrides []outcome.Override // sorted by time, then file and line
	Imported  []outcome.Imported // sorted by time
	Incidents []outcome.Incident // sorted by time

	Digests Digests
}

// Digests names what was read: "sha256:" and the hex sha256 over the sorted list
// of "path\0sha256\n" of a folder's files, where path is the one from the root of
// the estate and sha256 the hex digest of the file's bytes. Every file of the
// folder counts, also those that nobody reads. A folder without files has the
// digest of the empty string.
type Digests struct {
	Inventory  string // inventory/ except advisories and patches
	Rings      string
	Policies   string
	Models     string
	Advisories string // inventory/advisories and inventory/patches
	Outcomes   string // the heads of all ledgers: see Heads
}

// Fault is something wrong in a file, at its place.
type Fault struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
}

func (f Fault) String() string {
	switch {
	case f.File == "":
		return f.Message
	case f.Line == 0:
		return fmt.Sprintf("%s: %s", f.File, f.Message)
	case f.Column == 0:
		return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.Message)
}

// Read reads an estate. Faults are sorted by place; where there are none the
// estate is valid. The file system may be read from one goroutine at a time:
// files are read in turn, and parsed side by side.
func Read(fsys fs.FS) (*Estate, []Fault) {
	r := newReader(fsys)
	r.list()
	r.inventory()
	r.rings()
	r.facts()
	r.advisories()
	r.history()
	r.overrides()
	r.kept()
	r.check()
	r.profiles()
	r.join()
	r.digest()
	return r.estate, r.sorted()
}

// ReadDeclared reads what people declare in inventory/*.hcl alone; ok is false where
// it cannot be read. It is for looking back over many commits.
func ReadDeclared(fsys fs.FS) (*Estate, bool) {
	r := newReader(fsys)
	r.list()
	r.inventory()
	return r.estate, len(r.estates) == 1 && !r.broken
}

// ReadSettings is ReadDeclared of the estate block.
func ReadSettings(fsys fs.FS) (inventory.Settings, bool) {
	est, ok := ReadDeclared(fsys)
	return est.Settings, ok
}

// Order is the order of faults: by file, line, column, message.
func Order(a, b Fault) int {
	return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), strings.Compare(a.Message, b.Message))
}

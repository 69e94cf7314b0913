package estate

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"

	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// reader is one run of Read: what has been read so far, and its faults.
type reader struct {
	fsys   fs.FS
	estate *Estate
	faults []Fault
	hcl    []hclfile.Fault // faults of the decoders, moved to faults at the end

	files map[string][]string // top folder → its files, sorted
	sums  map[string]string   // path → hex sha256 of its bytes

	declared  map[string]map[string]hclfile.Place // block type → name → where
	mentioned map[string]map[string]bool          // block type → names in files that do not parse
	broken    bool                                // an HCL file does not parse
	estates   []hclfile.Place                     // every estate block
	refs      []reference
	windows   []checked                // checked once the estate's own zone is known
	minimum   map[string]hclfile.Place // service → where it says min_available
	tags      []tag                    // compliance tags, where services have them
	loaded    []hclfile.Place          // every workload block

	hosts map[inventory.HostID]declaredHost
	lines map[inventory.HostID]factLine // the newest line of each host
}

// declaredHost is a host block.
type declaredHost struct {
	labels map[string]string
	window string
}

func newReader(fsys fs.FS) *reader {
	return &reader{
		fsys:      fsys,
		estate:    &Estate{Settings: defaults(), Policies: map[string][]byte{}, Models: map[string][]byte{}, Plans: map[string][]byte{}, Ledgers: map[string][]byte{}, Approvals: map[string][]byte{}},
		files:     map[string][]string{},
		sums:      map[string]string{},
		declared:  map[string]map[string]hclfile.Place{},
		mentioned: map[string]map[string]bool{},
		minimum:   map[string]hclfile.Place{},
		hosts:     map[inventory.HostID]declaredHost{},
		lines:     map[inventory.HostID]factLine{},
	}
}

// fault reports a fault of a machine-written file: a line, no column.
func (r *reader) fault(file string, line int, format string, args ...any) {
	r.faults = append(r.faults, Fault{File: file, Line: line, Message: fmt.Sprintf(format, args...)})
}

// at reports a fault of a file that people write.
func (r *reader) at(p hclfile.Place, format string, args ...any) {
	r.hcl = append(r.hcl, hclfile.Fault{Place: p, Message: fmt.Sprintf(format, args...)})
}

// sorted returns all faults by place, each once.
func (r *reader) sorted() []Fault {
	all := r.faults
	for _, f := range r.hcl {
		all = append(all, Fault{File: f.File, Line: f.Line, Column: f.Column, Message: f.Message})
	}
	slices.SortFunc(all, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(all)
}

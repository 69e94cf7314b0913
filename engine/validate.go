package engine

import (
	"io/fs"
	"slices"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
	"github.com/ringmaster-dev/ringmaster/engine/risk"
)

// Validate returns every fault of an estate's files at once: inventory, rings,
// policies and models, sorted by place.
func Validate(fsys fs.FS) []estate.Fault {
	est, faults := estate.Read(fsys)
	_, wrong := policy.Compile(est.Policies)
	for _, f := range wrong {
		faults = append(faults, estate.Fault(f))
	}
	if data, ok := est.Models[trackRecord]; ok {
		if _, err := risk.ParseTrackRecord(data); err != nil {
			faults = append(faults, estate.Fault{File: trackRecord, Line: 1, Message: err.Error()})
		}
	}
	slices.SortFunc(faults, estate.Order)
	return slices.Compact(faults)
}

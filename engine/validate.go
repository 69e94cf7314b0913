package engine

import (
	"fmt"
	"io/fs"
	"slices"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
	"github.com/ringmaster-dev/ringmaster/engine/risk"
)

// Validation is what Validate found, each list sorted by place.
type Validation struct {
	Faults   []estate.Fault // the estate is invalid where there is one
	Warnings []estate.Fault // what feeds carry that is not used, and hosts that nothing watches; the estate is valid in spite of it
}

// Validate finds every fault of an estate's files at once: of inventory, rings,
// policies and models.
func Validate(fsys fs.FS) Validation {
	est, faults := estate.Read(fsys)
	_, wrong := policy.Compile(est.Policies)
	for _, f := range wrong {
		faults = append(faults, estate.Fault(f))
	}
	faults = append(faults, modelFaults(est)...)
	slices.SortFunc(faults, estate.Order)
	return Validation{Faults: slices.Compact(faults), Warnings: slices.Concat(est.Notices, unwatched(est))}
}

// unwatched tells of hosts that are changed and that no health block takes.
func unwatched(est *estate.Estate) []estate.Fault {
	d := frame(est, basis{})
	var hosts []inventory.HostID
	for i := range est.Hosts {
		h := &est.Hosts[i]
		if _, n := d.fleetOf(h); n >= 0 && d.healthOf(h) < 0 {
			hosts = append(hosts, h.ID)
		}
	}
	if len(hosts) == 0 {
		return nil
	}
	return []estate.Fault{{File: "rings", Message: fmt.Sprintf("no health block takes %s that a fleet takes (%s): after a change nothing says that they are well, and they are held", counted(len(hosts), "host"), firstHosts(hosts))}}
}

// modelFaults are what is wrong in an estate's models.
func modelFaults(est *estate.Estate) []estate.Fault {
	var faults []estate.Fault
	if data, ok := est.Models[trackRecord]; ok {
		if _, err := risk.ParseTrackRecord(data); err != nil {
			faults = append(faults, estate.Fault{File: trackRecord, Line: 1, Message: err.Error()})
		}
	}
	if data, ok := est.Models[deploymentModel]; ok {
		if _, err := risk.ParseDeployment(data); err != nil {
			faults = append(faults, estate.Fault{File: deploymentModel, Line: 1, Message: err.Error()})
		}
	}
	return faults
}

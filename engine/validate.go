package engine

import (
	"errors"
	"io/fs"
	"slices"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
	"github.com/ringmaster-dev/ringmaster/engine/risk"
)

// Validation is what Validate found, each list sorted by place.
type Validation struct {
	Faults   []estate.Fault // the estate is invalid where there is one
	Warnings []estate.Fault // what feeds carry that is not used; the estate is valid in spite of it
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
	return Validation{Faults: slices.Compact(faults), Warnings: est.Notices}
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

// PolicyTests are the tests beside an estate's policies, run. Policies that do
// not compile are faults, and no test is run then.
func PolicyTests(fsys fs.FS) (policy.TestReport, []estate.Fault, error) {
	est, _ := estate.Read(fsys)
	r, err := policy.RunTests(est.Policies)
	var wrong *policy.FaultsError
	if err == nil || !errors.As(err, &wrong) {
		return r, nil, err
	}
	faults := make([]estate.Fault, len(wrong.Faults))
	for i, f := range wrong.Faults {
		faults[i] = estate.Fault(f)
	}
	return r, faults, nil
}

// PolicyData is the JSON Schema of what an estate's policies declare of their
// data, the thresholds in data.json files.
func PolicyData(fsys fs.FS) (map[string]any, []estate.Fault) {
	est, _ := estate.Read(fsys)
	schema, wrong := policy.DataSchema(est.Policies)
	var faults []estate.Fault
	for _, f := range wrong {
		faults = append(faults, estate.Fault(f))
	}
	return schema, faults
}

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/estate"
)

// writeFaults writes faults as text, json, markdown, github or sarif.
func writeFaults(w io.Writer, format string, faults []estate.Fault) error {
	switch format {
	case "json":
		if faults == nil {
			faults = []estate.Fault{}
		}
		return json.NewEncoder(w).Encode(map[string]any{"faults": faults})
	case "github":
		for _, f := range faults {
			if _, err := fmt.Fprintf(w, "::error file=%s,line=%d,col=%d::%s\n", property(f.File), max(1, f.Line), max(1, f.Column), commandData(f.Message)); err != nil {
				return err
			}
		}
		return nil
	case "sarif":
		return writeSARIF(w, faults)
	case "markdown":
		for _, f := range faults {
			if _, err := fmt.Fprintf(w, "- `%s`\n", strings.ReplaceAll(f.String(), "`", "'")); err != nil {
				return err
			}
		}
		return nil
	}
	for _, f := range faults {
		if _, err := fmt.Fprintln(w, f); err != nil {
			return err
		}
	}
	return nil
}

// property escapes a property of a workflow command.
func property(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(commandData(s))
}

// writeSARIF writes SARIF 2.1.0, which code scanning reads.
func writeSARIF(w io.Writer, faults []estate.Fault) error {
	results := []any{}
	for _, f := range faults {
		results = append(results, map[string]any{
			"ruleId": "fault", "level": "error", "message": map[string]any{"text": f.Message},
			"locations": []any{map[string]any{"physicalLocation": map[string]any{
				"artifactLocation": map[string]any{"uri": f.File},
				"region":           map[string]any{"startLine": max(1, f.Line), "startColumn": max(1, f.Column)},
			}}},
		})
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(map[string]any{
		"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
		"runs": []any{map[string]any{
			"tool": map[string]any{"driver": map[string]any{"name": "ringmaster", "semanticVersion": strings.TrimPrefix(engine.Version, "v"),
				"rules": []any{map[string]any{"id": "fault", "shortDescription": map[string]any{"text": "something wrong in an estate or a plan"}}}}},
			"results": results,
		}},
	})
}

// mostWarnings is how many warnings are printed one by one.
const mostWarnings = 20

// warnOf says what an estate carries that is not used. Such things make nothing
// invalid, so they go to the log.
func (a *app) warnOf(list []estate.Fault) {
	for i, f := range list {
		if i == mostWarnings {
			a.log.Warnf("… and %d more like these", len(list)-mostWarnings)
			return
		}
		a.log.Warn(f)
	}
}

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
		return faultsSARIF(w, faults)
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

// sarifRule is a kind of result.
type sarifRule struct{ id, about string }

// sarifResult is a result of one kind, at its place.
type sarifResult struct {
	rule, level string
	estate.Fault
}

// faultsSARIF are faults as SARIF.
func faultsSARIF(w io.Writer, faults []estate.Fault) error {
	var results []sarifResult
	for _, f := range faults {
		results = append(results, sarifResult{"fault", "error", f})
	}
	return writeSARIF(w, []sarifRule{{"fault", "something wrong in an estate or a plan"}}, results)
}

// writeSARIF writes SARIF 2.1.0, which code scanning reads.
func writeSARIF(w io.Writer, kinds []sarifRule, list []sarifResult) error {
	rules, results := []any{}, []any{}
	for _, k := range kinds {
		rules = append(rules, map[string]any{"id": k.id, "shortDescription": map[string]any{"text": k.about}})
	}
	for _, f := range list {
		results = append(results, map[string]any{
			"ruleId": f.rule, "level": f.level, "message": map[string]any{"text": f.Message},
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
			"tool":    map[string]any{"driver": map[string]any{"name": "ringmaster", "semanticVersion": strings.TrimPrefix(engine.Version, "v"), "rules": rules}},
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

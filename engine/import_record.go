package engine

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// importRecord is all that is known of a host: what each source said last, and
// what no import makes (labels, load, fields nobody here knows), which stays.
//
// A field of the line comes from the newest source that reports it; packages,
// type by type, likewise; findings are those of all sources. What loses is kept
// under "sources", so that the line depends on what was imported and not on the
// order: a source's newer report replaces its older one whole, and what another
// source said comes to light again.
type importRecord struct {
	host  inventory.HostID
	extra map[string]json.RawMessage
	said  map[string]importSaid // by source
}

// importSaid is what one source said: fields by name, "os.id" and "packages.deb"
// among them.
type importSaid struct {
	at     time.Time
	fields map[string]json.RawMessage
}

// importFields are the fields of a line that imports make, besides os, packages
// and findings.
var importFields = []string{"address", "uptime_s", "reboot_pending", "disk_mb", "disk_free_mb", "mem_mb", "mem_free_mb"}

// importOrder is the order of the fields in a line.
var importOrder = []string{"host", "at", "source", "address", "os", "set", "packages", "labels", "exposed", "uptime_s", "reboot_pending",
	"drift", "disk_mb", "disk_free_mb", "mem_mb", "mem_free_mb", "modules", "load", "findings", "sources"}

// importOSOrder is the order of the members of os.
var importOSOrder = []string{"id", "version", "arch", "kernel", "name"}

// importSource is a member of "sources".
type importSource struct {
	At     *time.Time                 `json:"at,omitempty"`
	Fields []string                   `json:"fields,omitempty"` // what the line has from this source, or in the same words
	Other  map[string]json.RawMessage `json:"other,omitempty"`  // what it said otherwise
}

// importOf makes a record of what a reader found.
func importOf(f inventory.Facts) (*importRecord, error) {
	packages := f.Packages
	f.Packages = nil
	line, err := importJSON(f)
	if err != nil {
		return nil, err
	}
	r, err := importParse(line, nil)
	if err != nil {
		return nil, err
	}
	var list []json.RawMessage
	for _, p := range packages {
		raw, err := importPackage(p)
		if err != nil {
			return nil, err
		}
		list = append(list, raw)
	}
	said := r.said[f.Source]
	if said.fields == nil {
		said = importSaid{f.At, map[string]json.RawMessage{}}
	}
	if err := importByType(said.fields, list); err != nil {
		return nil, err
	}
	r.said = map[string]importSaid{f.Source: said}
	return r, nil
}

// importPackage encodes a package. An update of Windows has no version, which is
// not the same as the version "": that says "not installed".
func importPackage(p inventory.Package) (json.RawMessage, error) {
	return importJSON(struct {
		Type          version.Type `json:"type"`
		Name          string       `json:"name"`
		Version       string       `json:"version,omitempty"`
		Arch          string       `json:"arch,omitempty"`
		Source        string       `json:"source,omitempty"`
		SourceVersion string       `json:"source_version,omitempty"`
		Module        string       `json:"module,omitempty"`
		Vendor        string       `json:"vendor,omitempty"`
	}(p))
}

// importParse reads a line. Sets resolves its set, if it has one.
func importParse(line []byte, sets *importSets) (*importRecord, error) {
	var top map[string]json.RawMessage
	if err := json.Unmarshal(line, &top); err != nil {
		return nil, err
	}
	var head struct {
		Host   inventory.HostID `json:"host"`
		At     time.Time        `json:"at"`
		Source string           `json:"source"`
	}
	if err := json.Unmarshal(line, &head); err != nil {
		return nil, err
	}
	if !head.Host.Valid() {
		return nil, fmt.Errorf("%q is not a host name; %s", head.Host, inventory.HostGrammar)
	}
	fields, err := importFlatten(top, sets)
	if err != nil {
		return nil, err
	}
	var sources map[string]importSource
	if raw := top["sources"]; raw != nil {
		if err := json.Unmarshal(raw, &sources); err != nil {
			return nil, fmt.Errorf("sources: %w", err)
		}
	}
	for _, name := range importOrder {
		if slices.Contains(importFields, name) || slices.Contains([]string{"host", "at", "source", "os", "set", "packages", "findings", "sources"}, name) {
			delete(top, name)
		}
	}
	r := &importRecord{host: head.Host, extra: top, said: map[string]importSaid{}}
	r.attribute(fields, sources, head.Source, head.At)
	return r, nil
}

// attribute gives every field of a line to the sources that said it. What none
// of them claims is the line's own source's.
func (r *importRecord) attribute(fields map[string]json.RawMessage, sources map[string]importSource, own string, at time.Time) {
	claimed := map[string]bool{}
	for name, s := range sources {
		said := importSaid{fields: map[string]json.RawMessage{}}
		if s.At != nil {
			said.at = s.At.UTC()
		}
		for _, f := range s.Fields {
			if v, ok := fields[f]; ok {
				said.fields[f] = v
				claimed[f] = true
			}
		}
		for f, v := range s.Other {
			said.fields[f] = importCompact(v)
			claimed["findings"] = claimed["findings"] || f == "findings"
		}
		r.said[name] = said
	}
	rest := map[string]json.RawMessage{}
	for f, v := range fields {
		if !claimed[f] {
			rest[f] = v
		}
	}
	if len(rest) == 0 && len(r.said) > 0 {
		return
	}
	said, there := r.said[own]
	if !there {
		said = importSaid{at.UTC(), map[string]json.RawMessage{}}
	}
	maps.Copy(said.fields, rest)
	r.said[own] = said
}

// importFlatten takes the fields that imports make out of a line.
func importFlatten(top map[string]json.RawMessage, sets *importSets) (map[string]json.RawMessage, error) {
	fields := map[string]json.RawMessage{}
	for _, name := range importFields {
		if raw := top[name]; raw != nil && string(raw) != "null" {
			fields[name] = importCompact(raw)
		}
	}
	var os map[string]json.RawMessage
	if raw := top["os"]; raw != nil {
		if err := json.Unmarshal(raw, &os); err != nil {
			return nil, fmt.Errorf("os: %w", err)
		}
	}
	for name, raw := range os {
		fields["os."+name] = importCompact(raw)
	}
	var findings []json.RawMessage
	if raw := top["findings"]; raw != nil {
		if err := json.Unmarshal(raw, &findings); err != nil {
			return nil, fmt.Errorf("findings: %w", err)
		}
	}
	if len(findings) > 0 {
		fields["findings"] = importArray(importSorted(findings))
	}
	list, err := sets.resolve(top["set"], top["packages"])
	if err != nil {
		return nil, err
	}
	return fields, importByType(fields, list)
}

// importByType adds packages to fields, a field a type.
func importByType(fields map[string]json.RawMessage, list []json.RawMessage) error {
	sorted, err := importSortPackages(list)
	if err != nil {
		return err
	}
	byType := map[string][]json.RawMessage{}
	for _, p := range sorted {
		byType[string(p.Type)] = append(byType[string(p.Type)], p.raw)
	}
	for t, l := range byType {
		fields["packages."+t] = importArray(l)
	}
	return nil
}

// importClash is what became of a source's report that met another.
type importClash int

const (
	importNew      importClash = iota // nothing of this source was there
	importNewer                       // it replaced an older report
	importSame                        // it was there
	importOlder                       // a newer one is there
	importConflict                    // another of the same time is there
)

// add takes what a source said, if it is newer than what the source said
// before. Of two that differ and have the same time one is chosen by its bytes,
// so that the order does not matter.
func (r *importRecord) add(source string, s importSaid) importClash {
	old, there := r.said[source]
	switch {
	case !there:
		r.said[source] = s
		return importNew
	case old.at.Before(s.at):
		r.said[source] = s
		return importNewer
	case s.at.Before(old.at):
		return importOlder
	}
	a, b := importObject(old.fields, nil), importObject(s.fields, nil)
	if bytes.Equal(a, b) {
		return importSame
	}
	if bytes.Compare(a, b) < 0 {
		r.said[source] = s
	}
	return importConflict
}

// sources are the names of the sources, the newest first.
func (r *importRecord) sources() []string {
	return slices.SortedFunc(maps.Keys(r.said), func(a, b string) int {
		return cmp.Or(r.said[b].at.Compare(r.said[a].at), cmp.Compare(b, a))
	})
}

// merged is what the line says, and from whom each field is.
func (r *importRecord) merged() (fields map[string]json.RawMessage, from map[string]string) {
	fields, from = map[string]json.RawMessage{}, map[string]string{}
	var findings []json.RawMessage
	for _, source := range r.sources() {
		for name, v := range r.said[source].fields {
			if name == "findings" {
				var list []json.RawMessage
				_ = json.Unmarshal(v, &list) // a list, as it was read
				findings = append(findings, list...)
			}
			if _, there := fields[name]; !there {
				fields[name], from[name] = v, source
			}
		}
	}
	if len(findings) > 0 {
		fields["findings"] = importArray(importSorted(findings))
	}
	return fields, from
}

// dated is the source by whose time the line goes: plans rest on packages, so
// it is the one that reported those of the operating system, whatever else is
// newer; of several the oldest.
func (r *importRecord) dated(from map[string]string) string {
	var system, other []string
	for name, source := range from {
		switch t, ok := strings.CutPrefix(name, "packages."); {
		case !ok:
		case t == string(version.Generic):
			other = append(other, source)
		default:
			system = append(system, source)
		}
	}
	for _, list := range [][]string{system, other} {
		if len(list) > 0 {
			all := r.sources()
			return slices.MaxFunc(list, func(a, b string) int { return slices.Index(all, a) - slices.Index(all, b) })
		}
	}
	return r.sources()[0]
}

package engine

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// list is all packages of the host, sorted, as a JSON list; nil where none are
// known.
func (r *importRecord) list() (json.RawMessage, error) {
	fields, _ := r.merged()
	var all []json.RawMessage
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if strings.HasPrefix(name, "packages.") {
			var list []json.RawMessage
			if err := json.Unmarshal(fields[name], &list); err != nil {
				return nil, fmt.Errorf("host %q: %s: %w", r.host, name, err)
			}
			all = append(all, list...)
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	sorted, err := importSortPackages(all)
	if err != nil {
		return nil, err
	}
	all = all[:0]
	for _, p := range sorted {
		all = append(all, p.raw)
	}
	return importArray(all), nil
}

// encode is the line of the host. Packages is the list, or nil where set names
// it.
func (r *importRecord) encode(set string, packages json.RawMessage) ([]byte, error) {
	fields, from := r.merged()
	line := maps.Clone(r.extra)
	if line == nil {
		line = map[string]json.RawMessage{}
	}
	os := map[string]json.RawMessage{}
	for name, v := range fields {
		if member, ok := strings.CutPrefix(name, "os."); ok {
			os[member] = v
		} else if !strings.HasPrefix(name, "packages.") {
			line[name] = v
		}
	}
	if len(os) > 0 {
		line["os"] = importObject(os, importOSOrder)
	}
	head := r.dated(from)
	values := map[string]any{"host": r.host}
	if head != "" {
		values["source"] = head
	}
	if at := r.said[head].at; !at.IsZero() {
		values["at"] = at.UTC()
	}
	if set != "" {
		values["set"] = set
	}
	if len(r.said) > 1 {
		values["sources"] = r.shared(fields)
	}
	for name, v := range values {
		raw, err := importJSON(v)
		if err != nil {
			return nil, err
		}
		line[name] = raw
	}
	if set == "" && packages != nil {
		line["packages"] = packages
	}
	return importObject(line, importOrder), nil
}

// shared says which source said what, where there are several.
func (r *importRecord) shared(merged map[string]json.RawMessage) map[string]importSource {
	all := map[string]importSource{}
	for name, said := range r.said {
		s := importSource{}
		if at := said.at.UTC(); !at.IsZero() {
			s.At = &at
		}
		for _, f := range slices.Sorted(maps.Keys(said.fields)) {
			if bytes.Equal(said.fields[f], merged[f]) {
				s.Fields = append(s.Fields, f)
				continue
			}
			if s.Other == nil {
				s.Other = map[string]json.RawMessage{}
			}
			s.Other[f] = said.fields[f]
		}
		all[name] = s
	}
	return all
}

// importObject encodes an object: members in the order given, others after them
// by name.
func importObject(m map[string]json.RawMessage, order []string) json.RawMessage {
	names := slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		i, j := slices.Index(order, a), slices.Index(order, b)
		if i < 0 {
			i = len(order)
		}
		if j < 0 {
			j = len(order)
		}
		return cmp.Or(i-j, cmp.Compare(a, b))
	})
	b := []byte{'{'}
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		key, _ := importJSON(name) // a string always encodes
		b = append(append(b, key...), ':')
		b = append(b, importCompact(m[name])...)
	}
	return append(b, '}')
}

func importArray(list []json.RawMessage) json.RawMessage {
	return slices.Concat([]byte{'['}, bytes.Join(importBytes(list), []byte{','}), []byte{']'})
}

func importBytes(list []json.RawMessage) [][]byte {
	all := make([][]byte, len(list))
	for i, v := range list {
		all[i] = v
	}
	return all
}

// importCompact strips the white space between tokens. What was decoded once is
// valid.
func importCompact(raw json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return raw
	}
	return b.Bytes()
}

// importSorted is a list in the order of its bytes, each once.
func importSorted(list []json.RawMessage) []json.RawMessage {
	sorted := make([]json.RawMessage, len(list))
	for i, v := range list {
		sorted[i] = importCompact(v)
	}
	slices.SortFunc(sorted, func(a, b json.RawMessage) int { return bytes.Compare(a, b) })
	return slices.CompactFunc(sorted, func(a, b json.RawMessage) bool { return bytes.Equal(a, b) })
}

// importListed is a package as it stands in a list, unknown members and all.
type importListed struct {
	inventory.Package
	raw json.RawMessage
}

// importSortPackages sorts packages by type, name, architecture and version,
// each once.
func importSortPackages(list []json.RawMessage) ([]importListed, error) {
	all := make([]importListed, len(list))
	for i, raw := range list {
		if err := json.Unmarshal(raw, &all[i].Package); err != nil {
			return nil, fmt.Errorf("packages: %w", err)
		}
		all[i].raw = importCompact(raw)
	}
	slices.SortFunc(all, func(a, b importListed) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Arch, b.Arch),
			cmp.Compare(a.Version, b.Version), bytes.Compare(a.raw, b.raw))
	})
	return slices.CompactFunc(all, func(a, b importListed) bool { return bytes.Equal(a.raw, b.raw) }), nil
}

// importSets are the package lists of inventory/facts/sets.
type importSets struct {
	lists map[string][]json.RawMessage // digest → packages
	byKey map[string]string            // what importKey makes of the list → digest, the first by name
	files map[string]string            // digest → path
}

// importKey names a list of packages by its content.
func importKey(list json.RawMessage) string {
	sum := sha256.Sum256(list)
	return string(sum[:])
}

// importSetsFolder is where shared package lists lie.
const importSetsFolder = "inventory/facts/sets"

func importReadSets(folder *importFolder) (*importSets, error) {
	names, err := folder.load(importSetsFolder, ".json")
	if err != nil {
		return nil, err
	}
	s := &importSets{lists: map[string][]json.RawMessage{}, byKey: map[string]string{}, files: map[string]string{}}
	for _, name := range names {
		var set struct {
			Packages []json.RawMessage `json:"packages"`
		}
		data := folder.old[name]
		if err := json.Unmarshal(data, &set); err != nil {
			if json.Unmarshal(data, &set.Packages) != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		sorted, err := importSortPackages(set.Packages)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		list := make([]json.RawMessage, len(sorted))
		for i, p := range sorted {
			list[i] = p.raw
		}
		s.take(name, data, list)
	}
	return s, nil
}

func (s *importSets) take(name string, data []byte, list []json.RawMessage) string {
	sum := sha256.Sum256(data)
	digest := "sha256:" + hex.EncodeToString(sum[:])
	key := importKey(importArray(list))
	s.lists[digest], s.files[digest] = list, name
	if _, there := s.byKey[key]; !there {
		s.byKey[key] = digest
	}
	return digest
}

// make adds a set for a list and returns its digest; it is written when folder
// is.
func (s *importSets) make(folder *importFolder, list json.RawMessage) (string, error) {
	if digest, there := s.byKey[importKey(list)]; there {
		return digest, nil
	}
	var packages []json.RawMessage
	if err := json.Unmarshal(list, &packages); err != nil {
		return "", err
	}
	data := slices.Concat([]byte("{\"packages\":[\n"), bytes.Join(importBytes(packages), []byte(",\n")), []byte("\n]}\n"))
	sum := sha256.Sum256(data)
	name := importSetsFolder + "/" + hex.EncodeToString(sum[:]) + ".json"
	folder.put(name, data)
	return s.take(name, data, packages), nil
}

// resolve is the full list of a line: the packages of its set with the
// differences applied, or its packages as they are.
func (s *importSets) resolve(set, packages json.RawMessage) ([]json.RawMessage, error) {
	var digest string
	var list []json.RawMessage
	if set != nil {
		if err := json.Unmarshal(set, &digest); err != nil {
			return nil, fmt.Errorf("set: %w", err)
		}
	}
	if packages != nil {
		if err := json.Unmarshal(packages, &list); err != nil {
			return nil, fmt.Errorf("packages: %w", err)
		}
	}
	if digest == "" {
		return list, nil
	}
	if s == nil || s.lists[digest] == nil {
		return nil, fmt.Errorf("set %q is not in %s", digest, importSetsFolder)
	}
	return importDiffer(s.lists[digest], list)
}

// importDiffer applies differences to a set the way the estate's reader does:
// what they say of a package replaces what the set says, version "" removes it.
func importDiffer(base, changes []json.RawMessage) ([]json.RawMessage, error) {
	type slot struct{ typ, name, arch string }
	replaced := map[slot]bool{}
	var list []json.RawMessage
	for _, raw := range changes {
		var p struct {
			Type, Name, Arch string
			Version          *string
		}
		if err := json.Unmarshal(raw, &p); err != nil {
			return nil, fmt.Errorf("packages: %w", err)
		}
		replaced[slot{p.Type, p.Name, p.Arch}] = true
		if p.Version == nil || *p.Version != "" {
			list = append(list, raw)
		}
	}
	for _, raw := range base {
		var p struct{ Type, Name, Arch string }
		if err := json.Unmarshal(raw, &p); err != nil {
			return nil, fmt.Errorf("set: %w", err)
		}
		if !replaced[slot{p.Type, p.Name, p.Arch}] && !replaced[slot{p.Type, p.Name, ""}] {
			list = append(list, raw)
		}
	}
	return list, nil
}

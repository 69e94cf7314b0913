package engine

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

const (
	importFactsFolder = "inventory/facts"
	importOneFile     = importFactsFolder + "/hosts.jsonl"
	// importOneFileMost is how many hosts stand in one file before they are spread
	// over one for each first byte of a host's digest.
	importOneFileMost = 200
	// importShare is how many hosts must have the same packages for them to become
	// a set.
	importShare = 3
)

// importedHost is a host of inventory/facts.
type importedHost struct {
	file string   // where its line stands, "" nowhere yet
	was  []byte   // the line as it was read, nil for a new host
	line []byte   // as it is now
	more [][]byte // further lines of the host, which must become one
	set  string   // the set that the line names
	key  string   // importKey of its packages, "" where there are none or only differences
	next *importRecord
}

// importTree is inventory/facts as it is and shall be.
type importTree struct {
	folder *importFolder
	sets   *importSets
	hosts  map[inventory.HostID]*importedHost
	dirty  map[string]bool // files of which a line changed
}

// importFound is facts and the file they came from.
type importFound struct {
	file  string
	facts inventory.Facts
}

func importFacts(o ImportOptions, names []string, root *os.Root, report *ImportReport) error {
	parse := func(name string, data []byte) (found []importFound, problems []inventory.Problem) {
		list, problems := importReaders[o.Format](o, name, data)
		for _, f := range list {
			if f.At.IsZero() {
				f.At = o.At.UTC().Truncate(time.Second)
			}
			found = append(found, importFound{name, f})
		}
		return found, problems
	}
	found := importEach(o, names, report, parse, func(file *ImportFile, f importFound) {
		file.Hosts++
		file.Packages += len(f.facts.Packages)
		file.Findings += len(f.facts.Findings)
	})
	return importInto(root, found, report)
}

// importInto merges what was found into inventory/facts.
func importInto(root *os.Root, found []importFound, report *ImportReport) error {
	tree, err := importReadTree(root)
	if err != nil {
		return err
	}
	if err := tree.merge(found, report); err != nil {
		return err
	}
	if err := tree.plan(); err != nil {
		return err
	}
	tree.tally(found, report)
	report.Written, err = tree.folder.write()
	return err
}

// importReadTree reads inventory/facts. All lines that cannot be read are one
// error, for then nothing is written.
func importReadTree(root *os.Root) (*importTree, error) {
	t := &importTree{folder: newImportFolder(root), hosts: map[inventory.HostID]*importedHost{}, dirty: map[string]bool{}}
	var err error
	if t.sets, err = importReadSets(t.folder); err != nil {
		return nil, err
	}
	names, err := t.folder.load(importFactsFolder, ".jsonl")
	if err != nil {
		return nil, err
	}
	var faults []error
	for _, name := range names {
		n := 0
		for line := range bytes.Lines(t.folder.old[name]) {
			n++
			if line = bytes.TrimSpace(line); len(line) == 0 {
				continue
			}
			if err := t.take(name, line); err != nil {
				faults = append(faults, fmt.Errorf("%s:%d: %w", name, n, err))
			}
		}
	}
	return t, errors.Join(faults...)
}

func (t *importTree) take(file string, line []byte) error {
	var head struct {
		Host     inventory.HostID `json:"host"`
		At       time.Time        `json:"at"`
		Set      string           `json:"set"`
		Packages json.RawMessage  `json:"packages"`
	}
	if err := json.Unmarshal(line, &head); err != nil {
		return err
	}
	if !head.Host.Valid() {
		return fmt.Errorf("%q is not a host name; %s", head.Host, inventory.HostGrammar)
	}
	if h := t.hosts[head.Host]; h != nil {
		h.more = append(h.more, line)
		t.dirty[file] = true
		return nil
	}
	h := &importedHost{file: file, was: line, line: line, set: head.Set}
	list := string(head.Packages)
	plain := list == "" || list == "null" || list == "[]"
	switch {
	case head.Set == "" && !plain:
		h.key = importKey(head.Packages) // as it stands: lists that imports wrote are compact
	case t.sets.lists[head.Set] != nil && plain:
		h.key = importKey(importArray(t.sets.lists[head.Set]))
	}
	t.hosts[head.Host] = h
	return nil
}

// plan decides which lines stand in which file and which lists become sets.
func (t *importTree) plan() error {
	used := map[string]bool{}
	lists := map[inventory.HostID]json.RawMessage{}
	count := map[string]int{}
	for id, h := range t.hosts {
		used[h.set] = true
		if err := t.reopen(id, h, lists); err != nil {
			return err
		}
		if h.key != "" {
			count[h.key]++
		}
	}
	shared := maps.Clone(count)
	for id, h := range t.hosts {
		if h.next == nil && h.set == "" && count[h.key] >= importShare {
			if err := t.open(id, h, lists); err != nil {
				return err
			}
			shared[h.key]++
		}
	}
	maps.Copy(count, shared) // lists that were written otherwise, now as all others
	ids := slices.Sorted(maps.Keys(t.hosts))
	for _, id := range ids {
		if err := t.encode(id, lists[id], count); err != nil {
			return err
		}
	}
	t.place(ids)
	t.lay(ids)
	t.prune(used)
	return nil
}

// reopen prepares hosts that change, among them those with several lines.
func (t *importTree) reopen(id inventory.HostID, h *importedHost, lists map[inventory.HostID]json.RawMessage) error {
	if h.next == nil && len(h.more) == 0 {
		return nil
	}
	return t.open(id, h, lists)
}

func (t *importTree) open(id inventory.HostID, h *importedHost, lists map[inventory.HostID]json.RawMessage) (err error) {
	if h.next, err = t.record(id); err != nil {
		return fmt.Errorf("%s: host %q: %w", h.file, id, err)
	}
	if lists[id], err = h.next.list(); err != nil {
		return err
	}
	h.key = ""
	if lists[id] != nil {
		h.key = importKey(lists[id])
	}
	return nil
}

// encode writes the line of a host that changed.
func (t *importTree) encode(id inventory.HostID, list json.RawMessage, count map[string]int) (err error) {
	h := t.hosts[id]
	if h.next == nil {
		return nil
	}
	h.set = ""
	if digest, there := t.sets.byKey[h.key]; there && list != nil {
		h.set = digest
	} else if list != nil && count[h.key] >= importShare {
		if h.set, err = t.sets.make(t.folder, list); err != nil {
			return err
		}
	}
	line, err := h.next.encode(h.set, list)
	if err != nil {
		return err
	}
	if !bytes.Equal(line, h.line) {
		h.line = line
		t.dirty[h.file] = true
	}
	return nil
}

// place gives every host its file: new ones and those of hosts.jsonl stand there
// together, or in the files of their digests once they are many. A host in a
// file of another name stays where it is.
func (t *importTree) place(ids []inventory.HostID) {
	together := 0
	sharded := false
	for name := range t.folder.old {
		sharded = sharded || importIsShard(name)
	}
	for _, id := range ids {
		if f := t.hosts[id].file; f == "" || f == importOneFile {
			together++
		}
	}
	for _, id := range ids {
		h := t.hosts[id]
		if h.file != "" && h.file != importOneFile {
			continue
		}
		file := importOneFile
		if sharded || together > importOneFileMost {
			sum := sha256.Sum256([]byte(id))
			file = importFactsFolder + "/" + hex.EncodeToString(sum[:1]) + ".jsonl"
		}
		if file != h.file {
			t.dirty[h.file], t.dirty[file] = true, true
			h.file = file
		}
	}
}

// importIsShard reports whether a file is one of those for a byte of a digest.
func importIsShard(name string) bool {
	base := strings.TrimSuffix(path.Base(name), ".jsonl")
	return path.Dir(name) == importFactsFolder && len(base) == 2 && strings.Trim(base, "0123456789abcdef") == ""
}

// lay writes the files of which a line changed, their lines sorted by host.
func (t *importTree) lay(ids []inventory.HostID) {
	files := map[string]*bytes.Buffer{}
	for _, id := range ids {
		h := t.hosts[id]
		if !t.dirty[h.file] {
			continue
		}
		if files[h.file] == nil {
			files[h.file] = new(bytes.Buffer)
		}
		files[h.file].Write(h.line)
		files[h.file].WriteByte('\n')
	}
	for name := range t.dirty {
		if name == "" {
			continue
		}
		if b := files[name]; b != nil {
			t.folder.put(name, b.Bytes())
		} else {
			t.folder.put(name, nil)
		}
	}
}

// prune removes the sets that lines named before and none names now.
func (t *importTree) prune(used map[string]bool) {
	for _, h := range t.hosts {
		delete(used, h.set)
	}
	for digest := range used {
		if name := t.sets.files[digest]; name != "" {
			t.folder.put(name, nil)
		}
	}
}

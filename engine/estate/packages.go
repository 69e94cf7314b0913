package estate

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// packages turns a host's set and differences into its package list. Hosts with
// the same set and the same differences get the same list.
type packages struct {
	pool *inventory.Pool
	sets map[string]*inventory.List // digest → list, sorted

	mu   sync.Mutex
	seen map[[sha256.Size]byte]*resolved

	met   sync.RWMutex
	known map[string]packageLine // packages without faults, as they are written
	texts texts
}

// resolved is a package list and what is wrong with it.
type resolved struct {
	once     sync.Once
	list     *inventory.List
	problems []string
}

func newPackages() *packages {
	return &packages{pool: inventory.NewPool(), sets: map[string]*inventory.List{}, seen: map[[sha256.Size]byte]*resolved{}, known: map[string]packageLine{}, texts: texts{}}
}

// sets reads inventory/facts/sets/*.json. A set is {"packages":[…]} or the list
// alone, and its name is the digest of the file's bytes, "sha256:<hex>",
// whatever the file is called.
func (r *reader) sets(packages *packages) {
	for _, name := range r.in("inventory/facts/sets", ".json") {
		data, ok := r.read(name)
		if !ok {
			continue
		}
		list, problems := packages.set(data)
		if named, ok := digestName(name); ok && named != r.sums[name] {
			problems = append(problems, fmt.Sprintf(`its bytes have the digest "sha256:%s", not the one it is called by; a list that changes becomes a new set with a name of its own`, r.sums[name]))
		}
		for _, p := range problems {
			r.fault(name, 0, "%s", p)
		}
		packages.sets["sha256:"+r.sums[name]] = packages.pool.Numbered(list)
	}
}

// digestName returns the digest that a file is called by, "<hex>.json" or
// "sha256-<hex>.json", false where it has another name.
func digestName(name string) (string, bool) {
	hex := strings.TrimPrefix(strings.TrimSuffix(path.Base(name), ".json"), "sha256-")
	return hex, len(hex) == 2*sha256.Size && strings.Trim(hex, digits+"abcdef") == ""
}

// set reads a set.
func (p *packages) set(data []byte) ([]int32, []string) {
	list := bytes.TrimSpace(data)
	if !bytes.HasPrefix(list, []byte("[")) {
		var set struct {
			Packages json.RawMessage `json:"packages"`
		}
		if err := json.Unmarshal(data, &set); err != nil {
			return nil, []string{jsonError(err)}
		}
		if set.Packages == nil {
			return nil, []string{`"packages" is missing`}
		}
		list = set.Packages
	}
	found, problems := p.parse(list)
	plain, more := p.installed(found)
	return plain, append(problems, more...)
}

// installed returns a list that is not one of differences.
func (p *packages) installed(lines []packageLine) (list []int32, problems []string) {
	all := p.pool.Packages()
	list = make([]int32, 0, len(lines))
	for _, l := range lines {
		if pkg := &all[l.number]; l.gone && pkg.Type != version.Windows {
			problems = append(problems, fmt.Sprintf(`package %q: version "" stands for "not installed", which only a difference to a set can say`, pkg.Name))
		}
		list = append(list, l.number)
	}
	return tidy(all, list), problems
}

// resolve returns the packages of a host: those of the set, if one is named,
// with the differences applied. Without both it returns nil: nothing is known.
func (p *packages) resolve(set string, differences []byte) *resolved {
	if set == "" && (differences == nil || string(differences) == "null") {
		return &resolved{}
	}
	h := sha256.New()
	h.Write([]byte(set + "\x00"))
	h.Write(differences)
	var key [sha256.Size]byte
	h.Sum(key[:0])
	p.mu.Lock()
	found := p.seen[key]
	if found == nil {
		found = new(resolved)
		p.seen[key] = found
	}
	p.mu.Unlock()
	found.once.Do(func() { p.fill(found, set, differences) })
	return found
}

func (p *packages) fill(found *resolved, set string, differences []byte) {
	var changes []packageLine
	if differences != nil {
		changes, found.problems = p.parse(differences)
	}
	if set == "" {
		list, more := p.installed(changes)
		found.list, found.problems = p.pool.Numbered(list), append(found.problems, more...)
		return
	}
	base, ok := p.sets[set]
	if !ok {
		found.problems = append(found.problems, fmt.Sprintf(`set %q is not in inventory/facts/sets; a set is named by the digest of its file, as in "sha256:9f86…"`, set))
		return
	}
	found.list = base
	if len(changes) > 0 {
		found.list = p.pool.Numbered(differ(p.pool.Packages(), base.Numbers(), changes))
	}
}

// edit changes a list at a place: it leaves out so many packages, or adds one.
type edit struct {
	at, skip int
	adds     bool
	number   int32
}

// differ applies differences to a set; lists are numbers into all. For each
// package that the differences name, what they say replaces what the set says, of
// the same architecture or, where the difference names none, of all of them;
// version "" says that it is not installed. (A host with two kernels therefore
// lists both.)
func differ(all []inventory.Package, base []int32, changes []packageLine) []int32 {
	var added []int32
	var edits []edit
	for i := range changes {
		c := &changes[i]
		from, to := span(all, base, &all[c.number])
		edits = append(edits, edit{at: from, skip: to - from})
		if !c.gone {
			added = append(added, c.number)
		}
	}
	added = tidy(all, added)
	for _, number := range added {
		at := sort.Search(len(base), func(n int) bool { return inOrder(&all[base[n]], &all[number]) > 0 })
		edits = append(edits, edit{at: at, adds: true, number: number})
	}
	slices.SortStableFunc(edits, func(a, b edit) int { return cmp.Compare(a.at, b.at) })
	list := make([]int32, 0, len(base)+len(added))
	done := 0 // so many of the set are copied or left out
	for _, e := range edits {
		if e.at > done {
			list = append(list, base[done:e.at]...)
			done = e.at
		}
		if e.adds {
			list = append(list, e.number)
		}
		done = max(done, e.at+e.skip)
	}
	return append(list, base[done:]...)
}

// span returns the range of a sorted list that a difference replaces.
func span(all []inventory.Package, base []int32, p *inventory.Package) (from, to int) {
	compare := func(n int) int {
		b := &all[base[n]]
		order := cmp.Or(strings.Compare(string(b.Type), string(p.Type)), strings.Compare(b.Name, p.Name))
		if p.Arch != "" {
			order = cmp.Or(order, strings.Compare(b.Arch, p.Arch))
		}
		return order
	}
	from = sort.Search(len(base), func(n int) bool { return compare(n) >= 0 })
	to = from + sort.Search(len(base)-from, func(n int) bool { return compare(from+n) > 0 })
	return from, to
}

// inOrder is the order of package lists: type, name, architecture, version.
func inOrder(a, b *inventory.Package) int {
	return cmp.Or(strings.Compare(string(a.Type), string(b.Type)), strings.Compare(a.Name, b.Name),
		strings.Compare(a.Arch, b.Arch), strings.Compare(a.Version, b.Version))
}

// tidy sorts a list and drops repetitions.
func tidy(all []inventory.Package, list []int32) []int32 {
	slices.SortStableFunc(list, func(a, b int32) int {
		if a == b {
			return 0
		}
		return inOrder(&all[a], &all[b])
	})
	return slices.Clip(slices.Compact(list))
}

var packageTypes = []string{string(version.Deb), string(version.RPM), string(version.APK), string(version.Windows), string(version.Generic)}

// packageLine is a package of a list.
type packageLine struct {
	number int32
	gone   bool // a difference that says "not installed"
}

// writtenPackage is a package as it is written. Whether its version is "" or
// left out makes a difference: an update of Windows has none.
type writtenPackage struct {
	inventory.Package
	Written *string `json:"version"`
}

// parse reads a JSON list of packages and says what is wrong with each. Most
// packages are written on many hosts in the same bytes, and decoded once.
func (p *packages) parse(data []byte) (list []packageLine, problems []string) {
	for part, ok := range objects(data) {
		if !ok {
			return p.decode(data)
		}
		p.met.RLock()
		line, known := p.known[string(part)]
		p.met.RUnlock()
		if known {
			list = append(list, line)
			continue
		}
		var w writtenPackage
		if json.Unmarshal(part, &w) != nil {
			return p.decode(data)
		}
		line, wrong := p.line(&w)
		if len(wrong) == 0 {
			p.met.Lock()
			p.known[string(part)] = line
			p.met.Unlock()
		}
		list, problems = append(list, line), append(problems, wrong...)
	}
	return list, problems
}

// decode is parse for lists that are not plainly objects one after another.
func (p *packages) decode(data []byte) (list []packageLine, problems []string) {
	var written []writtenPackage
	if err := json.Unmarshal(data, &written); err != nil {
		return nil, []string{"packages: " + jsonError(err)}
	}
	for i := range written {
		line, wrong := p.line(&written[i])
		list, problems = append(list, line), append(problems, wrong...)
	}
	return list, problems
}

// line gives a package its number and says what is wrong with it.
func (p *packages) line(w *writtenPackage) (packageLine, []string) {
	var problems []string
	if w.Written != nil {
		w.Version = *w.Written
	} else if w.Type != version.Windows && w.Name != "" {
		problems = append(problems, fmt.Sprintf(`package %q: "version" is missing`, w.Name))
	}
	if text := packageProblem(&w.Package); text != "" {
		problems = append(problems, text)
	}
	return packageLine{p.pool.Number(p.share(w.Package)), w.Written != nil && *w.Written == ""}, problems
}

// share gives a package the texts that others have too.
func (p *packages) share(pkg inventory.Package) inventory.Package {
	p.met.Lock()
	defer p.met.Unlock()
	one := p.texts.one
	return inventory.Package{
		Type: version.Type(one(string(pkg.Type))), Name: one(pkg.Name), Version: one(pkg.Version), Arch: one(pkg.Arch),
		Source: one(pkg.Source), SourceVersion: one(pkg.SourceVersion), Module: one(pkg.Module), Vendor: one(pkg.Vendor),
	}
}

func packageProblem(p *inventory.Package) string {
	switch {
	case p.Name == "":
		return `package: "name" is missing`
	case !slices.Contains(packageTypes, string(p.Type)):
		return fmt.Sprintf("package %q: unknown type %q; %s", p.Name, p.Type, hclfile.Expected(string(p.Type), packageTypes))
	case !validPackage(p.Type, p.Name):
		return fmt.Sprintf("package %q is not the name of a %s package", p.Name, p.Type)
	case p.Version != "" && !validVersion(p.Type, p.Version):
		return fmt.Sprintf("package %q: version %q is not a %s version", p.Name, p.Version, grammar[p.Type])
	case p.SourceVersion != "" && !validVersion(p.Type, p.SourceVersion):
		return fmt.Sprintf("package %q: source version %q is not a %s version", p.Name, p.SourceVersion, grammar[p.Type])
	case p.Source != "" && !validPackage(p.Type, p.Source):
		return fmt.Sprintf("package %q: source %q is not the name of a %s package", p.Name, p.Source, p.Type)
	case p.Module != "" && !validID(p.Module):
		return fmt.Sprintf("package %q: module %q is not a stream; expected one such as \"nodejs:18\"", p.Name, p.Module)
	case !printable(p.Arch) || !printable(p.Vendor):
		return fmt.Sprintf(`package %q: "arch" or "vendor" holds a character that cannot be printed`, p.Name)
	}
	return ""
}

// grammar names the version order of each type.
var grammar = map[version.Type]string{
	version.Deb: "dpkg", version.RPM: "rpm", version.APK: "apk", version.Windows: "Windows", version.Generic: "generic",
}

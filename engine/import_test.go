package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

const importShared = "../../shared/data/inventory"

var importNow = time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)

// importTestFiles are the files of a folder of real ones.
func importTestFiles(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(importShared, dir))
	if err != nil {
		t.Skipf("real data is not here: %v", err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, filepath.Join(importShared, dir, e.Name()))
	}
	return names
}

func importTest(t *testing.T, dir, format string, files ...string) ImportReport {
	t.Helper()
	r, err := Import(ImportOptions{Dir: dir, Format: format, Files: files, At: importNow})
	if err != nil {
		t.Fatalf("Import(%s) = %v", format, err)
	}
	return r
}

// importTree returns every file below a folder.
func importTestTree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			data, _ := os.ReadFile(filepath.Join(dir, name))
			files[name] = string(data)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// importTestRead reads the estate and expects facts without faults.
func importTestRead(t *testing.T, dir string) map[inventory.HostID]*inventory.Facts {
	t.Helper()
	e, faults := estate.Read(os.DirFS(dir))
	for _, f := range faults {
		if strings.HasPrefix(f.File, "inventory/facts") || strings.HasPrefix(f.File, "inventory/history") {
			t.Errorf("the estate's reader finds a fault: %v", f)
		}
	}
	hosts := map[inventory.HostID]*inventory.Facts{}
	for _, h := range e.Hosts {
		f := *h.Facts
		f.Packages = h.Packages.Packages()
		hosts[h.ID] = &f
	}
	return hosts
}

func TestImportReal(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		dir, format  string
		files, hosts int
		lost         int
	}{
		{"vuls", "vuls", 61, 55, 28},
		{"trivy", "trivy", 41, 0, 41},
		{"scanner-reports/trivy", "trivy", 15, 0, 15},
		{"ansible-facts", "ansible", 16, 14, 2},
	} {
		r := importTest(t, dir, c.format, importTestFiles(t, c.dir)...)
		hosts, lost := 0, 0
		for _, f := range r.Files {
			hosts += f.Hosts
			lost += f.Problems
			if f.Hosts == 0 && f.Problems == 0 {
				t.Errorf("%s: neither hosts nor problems: that is silence", f.Name)
			}
		}
		if len(r.Files) != c.files || hosts != c.hosts || lost != c.lost {
			t.Errorf("%s: %d files, %d hosts, %d problems; want %d, %d, %d", c.dir, len(r.Files), hosts, lost, c.files, c.hosts, c.lost)
		}
		for _, p := range r.Problems {
			t.Log(p.Note, p)
		}
	}
	hosts := importTestRead(t, dir)
	if len(hosts) != 69 {
		t.Errorf("%d hosts in the estate, want 69", len(hosts))
	}
	for id, want := range map[inventory.HostID]struct {
		packages        int
		system, release string
		kernel          string
	}{
		"alma_8":              {536, "almalinux", "8.9", "4.18.0-513.9.1.el8_9.x86_64"},
		"debian_12":           {437, "debian", "12", "6.1.0-29-amd64"},
		"alpine_319":          {18, "alpine", "3.19.0", "6.8.0-60-generic"},
		"windows_server_2019": {142, "windows", "10.0.17763.6054", "10.0.17763.6054"},
		"openbsd.dev.local":   {0, "openbsd", "5.6", "5.6"},
		"sol_host":            {0, "solaris", "10", "5.10"},
	} {
		f := hosts[id]
		if f == nil {
			t.Errorf("host %q is not there", id)
			continue
		}
		if len(f.Packages) != want.packages || f.OS.ID != want.system || f.OS.Version != want.release || f.OS.Kernel != want.kernel {
			t.Errorf("%s: %d packages, %+v; want %+v", id, len(f.Packages), *f.OS, want)
		}
	}
}

// TestImportTwice: importing again changes no byte, and neither does the order
// of the files, in one run or in one run each.
func TestImportTwice(t *testing.T) {
	files := append(importTestFiles(t, "ansible-facts"), "../testdata/import/ansible/alma_8.json")
	real := importTestFiles(t, "vuls")[:12]
	dir := t.TempDir()
	importTest(t, dir, "vuls", real...)
	importTest(t, dir, "ansible", files...)
	want := importTestTree(t, dir)
	r := importTest(t, dir, "vuls", real...)
	if len(r.Written) > 0 || r.Same == 0 || r.Added+r.Updated > 0 {
		t.Errorf("again: wrote %v, %d same, %d added, %d updated", r.Written, r.Same, r.Added, r.Updated)
	}
	if d := cmp.Diff(want, importTestTree(t, dir)); d != "" {
		t.Errorf("importing again changed bytes: %s", d)
	}
	dice := rand.New(rand.NewPCG(1, 2))
	for range times(1, 3) {
		other := t.TempDir()
		type one struct{ format, file string }
		var all []one
		for _, f := range real {
			all = append(all, one{"vuls", f})
		}
		for _, f := range files {
			all = append(all, one{"ansible", f})
		}
		dice.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for _, a := range all {
			importTest(t, other, a.format, a.file)
		}
		if d := cmp.Diff(want, importTestTree(t, other)); d != "" {
			t.Fatalf("the order of the files matters: %s", d)
		}
	}
}

// importVuls is a small result of Vuls.
func importVuls(host, at string, packages ...string) string {
	list := map[string]any{}
	for _, p := range packages {
		name, v, _ := strings.Cut(p, "=")
		list[name] = map[string]any{"name": name, "version": v}
	}
	data, _ := json.Marshal(map[string]any{"jsonVersion": 4, "serverName": host, "family": "debian", "release": "12", "scannedAt": at, "packages": list})
	return string(data)
}

func importTestWrite(t *testing.T, name, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestImportSets(t *testing.T) {
	in, dir := t.TempDir(), t.TempDir()
	var files []string
	for i := range 4 {
		files = append(files, importTestWrite(t, fmt.Sprintf("%s/%d.json", in, i), importVuls(fmt.Sprintf("web-%d", i), "2026-03-01T00:00:00Z", "openssl=3.0.11-1", "bash=5.2-1")))
	}
	importTest(t, dir, "vuls", files[:2]...)
	if got := importTestTree(t, dir); len(got) != 1 {
		t.Errorf("two hosts with the same packages: %d files, want hosts.jsonl alone", len(got))
	}
	importTest(t, dir, "vuls", files[2:]...)
	after := importTestTree(t, dir)
	if len(after) != 2 || strings.Contains(after["inventory/facts/hosts.jsonl"], `"packages"`) {
		t.Errorf("four hosts with the same packages do not share a set: %v", after)
	}
	all := t.TempDir()
	importTest(t, all, "vuls", files...)
	if d := cmp.Diff(after, importTestTree(t, all)); d != "" {
		t.Errorf("one run or two makes a difference: %s", d)
	}
	for id, f := range importTestRead(t, dir) {
		if len(f.Packages) != 2 || f.Set == "" {
			t.Errorf("%s: %d packages, set %q; want 2 of a set", id, len(f.Packages), f.Set)
		}
	}
	for i := range 4 { // all move on: nobody needs the set
		importTestWrite(t, files[i], importVuls(fmt.Sprintf("web-%d", i), "2026-03-02T00:00:00Z", fmt.Sprintf("openssl=3.0.11-%d", i)))
	}
	importTest(t, dir, "vuls", files...)
	if got := importTestTree(t, dir); len(got) != 1 {
		t.Errorf("a set that no host names is still there: %v", got)
	}
}

func TestImportShards(t *testing.T) {
	in, dir := t.TempDir(), t.TempDir()
	var files []string
	for i := range 240 {
		files = append(files, importTestWrite(t, fmt.Sprintf("%s/%d.json", in, i), importVuls(fmt.Sprintf("web-%d", i), "2026-03-01T00:00:00Z", fmt.Sprintf("bash=5.2-%d", i))))
	}
	importTestWrite(t, dir+"/inventory/facts/fra1.jsonl", `{"host":"web-7","at":"2026-02-01T00:00:00Z","source":"vuls","labels":{"role":"web"},"serial":"X1","os":{"id":"debian","cpe":"x"}}`+"\n")
	importTest(t, dir, "vuls", files[:150]...)
	if _, err := os.Stat(dir + "/inventory/facts/hosts.jsonl"); err != nil {
		t.Errorf("150 hosts do not stand in hosts.jsonl: %v", err)
	}
	r := importTest(t, dir, "vuls", files...)
	if r.Added != 90 || r.Same != 150 {
		t.Errorf("%d added, %d same; want 90, 150", r.Added, r.Same)
	}
	tree := importTestTree(t, dir)
	if tree["inventory/facts/hosts.jsonl"] != "" || len(tree) < 100 {
		t.Errorf("240 hosts stand in %d files, hosts.jsonl among them: %v", len(tree), tree["inventory/facts/hosts.jsonl"] != "")
	}
	fra := tree["inventory/facts/fra1.jsonl"]
	for _, want := range []string{`"serial":"X1"`, `"labels":{"role":"web"}`, `5.2-7`} {
		if !strings.Contains(fra, want) {
			t.Errorf("fra1.jsonl lost %s: %s", want, fra)
		}
	}
	if hosts := importTestRead(t, dir); len(hosts) != 240 {
		t.Errorf("%d hosts, want 240", len(hosts))
	}
	other := t.TempDir()
	importTestWrite(t, other+"/inventory/facts/fra1.jsonl", `{"host":"web-7","at":"2026-02-01T00:00:00Z","source":"vuls","labels":{"role":"web"},"serial":"X1","os":{"id":"debian","cpe":"x"}}`+"\n")
	slices.Reverse(files)
	importTest(t, other, "vuls", files...)
	if d := cmp.Diff(tree, importTestTree(t, other)); d != "" {
		t.Errorf("one run or two makes a difference: %s", d)
	}
}

// TestImportSources: a second source adds what the first lacks, the newer wins
// where both speak, an older report never replaces a newer one, and the order
// does not matter.
func TestImportSources(t *testing.T) {
	in := t.TempDir()
	setup := func(at string, mem int) string {
		return fmt.Sprintf(`{"ansible_facts":{"ansible_fqdn":"web-1","ansible_distribution":"Debian","ansible_distribution_version":"12.5","ansible_memtotal_mb":%d,"ansible_kernel":"6.1.0-13-amd64","ansible_date_time":{"iso8601":%q}}}`, mem, at)
	}
	steps := []struct{ format, file string }{
		{"vuls", importTestWrite(t, in+"/v1.json", importVuls("web-1", "2026-03-01T00:00:00Z", "bash=5.2-1"))},
		{"vuls", importTestWrite(t, in+"/v2.json", importVuls("web-1", "2026-03-03T00:00:00Z", "bash=5.2-2"))},
		{"ansible", importTestWrite(t, in+"/a1/web-1.json", setup("2026-03-02T00:00:00Z", 1000))},
		{"ansible", importTestWrite(t, in+"/a2/web-1.json", setup("2026-03-04T00:00:00Z", 2000))},
		{"ansible", importTestWrite(t, in+"/a0/web-1.json", setup("2026-02-04T00:00:00Z", 500))},
	}
	var want map[string]string
	for i := range times(24, 120) {
		order := 7 * i % 120 // all of them in 120 steps
		dir := t.TempDir()
		rest := slices.Clone(steps)
		for n, k := len(rest), order; n > 0; n-- {
			i := k % n
			k /= n
			importTest(t, dir, rest[i].format, rest[i].file)
			rest = slices.Delete(rest, i, i+1)
		}
		got := importTestTree(t, dir)
		if want == nil {
			want = got
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("order %d makes a difference: %s", order, d)
		}
	}
	line := want["inventory/facts/hosts.jsonl"]
	const golden = `{"host":"web-1","at":"2026-03-03T00:00:00Z","source":"vuls","os":{"id":"debian","version":"12.5","kernel":"6.1.0-13-amd64","name":"Debian GNU/Linux 12.5"},` +
		`"packages":[{"type":"deb","name":"bash","version":"5.2-2"}],"mem_mb":2000,` +
		`"sources":{"ansible":{"at":"2026-03-04T00:00:00Z","fields":["mem_mb","os.id","os.kernel","os.name","os.version"]},` +
		`"vuls":{"at":"2026-03-03T00:00:00Z","fields":["os.id","packages.deb"],"other":{"os.name":"Debian GNU/Linux 12","os.version":"12"}}}}` + "\n"
	if d := cmp.Diff(golden, line); d != "" {
		t.Errorf("merged line: %s", d)
	}
}

func TestImportOlder(t *testing.T) {
	in, dir := t.TempDir(), t.TempDir()
	importTest(t, dir, "vuls", importTestWrite(t, in+"/new.json", importVuls("web-1", "2026-03-03T00:00:00Z", "bash=5.2-2")))
	r := importTest(t, dir, "vuls", importTestWrite(t, in+"/old.json", importVuls("web-1", "2026-03-01T00:00:00Z", "bash=5.2-1")))
	if len(r.Problems) != 1 || !strings.Contains(r.Problems[0].Message, "newer ones of 2026-03-03T00:00:00Z are there") || len(r.Written) != 0 {
		t.Errorf("older facts: %v, wrote %v", r.Problems, r.Written)
	}
	r = importTest(t, dir, "vuls", importTestWrite(t, in+"/twin.json", importVuls("web-1", "2026-03-03T00:00:00Z", "bash=9.9-2")))
	if !r.Lost() || !strings.Contains(r.Problems[0].Message, "differ") {
		t.Errorf("two reports of one time: %v", r.Problems)
	}
}

// TestImportBroken: faults of the estate are told all at once, and nothing is
// written.
func TestImportBroken(t *testing.T) {
	in, dir := t.TempDir(), t.TempDir()
	importTestWrite(t, dir+"/inventory/facts/hosts.jsonl", "{\"host\":\"a b\"}\n\nnonsense\n")
	before := importTestTree(t, dir)
	_, err := Import(ImportOptions{Dir: dir, Format: "vuls", Files: []string{importTestWrite(t, in+"/v.json", importVuls("web-1", "2026-03-01T00:00:00Z", "bash=1"))}})
	for _, want := range []string{`hosts.jsonl:1: "a b" is not a host name`, "hosts.jsonl:3: invalid character"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Import() = %v, want %s", err, want)
		}
	}
	if d := cmp.Diff(before, importTestTree(t, dir)); d != "" {
		t.Errorf("something was written: %s", d)
	}
	link := t.TempDir()
	if err := os.Symlink(in, link+"/inventory"); err == nil {
		if _, err := Import(ImportOptions{Dir: link, Format: "vuls", Files: []string{in + "/v.json"}}); err == nil {
			t.Errorf("an import wrote through a link out of the estate")
		}
	}
}

func TestImportOptions(t *testing.T) {
	in, dir := t.TempDir(), t.TempDir()
	file := importTestWrite(t, in+"/v.json", importVuls("web-1", "2026-03-01T00:00:00Z", "bash=1"))
	for _, c := range []struct {
		o    ImportOptions
		want string
	}{
		{ImportOptions{Format: "vul", Files: []string{file}}, `unknown format "vul"; did you mean "vuls"?`},
		{ImportOptions{Format: "vuls"}, "no files to import"},
		{ImportOptions{Format: "vuls", Files: []string{"-"}}, "the standard input, which is not there"},
		{ImportOptions{Format: "vuls", Files: []string{file}, Host: "x"}, "names its hosts itself"},
		{ImportOptions{Format: "trivy", Files: []string{file}, Host: "x y"}, "is not a host name"},
		{ImportOptions{Format: "trivy", Files: []string{file, dir + "/x"}, Host: "x"}, "import them one by one"},
		{ImportOptions{Format: "vuls", Files: []string{dir}}, "holds no file to import"},
	} {
		c.o.Dir = dir
		if _, err := Import(c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Import(%+v) = %v, want %s", c.o, err, c.want)
		}
	}
	r, err := Import(ImportOptions{Dir: dir, Format: "vuls", Files: []string{"-", in + "/absent.json"}, Stdin: bytes.NewReader([]byte(importVuls("web-2", "", "bash=1"))), At: importNow})
	if err != nil || r.Added != 1 || len(r.Problems) != 1 || !strings.Contains(r.Problems[0].String(), "absent.json: not read: no such file") {
		t.Errorf("Import(-) = %+v, %v", r, err)
	}
	if f := importTestRead(t, dir)["web-2"]; f == nil || !f.At.Equal(importNow) {
		t.Errorf("facts without a time: %+v, want those at %v", f, importNow)
	}
}

package match

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/advisory/debian"
	"github.com/ringmaster-dev/ringmaster/engine/advisory/osv"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/inventory/vuls"
)

const shared = "../../../shared/data"

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(shared, name))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("../shared/data is not there; the tables of match_test.go hold cases of the same kinds")
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func rows(t testing.TB, name string) []map[string]string {
	t.Helper()
	all, err := csv.NewReader(bytes.NewReader(read(t, name))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var list []map[string]string
	for _, r := range all[1:] {
		m := map[string]string{}
		for i, column := range all[0] {
			m[column] = r[i]
		}
		list = append(list, m)
	}
	return list
}

func vulsHosts(t testing.TB, names ...string) []inventory.Host {
	t.Helper()
	var hosts []inventory.Host
	for _, name := range names {
		facts, problems := vuls.Parse(name, read(t, "inventory/vuls/"+name+".json"))
		if len(facts) != 1 {
			t.Fatalf("%s: %d hosts, want 1: %v", name, len(facts), problems)
		}
		hosts = append(hosts, inventory.Host{ID: inventory.HostID(name), Facts: &facts[0], Packages: pool.List(facts[0].Packages)})
	}
	return hosts
}

// Real advisories are parsed once for all tests, none of which alters them.
var almas, debians []advisory.Advisory

func almaAdvisories(t testing.TB) []advisory.Advisory {
	t.Helper()
	if almas == nil {
		almas = readAlma(t)
	}
	return almas
}

func readAlma(t testing.TB) []advisory.Advisory {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(read(t, "osv/almalinux-advisories.tar.gz")))
	if err != nil {
		t.Fatal(err)
	}
	var list []advisory.Advisory
	for files := tar.NewReader(z); ; {
		h, err := files.Next()
		if err == io.EOF {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		data, err := io.ReadAll(files)
		if err != nil {
			t.Fatal(err)
		}
		a, _, err := osv.Parse(data)
		if err != nil {
			t.Fatalf("%s: %v", h.Name, err)
		}
		list = append(list, a)
	}
}

func debianAdvisories(t testing.TB) []advisory.Advisory {
	t.Helper()
	if debians == nil {
		debians = readDebian(t)
	}
	return debians
}

func readDebian(t testing.TB) []advisory.Advisory {
	t.Helper()
	var list []advisory.Advisory
	for _, name := range []string{"DSA-list.gz", "DLA-list.gz"} {
		z, err := gzip.NewReader(bytes.NewReader(read(t, "debian-tracker/"+name)))
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		part, _, err := debian.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, part...)
	}
	return list
}

// need is what was matched: a host, a package and an advisory.
type need struct{ host, pkg, advisory string }

// needs flattens patches. A patch lists advisories that it fixes on at least
// one host, so hosts are matched one at a time here.
func needs(hosts []inventory.Host, advisories []advisory.Advisory) (needed, undecided map[need]bool) {
	needed, undecided = map[need]bool{}, map[need]bool{}
	for _, h := range hosts {
		r := Changes([]inventory.Host{h}, advisories)
		for _, p := range r.Patches {
			for _, a := range p.Advisories {
				needed[need{string(h.ID), p.Package, advisories[a].ID}] = true
			}
		}
		for _, u := range r.Undecided {
			undecided[need{string(h.ID), u.Package, u.Advisory}] = true
		}
	}
	return needed, undecided
}

// TestAlmaLinux holds the match to what librpm says of two real hosts. An
// advisory that names a package twice affects it if either fix does. Rows of
// modules, which the reference compares without their streams, must be decided
// by stream or not at all; packages that are from a module are not in it.
func TestAlmaLinux(t *testing.T) {
	hosts := vulsHosts(t, "alma_8", "alma_9")
	needed, undecided := needs(hosts, almaAdvisories(t))
	want, byStream := map[need]bool{}, map[need]bool{}
	compared, affected, modular, unsure := 0, 0, 0, 0
	for _, r := range rows(t, "versions/alma_host_matches.csv") {
		n := need{r["host"], r["package"], r["advisory"]}
		if r["modular"] == "0" {
			compared++
			want[n] = want[n] || r["affected"] == "1"
			continue
		}
		modular++
		if undecided[n] {
			unsure++
		}
		byStream[n] = byStream[n] || r["affected"] == "1" && advisory.ModularVersion(r["installed"])
	}
	for n, affected := range byStream {
		if needed[n] && !affected {
			t.Errorf("%v is said to need the fix of a module that it is not from", n)
		}
	}
	for n, affected := range want {
		if needed[n] != affected || undecided[n] {
			t.Errorf("%v: needed %v, undecided %v; want needed %v", n, needed[n], undecided[n], affected)
		}
	}
	streams := map[need]bool{}
	for _, h := range hosts {
		for p := range h.Packages.All() {
			streams[need{string(h.ID), p.Name, ""}] = p.Module != ""
		}
	}
	for n := range needed {
		affected++
		if !want[n] && !streams[need{n.host, n.pkg, ""}] {
			t.Errorf("%v is needed, which the reference does not know", n)
		}
	}
	t.Logf("%d plain rows equal, %d needs; %d rows of modules, %d of them undecided", compared, affected, modular, unsure)
}

// TestDebian holds the match to what dpkg says of a real host's source packages.
func TestDebian(t *testing.T) {
	needed, undecided := needs(vulsHosts(t, "debian_9"), debianAdvisories(t))
	compared := 0
	for _, r := range rows(t, "versions/debian_host_matches.csv") {
		n := need{r["host"], r["source_package"], r["advisory"]}
		compared++
		if want := r["affected"] == "1"; needed[n] != want || undecided[n] {
			t.Errorf("%v: %s against %s: needed %v, undecided %v; want needed %v", n, r["installed"], r["fixed"], needed[n], undecided[n], want)
		}
		delete(needed, n)
	}
	for n := range needed {
		t.Errorf("%v is needed, which the reference does not know", n)
	}
	t.Logf("%d rows equal; undecided: %v", compared, undecided)
}

// TestRealHosts runs every real host against all advisories at once: whoever
// stands on a platform of the feeds is judged, everyone else is named.
func TestRealHosts(t *testing.T) {
	read(t, "README.md")
	files, err := filepath.Glob(shared + "/inventory/vuls/*.json")
	if err != nil {
		t.Fatal(err)
	}
	var hosts []inventory.Host
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(f), ".json")
		facts, _ := vuls.Parse(name, data)
		for i := range facts {
			hosts = append(hosts, inventory.Host{ID: inventory.HostID(name), Facts: &facts[i], Packages: pool.List(facts[i].Packages)})
		}
	}
	r := Changes(hosts, slices.Concat(almaAdvisories(t), debianAdvisories(t)))
	for i, h := range hosts {
		// The Debian lists end in 2020, before Debian 11 and 12.
		want := h.Packages.Len() > 0 && !slices.Contains([]inventory.HostID{"alma_8", "alma_9", "debian_9"}, h.ID)
		if got := slices.Contains(r.Uncovered, int32(i)); got != want {
			t.Errorf("%s: on a platform that no advisory speaks of: %v, want %v", h.ID, got, want)
		}
	}
	for i := 0; i < len(r.Disputes); i += 1 + len(r.Disputes)/12 {
		t.Logf("%+v", r.Disputes[i])
	}
	t.Logf("%d hosts, %d patches, %d undecided, %d unfixed, %d disputes; uncovered: %d", len(hosts), len(r.Patches), len(r.Undecided), len(r.Unfixed), len(r.Disputes), len(r.Uncovered))
}

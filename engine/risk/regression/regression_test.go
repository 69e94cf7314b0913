package regression

import (
	"bytes"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
)

func firefox() Update {
	return Update{Type: "deb", Distribution: "Ubuntu", Package: "firefox", CVEs: 9, Releases: 3}
}

func TestReasonsAddUp(t *testing.T) {
	for _, u := range updates() {
		p, ok := Score(u)
		if !ok {
			t.Fatalf("Score(%+v) is silent: %s", u, p.Why)
		}
		sum := 0.0
		for _, r := range p.Reasons {
			sum += r.Effect
			if r.Effect != exact.Round5(r.Effect) {
				t.Errorf("%+v: effect %v has more than 5 decimals", u, r.Effect)
			}
		}
		if math.Abs(sum-p.LogOdds) > 1e-12 {
			t.Errorf("%+v: reasons add up to %v, the shift is %v", u, sum, p.LogOdds)
		}
		if !(p.Low <= p.LogOdds && p.LogOdds <= p.High) || p.High-p.Low < 1 {
			t.Errorf("%+v: shift %v in %v to %v; want an interval around it that is as wide as %v changes make it", u, p.LogOdds, p.Low, p.High, p.Strength)
		}
		if !(p.Strength >= 1 && p.Strength <= 20) {
			t.Errorf("strength %v; want no more than the rules count for", p.Strength)
		}
	}
}

// updates are of every family in the record and some others, in every shape.
func updates() []Update {
	var list []Update
	for i, family := range append(order(Shipped().Records), "never-heard-of", "") {
		if family != "" {
			list = append(list, Update{Type: "deb", Distribution: []string{"Ubuntu", "ubuntu"}[i%2], Package: family, CVEs: i%9 - 1, Releases: i % 5})
		}
	}
	return list
}

func TestSilent(t *testing.T) {
	with := func(change func(*Update)) Update { u := firefox(); change(&u); return u }
	for _, c := range []struct {
		name string
		u    Update
		says string
	}{
		{"rpm", with(func(u *Update) { u.Type = "rpm" }), `it knows deb packages only, not "rpm"`},
		{"no type", with(func(u *Update) { u.Type = "" }), `not ""`},
		{"another distribution", with(func(u *Update) { u.Distribution = "Devuan" }), `it knows Debian and Ubuntu only, not "Devuan"`},
		{"no package", with(func(u *Update) { u.Package = "" }), "the package is not known"},
	} {
		p, ok := Score(c.u)
		if ok || p.LogOdds != 0 || len(p.Reasons) != 0 || !strings.Contains(p.Why, c.says) {
			t.Errorf("%s: Score = %+v, %v; want silence that says %q", c.name, p, ok, c.says)
		}
	}
	if p, ok := Score(Update{Type: "deb", Distribution: "Debian", Package: "openssl"}); ok || !strings.Contains(p.Why, "was not shown to hold") {
		t.Errorf("Score = %+v, %v; want silence on Debian, whose scale is 0", p, ok)
	}
}

// What is not known shifts nothing: as many CVEs are taken as are usual, and of
// releases the average.
func TestMissing(t *testing.T) {
	known, _ := Score(Update{Type: "deb", Distribution: "Ubuntu", Package: "curl", CVEs: 2})
	unknown, _ := Score(Update{Type: "deb", Distribution: "Ubuntu", Package: "curl", CVEs: -1})
	if d := cmp.Diff(known, unknown); d != "" {
		t.Errorf("two CVEs are the usual thing, and not knowing is taken as that: %s", d)
	}
	few, _ := Score(Update{Type: "deb", Distribution: "Ubuntu", Package: "curl", CVEs: -1, Releases: 1})
	many, _ := Score(Update{Type: "deb", Distribution: "Ubuntu", Package: "curl", CVEs: -1, Releases: 4})
	if !(few.LogOdds < unknown.LogOdds && unknown.LogOdds < many.LogOdds) {
		t.Errorf("one release %v, unknown %v, four %v; want the unknown between", few.LogOdds, unknown.LogOdds, many.LogOdds)
	}
}

func TestMoreCVEsAreNeverSafer(t *testing.T) {
	before := math.Inf(-1)
	for n := range 300 {
		p, _ := Score(Update{Type: "deb", Distribution: "Ubuntu", Package: "curl", CVEs: n})
		if p.LogOdds < before {
			t.Fatalf("%d CVEs shift by %v, one less by %v", n, p.LogOdds, before)
		}
		before = p.LogOdds
	}
}

// The order is what the public notices show: Firefox on Ubuntu regressed in 14 of
// 51 updates, the kernel in 8 of 313.
func TestShippedOrder(t *testing.T) {
	at := func(d, name string) float64 { // log-odds
		p, _ := Score(Update{Type: "deb", Distribution: d, Package: name, CVEs: 2})
		return p.LogOdds
	}
	if f, k, u := at("Ubuntu", "firefox"), at("Ubuntu", "linux-aws-5.15"), at("Ubuntu", "never-heard-of"); !(f > 0.9 && u > k && k > -1.5) {
		t.Errorf("firefox %v, kernel %v, unknown %v; want firefox over 0.9 and the kernel below the unknown", f, k, u)
	}
	if g, c := at("Ubuntu", "ghostscript"), at("Ubuntu", "curl"); !(g > c) {
		t.Errorf("ghostscript %v, curl %v; want ghostscript above, which Debian had to fix again six times in 33", g, c)
	}
	p, _ := Score(firefox())
	if got, want := p.Reasons[0].Value, "firefox: 2 of 128 updates of Debian had to be fixed again, 14 of 51 updates of Ubuntu had to be fixed again"; got != want {
		t.Errorf("says %q, want %q", got, want)
	}
}

func TestFamily(t *testing.T) {
	for name, want := range map[string]string{
		"openssl": "openssl", "php7.4": "php", "php5": "php", "openjdk-11": "openjdk", "openjdk-lts": "openjdk", "postgresql-9.6": "postgresql",
		"linux": "linux", "linux-4.9": "linux", "linux-aws-5.15": "linux", "linux-image-amd64": "linux", "linux kernel (oem)": "linux", "linux-firmware": "linux-firmware",
		"l1tf fragmentsmack in linux kernel": "linux", "iceweasel": "firefox", "firefox-esr": "firefox", "Firefox": "firefox", "apache2": "apache",
		"apache http server": "apache", "bind9": "bind", "glib2.0": "glib", "gnome autoar": "gnome-autoar", "tomcat8": "tomcat", "389": "389", "": "", " ": "",
	} {
		if got := Family(name); got != want {
			t.Errorf("Family(%q) = %q, want %q", name, got, want)
		}
	}
}

func FuzzFamily(f *testing.F) {
	for _, s := range []string{"php7.4", "linux kernel (oem)", "7zip", "..", "a-1-2-3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got := Family(name)
		if got == "" && strings.TrimSpace(name) != "" && !strings.HasPrefix(strings.TrimSpace(name), "(") {
			t.Errorf("Family(%q) is empty", name)
		}
		if again := Family(strings.ToUpper(name)); again != Family(strings.ToLower(strings.ToUpper(name))) {
			t.Errorf("Family(%q) depends on case: %q", name, again)
		}
	})
}

func TestShippedBytes(t *testing.T) {
	got, err := Shipped().Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, shipped) {
		t.Error("the shipped model is not what reading and writing it gives")
	}
	if len(shipped) > 100_000 {
		t.Errorf("the shipped model has %d bytes, want at most 100,000", len(shipped))
	}
	for _, id := range []string{"DSA-", "DLA-", "USN-", "CVE-"} {
		if bytes.Contains(shipped, []byte(id)) {
			t.Errorf("the shipped model names %s…: rows do not ship", id)
		}
	}
}

// The card says what the model does.
func TestCard(t *testing.T) {
	card, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range order(Shipped().HeldOut) {
		for _, name := range order(Shipped().HeldOut[d]) {
			if f := Shipped().HeldOut[d][name]; !strings.Contains(string(card), f.Row(d, name)) {
				t.Errorf("README.md lacks the row\n%s", f.Row(d, name))
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(shipped)
	f.Add([]byte(`{"schema":"ringmaster/regression-prior/v1","strength":8,"distributions":{"debian":{"rate":0.04,"scale":1,"typical":-3}}}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Parse(data)
		if err != nil {
			return
		}
		for d := range m.Distributions {
			p, ok := m.Score(Update{Type: "deb", Distribution: d, Package: "openssl", CVEs: 3, Releases: 1})
			if ok && (math.IsNaN(p.LogOdds) || math.IsInf(p.LogOdds, 0) || p.Low > p.High) {
				t.Errorf("Score = %+v", p)
			}
		}
		once, err := m.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse(once)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if twice, _ := again.Bytes(); !bytes.Equal(once, twice) {
			t.Error("written, read and written again is not the same")
		}
	})
}

// Training again gives the shipped bytes.
func TestRetrain(t *testing.T) {
	if os.Getenv("RINGMASTER_LONG") == "" {
		t.Skip("trains the industry prior again: set RINGMASTER_LONG=1")
	}
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(root, "../shared/data/regressions")
	if _, err := os.Stat(data); err != nil {
		t.Skip("needs ../shared/data/regressions: ", err)
	}
	out := filepath.Join(t.TempDir(), "model.json")
	for _, args := range [][]string{
		{"test", "./testdata/train/regressions"},
		{"run", "./testdata/train/regressions", "-data", data, "-out", out},
	} {
		c := exec.Command("go", args...)
		c.Dir = root
		if text, err := c.CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, text)
		}
	}
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(slices.Collect(strings.Lines(string(shipped))), slices.Collect(strings.Lines(string(got)))); d != "" {
		t.Errorf("training again gives another model: %s", d)
	}
}

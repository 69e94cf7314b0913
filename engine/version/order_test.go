package version

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var types = []Type{Deb, RPM, APK, Windows, Generic}

func TestCompareTable(t *testing.T) {
	f, err := os.Open("testdata/order.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows := 0
	for s := bufio.NewScanner(f); s.Scan(); {
		if s.Text() == "" || strings.HasPrefix(s.Text(), "#") {
			continue
		}
		row := strings.Fields(s.Text())
		if len(row) != 4 {
			t.Fatalf("row %q has %d words, want 4", s.Text(), len(row))
		}
		rows++
		want := strings.Index("<=>", row[2]) - 1
		if got := Compare(Type(row[0]), row[1], row[3]); got != want {
			t.Errorf("Compare(%s, %s, %s) = %d, want %d", row[0], row[1], row[3], got, want)
		}
		if got := Compare(Type(row[0]), row[3], row[1]); got != -want {
			t.Errorf("Compare(%s, %s, %s) = %d, want %d", row[0], row[3], row[1], got, -want)
		}
	}
	if rows < 100 {
		t.Errorf("testdata/order.txt has %d rows, want at least 100", rows)
	}
}

// realRows are pairs of versions that were really published, with the order
// that dpkg and librpm give them.
func realRows(t testing.TB) [][]string {
	f, err := os.Open("../../../shared/data/versions/version_order.csv")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("../shared/data is not there; testdata/order.txt holds rows of the same kinds")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}

func TestCompareReal(t *testing.T) {
	rows := realRows(t)
	wrong := 0
	for _, r := range rows {
		want, err := strconv.Atoi(r[4])
		if err != nil {
			t.Fatal(err)
		}
		if got := Compare(Type(r[0]), r[2], r[3]); got != want {
			wrong++
			t.Errorf("Compare(%s, %s, %s) = %d, want %d", r[0], r[2], r[3], got, want)
		}
	}
	t.Logf("%d of %d rows wrong", wrong, len(rows))
}

func TestCheckReal(t *testing.T) {
	for _, r := range realRows(t) {
		for _, v := range r[2:4] {
			if err := Check(Type(r[0]), v); err != nil && !strings.HasPrefix(v, "<") {
				t.Errorf("Check(%s, %s) = %v, want nil", r[0], v, err)
			}
		}
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		t    Type
		s    string
		want string // "" none
	}{
		{Deb, "1:3.0.11-1~deb12u1", ""},
		{Deb, "2.2.9-1+deb9u3+b1", ""},
		{Deb, "3.0.11 1", `"3.0.11 1" is not a dpkg version: it holds " "`},
		{Deb, "<not-affected>", `"<not-affected>" is not a dpkg version: it begins with "<"`},
		{Deb, "", `"" is not a dpkg version: it is empty`},
		{Deb, "1.0-", `"1.0-" is not a dpkg version: the revision is empty`},
		{Deb, "1_0", `"1_0" is not a dpkg version: it holds "_"`},
		{Deb, "99999999999:1", `"99999999999:1" is not a dpkg version: epoch 99999999999 is too large`},
		{RPM, "1:1.40.16-9.el8", ""},
		{RPM, "1.0^git1-1", ""},
		{RPM, "1.0-1-2", `"1.0-1-2" is not an rpm version: it holds "-"`},
		{RPM, "1.0-1$(id)", `"1.0-1$(id)" is not an rpm version: it holds "$"`},
		{RPM, "1.0-", `"1.0-" is not an rpm version: the release is empty`},
		{APK, "1.2.3_rc1-r4", ""},
		{APK, "1.2.3~1a2b-r4", ""},
		{APK, "1.2.3-4", `"1.2.3-4" is not an apk version: "-4" does not belong there; expected number{.number}{letter}{_suffix{number}}{~hash}{-r#}`},
		{Windows, "", ""},
		{Windows, "KB5034441", ""},
		{Windows, "10.0.19045.6456", ""},
		{Generic, "v4.2.2-rc.1+build5", ""},
		{Generic, "4.2.2;reboot", `"4.2.2;reboot" is not a generic version: it holds ";"`},
		{Generic, "é", `"é" is not a generic version: it begins with "\xc3"`},
		{Generic, strings.Repeat("1", 257), `"` + strings.Repeat("1", 257) + `" is not a generic version: it is 257 characters long; at most 256 are allowed`},
		{"snap", "1", `unknown package type "snap"; expected one of "apk", "deb", "generic", "rpm", "windows"`},
	} {
		got := ""
		if err := Check(c.t, c.s); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("Check(%s, %q) = %s, want %s", c.t, c.s, got, c.want)
		}
	}
}

func TestJump(t *testing.T) {
	for _, c := range []struct {
		t              Type
		from, to, want string
	}{
		{Deb, "3.0.11-1~deb12u1", "3.0.15-1~deb12u1", "patch"},
		{Deb, "3.0.15-1~deb12u1", "3.0.15-1~deb12u2", "revision"},
		{Deb, "1:3.0.15-1", "1:3.1.0-1", "minor"},
		{Deb, "2.4-1", "1:3.0-1", "major"},
		{Deb, "2.4-1", "1:2.4-1", "epoch"},
		{Deb, "2.4-1", "2.4-1", "unknown"},
		{Deb, "1.9-1", "2.0+really1.9.1-1", "patch"},
		{Deb, "1.9+dfsg-1", "1.9+dfsg2-1", "revision"},
		{Deb, "20230311", "20240203", "unknown"},
		{Deb, "2024a-0+deb12u1", "2024b-0+deb12u1", "minor"},
		{RPM, "1:1.40.16-9.el8", "1:1.40.16-18.el8_10", "revision"},
		{RPM, "4.18.0-513.el8", "5.14.0-70.el9", "major"},
		{APK, "3.1.4-r5", "3.1.4-r6", "revision"},
		{APK, "3.1.4-r5", "3.1.5-r0", "patch"},
		{Generic, "4.2.1", "4.2.2", "patch"},
		{Generic, "v4.2.1", "5.0.0", "major"},
		{Generic, "1.1.1w", "1.1.1x", "patch"},
		{Generic, "1.2", "1.2.0.1", "patch"},
		{Generic, "", "5.0.0", "unknown"},
		{Windows, "KB5034441", "KB5034442", "unknown"},
		{Windows, "10.0.19045.3803", "10.0.19045.6456", "patch"},
	} {
		if got := Jump(c.t, c.from, c.to); got != c.want {
			t.Errorf("Jump(%s, %s, %s) = %s, want %s", c.t, c.from, c.to, got, c.want)
		}
	}
}

// FuzzCompare holds every order to what sorting needs.
func FuzzCompare(f *testing.F) {
	f.Add("1.0-1", "1.0~rc1", "1:0.9")
	f.Add("1.0.0-rc.1", "1.0-rc1", "1.0rc1")
	f.Add("1.0_p1", "1.0_alpha1", "1.01")
	f.Add("1.00", "1.0", "1.010")
	f.Add("KB1", "v2", "\x80")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		for _, typ := range types {
			checkOrder(t, typ, a, b, c)
			Jump(typ, a, b)
			if err := Check(typ, a); err == nil && strings.ContainsAny(a, " \t\n\r\x00'\"`$;|&<>()\\") {
				t.Errorf("Check(%s, %q) = nil, want an error", typ, a)
			}
		}
	})
}

func checkOrder(t *testing.T, typ Type, a, b, c string) {
	t.Helper()
	ab, ba, bc, ac := Compare(typ, a, b), Compare(typ, b, a), Compare(typ, b, c), Compare(typ, a, c)
	if ab != -ba || Compare(typ, a, a) != 0 {
		t.Errorf("%s: Compare(%q, %q) = %d and the other way round %d", typ, a, b, ab, ba)
	}
	if ab <= 0 && bc <= 0 && (ac > 0 || ac == 0 && (ab < 0 || bc < 0)) {
		t.Errorf("%s: %q ≤ %q ≤ %q, yet the first against the last is %d", typ, a, b, c, ac)
	}
}

// TestCompareTotal sorts versions made of what matters to any of the orders and
// holds every pair to its places: an order that is not transitive cannot pass.
func TestCompareTotal(t *testing.T) {
	parts := []string{"", "0", "00", "1", "09", "10", "a", "rc", "~", "^", ".", "-", "-r1", "_p", "_rc", "_rc1", ":", "+", "é"}
	var all []string
	for _, a := range parts {
		for _, b := range parts {
			all = append(all, a+b, "1"+a+b, "1.0.0-"+a+b)
		}
	}
	for _, typ := range types {
		slices.SortFunc(all, func(a, b string) int { return Compare(typ, a, b) })
		rank := make([]int, len(all))
		for i := 1; i < len(all); i++ {
			rank[i] = rank[i-1] - Compare(typ, all[i-1], all[i])
		}
		for i, a := range all {
			for j, b := range all {
				if got, want := Compare(typ, a, b), cmp.Compare(rank[i], rank[j]); got != want {
					t.Fatalf("Compare(%s, %q, %q) = %d, want %d as sorted", typ, a, b, got, want)
				}
			}
		}
	}
}

func TestCompareAllocatesNothing(t *testing.T) {
	for _, typ := range types {
		n := testing.AllocsPerRun(100, func() {
			Compare(typ, "1:3.0.11-1~deb12u1", "1:3.0.11-1~deb12u2")
			Compare(typ, "v1.0.0-rc.1+b", "1.0.0-rc.2")
			Compare(typ, "KB5034441", "1.0_rc1-r3")
		})
		if n != 0 {
			t.Errorf("Compare(%s) allocates %v times", typ, n)
		}
	}
}

func BenchmarkCompareDeb(b *testing.B)     { benchmark(b, Deb, "1:3.0.11-1~deb12u1", "1:3.0.11-1~deb12u2") }
func BenchmarkCompareRPM(b *testing.B)     { benchmark(b, RPM, "1:1.40.16-9.el8", "1:1.40.16-18.el8_10") }
func BenchmarkCompareAPK(b *testing.B)     { benchmark(b, APK, "3.1.4_rc1-r5", "3.1.4_rc1-r6") }
func BenchmarkCompareGeneric(b *testing.B) { benchmark(b, Generic, "v4.2.1-rc.1", "4.2.1") }
func BenchmarkCompareWindows(b *testing.B) {
	benchmark(b, Windows, "10.0.19045.3803", "10.0.19045.6456")
}

// BenchmarkCompareDebReal is over the published versions of version_order.csv.
func BenchmarkCompareDebReal(b *testing.B) {
	var rows [][]string
	for _, r := range realRows(b) {
		if r[0] == string(Deb) {
			rows = append(rows, r)
		}
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r := rows[i%len(rows)]
		Compare(Deb, r[2], r[3])
	}
}

func benchmark(b *testing.B, t Type, x, y string) {
	b.ReportAllocs()
	for b.Loop() {
		Compare(t, x, y)
	}
}

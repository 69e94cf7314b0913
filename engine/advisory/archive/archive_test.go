package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type doc struct{ Name, Text string }

var docs = []doc{{"a.json", `{"a":1}`}, {"dir/b.json", `{"b":2}`}, {"../../etc/passwd", "hostile"}}

func tarOf(t testing.TB, docs ...doc) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: "dir/"}))
	must(w.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: "link", Linkname: "/etc/passwd"}))
	for _, d := range docs {
		must(w.WriteHeader(&tar.Header{Name: d.Name, Size: int64(len(d.Text)), Mode: 0o600}))
		_, err := io.WriteString(w, d.Text)
		must(err)
	}
	must(w.Close())
	return b.Bytes()
}

func zipOf(t testing.TB, docs ...doc) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, d := range docs {
		f, err := w.Create(d.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, d.Text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gz(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func walkAll(data []byte, l Limits) ([]doc, error) {
	var got []doc
	err := Walk(data, l, func(m Member) error {
		got = append(got, doc{m.Name, string(m.Data)})
		return nil
	})
	return got, err
}

func TestWalk(t *testing.T) {
	for _, test := range []struct {
		name string
		data []byte
		want []doc
	}{
		{"plain", []byte(`{"a":1}`), []doc{{"", `{"a":1}`}}},
		{"gz", gz(t, []byte(`{"a":1}`)), []doc{{"", `{"a":1}`}}},
		{"tar", tarOf(t, docs...), docs},
		{"tar.gz", gz(t, tarOf(t, docs...)), docs},
		{"zip", zipOf(t, docs...), docs},
		{"empty zip", zipOf(t), nil},
		{"empty", nil, []doc{{"", ""}}},
	} {
		got, err := walkAll(test.data, Limits{})
		if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
			t.Errorf("%s: Walk() = %v, members (-want +got):\n%s", test.name, err, diff)
		}
	}
}

// TestWalkCut cuts packed files at every length: none is read as whole.
func TestWalkCut(t *testing.T) {
	for name, data := range map[string][]byte{"gz": gz(t, []byte(`{"a":1}`)), "tar.gz": gz(t, tarOf(t, docs...)), "zip": zipOf(t, docs...)} {
		for n := 4; n < len(data); n++ {
			if _, err := walkAll(data[:n], Limits{}); err == nil {
				t.Fatalf("%s cut to %d of %d bytes was read without an error", name, n, len(data))
			}
		}
	}
	broken := gz(t, tarOf(t, docs...))
	broken[len(broken)-5] ^= 1 // the checksum, after the end of the tar archive
	if _, err := walkAll(broken, Limits{}); err == nil {
		t.Error("a tar.gz with a wrong checksum was read without an error")
	}
}

func TestWalkLimits(t *testing.T) {
	bomb := gz(t, make([]byte, 8<<20))
	for _, test := range []struct {
		name string
		data []byte
		l    Limits
		want string
	}{
		{"member", bomb, Limits{Member: 1 << 20}, "the document unpacks to more than 1048576 bytes: it may be a decompression bomb"},
		{"total", bomb, Limits{Total: 1 << 20}, "unpacks to more than 1048576 bytes: it may be a decompression bomb"},
		{"total of members", zipOf(t, docs...), Limits{Total: 10}, "unpacks to more than 10 bytes: it may be a decompression bomb"},
		{"members", zipOf(t, docs...), Limits{Members: 2}, "more than 2 members: it may be a decompression bomb"},
		{"folders count", gz(t, tarOf(t)), Limits{Members: 1}, "more than 1 members: it may be a decompression bomb"},
		{"after the end of tar", gz(t, append(tarOf(t, docs...), make([]byte, 8<<20)...)), Limits{Total: 1 << 20}, "unpacks to more than 1048576 bytes: it may be a decompression bomb"},
		{"member of zip", zipOf(t, doc{"big", strings.Repeat("x", 1000)}), Limits{Member: 999}, `member "big" unpacks to more than 999 bytes: it may be a decompression bomb`},
	} {
		_, err := walkAll(test.data, test.l)
		if err == nil || err.Error() != test.want || !errors.Is(err, ErrLimit) {
			t.Errorf("%s: Walk() = %v, want %s", test.name, err, test.want)
		}
	}
}

func TestWalkRefuses(t *testing.T) {
	_, err := walkAll([]byte("\xfd7zXZ\x00rest"), Limits{})
	if want := "packed with xz, which is not read; expected one of zip, tar, tar.gz, tar.bz2, gz, bz2 or plain"; err == nil || err.Error() != want {
		t.Errorf("Walk() of xz = %v, want %s", err, want)
	}
	stop := errors.New("stop")
	seen := 0
	err = Walk(zipOf(t, docs...), Limits{}, func(Member) error { seen++; return stop })
	if !errors.Is(err, stop) || seen != 1 {
		t.Errorf("Walk() = %v after %d members, want the visitor's error after one", err, seen)
	}
}

func FuzzWalk(f *testing.F) {
	f.Add([]byte(`{"a":1}`))
	f.Add(gz(f, tarOf(f, docs...)))
	f.Add(tarOf(f, docs...))
	f.Add(zipOf(f, docs...))
	f.Fuzz(func(t *testing.T, data []byte) {
		limits := Limits{Total: 1 << 16, Member: 1 << 15, Members: 20}
		total, members := 0, 0
		err := Walk(data, limits, func(m Member) error {
			total += len(m.Data)
			members++
			return nil
		})
		if total > 1<<16 || members > 20 {
			t.Errorf("Walk() let %d members of %d bytes pass: %v", members, total, err)
		}
	})
}

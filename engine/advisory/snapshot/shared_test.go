package snapshot

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/advisory/archive"
)

const shared = "../../../../shared/data"

// sharedFile reads a file of real data, or skips the test where there is none.
func sharedFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(shared, name))
	if os.IsNotExist(err) {
		t.Skipf("no real data here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func read(t testing.TB, name string) *Snapshot {
	t.Helper()
	s, err := Read(filepath.Base(name), sharedFile(t, name), archive.Limits{})
	if err != nil {
		t.Fatalf("Read(%s) = %v", name, err)
	}
	return s
}

// TestReal reads the real files and holds the counts that were seen.
func TestReal(t *testing.T) {
	for _, test := range []struct {
		name     string
		kind     Kind
		records  int
		fixes    int
		problems int
	}{
		{"osv/almalinux-advisories.tar.gz", OSV, 3722, 46509, 0},
		{"osv/distro-samples/debian-sample.zip", OSV, 3, 3, 0},
		{"osv/distro-samples/rocky-sample.zip", OSV, 2, 2, 0},
		{"osv/distro-samples/suse-sample.tar.bz2", OSV, 4, 171, 0},
		{"kev/known_exploited_vulnerabilities.json", KEV, 1319, 0, 0},
		{"kev/known_exploited_vulnerabilities.csv", KEV, 1319, 0, 0},
		{"epss/format-samples/epss_scores-2021-04-14.csv.gz", EPSS, 2, 0, 0},
		{"epss/format-samples/epss_scores-2021-09-01.csv.gz", EPSS, 2, 0, 0},
		{"epss/format-samples/epss_scores-2022-02-04.csv.gz", EPSS, 2, 0, 0},
		{"epss/epss_kev_nvd-2023-01-30.csv", EPSS, 871, 0, 0},
		{"epss/epss_kev_nvd-2025-06-30.csv", EPSS, 987, 0, 0},
		{"debian-tracker/DSA-list.gz", Debian, 4836, 6225, 0},
		{"debian-tracker/DLA-list.gz", Debian, 2635, 2637, 0},
		{"vulnrichment/cve-records.tar.gz", CVE, 2200, 0, 0},
	} {
		s := read(t, test.name)
		fixes := 0
		for _, a := range s.Advisories {
			fixes += len(a.Fixes)
		}
		if s.Records(test.kind) != test.records || fixes != test.fixes || len(s.Problems) != test.problems {
			t.Errorf("%s: %d records of %s with %d fixes, %d problems; want %d, %d, %d", test.name,
				s.Records(test.kind), test.kind, fixes, len(s.Problems), test.records, test.fixes, test.problems)
			show(t, s.Problems)
		}
		show(t, s.Broken)
		if len(s.Unknown) > 0 {
			t.Errorf("%s: unknown documents %q", test.name, s.Unknown)
		}
	}
}

func show(t *testing.T, problems []advisory.Problem) {
	t.Helper()
	for i, p := range problems {
		if i < 12 {
			t.Log(p)
		}
	}
}

func BenchmarkReal(b *testing.B) {
	for _, name := range []string{"osv/almalinux-advisories.tar.gz", "vulnrichment/cve-records.tar.gz", "debian-tracker/DSA-list.gz", "kev/known_exploited_vulnerabilities.json"} {
		b.Run(filepath.Base(name), func(b *testing.B) {
			data := sharedFile(b, name)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Read(name, data, archive.Limits{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

package rollback

import (
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

func TestJudge(t *testing.T) {
	stack := []*advisory.Advisory{{ID: "A", Components: []string{"servicing-stack"}}}
	vendor := []*advisory.Advisory{{ID: "A"}, {ID: "B", NoRollback: &advisory.NoRollback{Why: "it migrates", Instead: "restore the database"}}}
	tests := []struct {
		patch, from string
		advisories  []*advisory.Advisory
		why         string // a part of it, "" can be rolled back
	}{
		{"deb:openssl@3.0.15-1", "3.0.11-1", nil, ""},
		{"deb:linux@6.1.115-1", "6.1.112-1", nil, "beside the former one"},
		{"deb:linux-signed-amd64@6.1.115+1", "6.1.112+1", nil, "beside the former one"},
		{"deb:linux-base@4.9", "4.8", nil, ""},
		{"rpm:kernel-core@5.14.0-427", "5.14.0-362", nil, "beside the former one"},
		{"rpm:kernel-tools@5.14.0-427", "5.14.0-362", nil, ""},
		{"apk:linux-lts@6.6.41-r0", "6.6.40-r0", nil, "no former versions"},
		{"deb:intel-microcode@3.20240813.1", "3.20240531.1", nil, "until it is restarted"},
		{"generic:dl380-bios@2.90", "2.80", nil, "firmware"},
		{"windows:KB5034441@KB5034441", "", nil, ""},
		{"windows:KB5034441@KB5034441", "", stack, "servicing stack"},
		{"generic:postgresql@16.1", "15.5", nil, "major version"},
		{"generic:postgresql@15.6", "15.5", nil, ""},
		{"rpm:postgresql-server@1:15.6-1", "15.5-1", nil, ""},
		{"rpm:postgresql-server@16.1-1", "", nil, "major version"},      // from what nobody says
		{"rpm:postgresql-server@16.1-1", "git-1", nil, "major version"}, // or cannot be read
		{"generic:mysql@8.4.0", "8.0.36", nil, "series"},
		{"generic:mysql@8.0.37", "8.0.36", nil, ""},
		{"deb:mysql-8.0@8.0.37-0ubuntu1", "8.0.36-0ubuntu1", nil, ""},
		{"deb:mariadb@1:10.11.6-0+deb12u1", "1:10.11.4-0+deb12u1", nil, ""},
		{"deb:mariadb@1:10.11.6-0+deb12u1", "1:10.6.18-0ubuntu1", nil, "series"},
		{"deb:mariadb@1:10.11.6-0+deb12u1", "1:10.011.4-0+deb12u1", nil, ""}, // numbers compare, not texts
		{"deb:glibc@2.36-9+deb12u8", "2.36-9+deb12u7", nil, "Debian does not support"},
		{"rpm:glibc@2.34-100", "2.34-83", nil, "Red Hat does not support"},
		{"deb:systemd@252.31-1", "252.30-1", nil, "Debian does not support"},
		{"generic:heron-web@4.2.2", "4.2.1", vendor, "it migrates"},
	}
	for _, tt := range tests {
		got := Judge(plan.PatchID(tt.patch), tt.from, tt.advisories)
		if got.Possible() != (tt.why == "") || !strings.Contains(got.Why, tt.why) || !got.Possible() && got.Instead == "" {
			t.Errorf("Judge(%s over %q) = %+v, want %q", tt.patch, tt.from, got, tt.why)
		}
	}
}

// What a vendor says of its own update counts before the table.
func TestVendorFirst(t *testing.T) {
	said := []*advisory.Advisory{{NoRollback: &advisory.NoRollback{Why: "the image is signed", Instead: "boot the rescue image"}}}
	if got := Judge("deb:linux@6.1.115-1", "6.1.112-1", said); got.Why != "the image is signed" {
		t.Errorf("Judge() = %+v, want the vendor's", got)
	}
}

// Each rule is whole, can match, and is told of in docs/rollback.md.
func TestRules(t *testing.T) {
	page, err := os.ReadFile("../../docs/rollback.md")
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range Rules {
		if r.Why == "" || r.Instead == "" || r.Source == "" || len(r.Patches) == 0 {
			t.Errorf("rule %d lacks something: %+v", i, r)
		}
		var names []string
		for _, p := range r.Patches {
			if _, err := path.Match(p, ""); err != nil {
				t.Errorf("rule %d: pattern %q: %v", i, p, err)
			}
			names = append(names, "`"+strings.TrimSuffix(p, "@*")+"`")
		}
		for _, want := range slices.Concat(names, []string{r.Why, r.Instead, r.Source}) {
			if !strings.Contains(string(page), want) {
				t.Errorf("docs/rollback.md does not say %q of rule %d", want, i)
			}
		}
	}
}

package discover

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

func write(t *testing.T, root, name, text string) {
	t.Helper()
	name = filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestMounted(t *testing.T) {
	root, at := t.TempDir(), time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	if _, _, err := (Options{Root: root, At: at}).Facts(context.Background()); err == nil {
		t.Errorf("an empty folder passes for a machine")
	}
	write(t, root, "etc/hostname", "web-01\n")
	write(t, root, "etc/os-release", "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n")
	write(t, root, "var/lib/dpkg/status", "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2.15-2+b2\nSource: bash (5.2.15-2)\n")
	f, problems, err := Options{Root: root, At: at}.Facts(context.Background())
	want := inventory.Facts{
		Host: "web-01", At: at, Source: Source,
		OS:       &inventory.OS{ID: "debian", Version: "12", Arch: "amd64", Name: "Debian GNU/Linux 12 (bookworm)"},
		Packages: []inventory.Package{{Type: version.Deb, Name: "bash", Version: "5.2.15-2+b2", Arch: "amd64", Source: "bash", SourceVersion: "5.2.15-2"}},
	}
	if d := cmp.Diff(want, f); d != "" || err != nil || len(problems) > 0 {
		t.Errorf("Facts: %s %v %v", d, problems, err)
	}
	alpine := t.TempDir()
	write(t, alpine, "usr/lib/os-release", "ID=alpine\nVERSION_ID=3.19.1\n")
	write(t, alpine, "lib/apk/db/installed", "P:musl\nV:1.2.4-r2\nA:x86_64\no:musl\n")
	f, problems, err = Options{Root: alpine, Host: "edge-1", At: at}.Facts(context.Background())
	if err != nil || len(problems) > 0 || len(f.Packages) != 1 || f.OS.Arch != "x86_64" || f.UptimeS != nil {
		t.Errorf("Facts: %+v %v %v", f, problems, err)
	}
	bare := t.TempDir()
	write(t, bare, "etc/os-release", "ID=arch\n")
	if _, problems, err = (Options{Root: bare, Host: "x", At: at}).Facts(context.Background()); err != nil || len(problems) != 1 {
		t.Errorf("a system without a known database: %v %v, want one problem", problems, err)
	}
}

// TestThisMachine looks at whatever runs the test.
func TestThisMachine(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("discover knows Linux")
	}
	f, problems, err := Options{Host: "here", At: time.Unix(1e9, 0)}.Facts(context.Background())
	if err != nil {
		t.Skipf("not a system that discover knows: %v", err)
	}
	if f.OS.Kernel == "" || f.MemMB == nil || f.DiskMB == nil {
		t.Errorf("kernel, memory or disk are missing: %+v %v", f, problems)
	}
	t.Logf("%+v, %d packages, %v", *f.OS, len(f.Packages), problems)
}

package engine

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// tarred is a bundle of one file.
func tarred(t *testing.T, name, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	if err := w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(text))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestFetchBundle: a bundle comes from a server, is held to its digest and to
// the estate's policies, and is written only when it is both.
func TestFetchBundle(t *testing.T) {
	data := tarred(t, "org/org.rego", "package ringmaster.org\n\nhold contains {\"msg\": \"the organisation says no\"} if input.host.id\n")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(data) }))
	defer server.Close()
	dir := filepath.Join(t.TempDir(), "estate")
	local := filepath.Join(filepath.Dir(dir), "org.tar.gz")
	if err := os.WriteFile(local, data, 0o644); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, from, asked, digest, mine, want string }{
		{"not declared", "", "../org.tar.gz", "", "", "digest = \"" + policy.DigestOf(data)},
		{"an address that nobody names", server.URL, "", policy.DigestOf(data), "", "fetched from only where you name it too"},
		{"another address than is declared", server.URL, server.URL + "/x", policy.DigestOf(data), "", "declared to come from"},
		{"another digest", server.URL, server.URL, policy.DigestOf(nil), "", "is declared to have " + policy.DigestOf(nil)},
		{"a package that the estate has too", server.URL, server.URL, policy.DigestOf(data), "package ringmaster.org\n\nallowed := true\n", `ringmaster.org is of bundle "acme"`},
		{"no file", "gone", "", policy.DigestOf(data), "", "gone"},
		{"a folder", ".", "", policy.DigestOf(data), "", "not a regular file"},
		{"right", server.URL, server.URL, policy.DigestOf(data), "", ""},
		{"right, from a file", "../org.tar.gz", "", policy.DigestOf(data), "", ""},
	}
	for _, tt := range tests {
		if err := os.RemoveAll(filepath.Join(dir, "policies")); err != nil {
			t.Fatal(err)
		}
		if tt.mine != "" {
			writeFile(t, filepath.Join(dir, "policies", "org", "org.rego"), tt.mine)
		}
		if tt.from != "" {
			writeFile(t, filepath.Join(dir, "policies", "bundles.hcl"), declaration(tt.from, tt.digest))
		}
		_, err := FetchBundle(context.Background(), BundleOptions{Dir: dir, Name: "acme", From: tt.asked})
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: FetchBundle() = %v, want %q", tt.name, err, tt.want)
		}
		_, there := os.Stat(filepath.Join(dir, "policies", "bundle", "acme.tar.gz"))
		if (there == nil) != (tt.want == "") {
			t.Errorf("%s: the bundle is there: %v", tt.name, there == nil)
		}
	}
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func declaration(from, digest string) string {
	return fmt.Sprintf("bundle \"acme\" {\n  from   = %q\n  digest = %q\n}\n", from, digest)
}

// TestBundleReplays: what a bundle decided is decided again from the commit
// alone.
func TestBundleReplays(t *testing.T) {
	e := demoEnv(t)
	dir := e.Repo.Dir()
	file := filepath.Join(t.TempDir(), "acme.tar.gz")
	data := tarred(t, "org/org.rego", "package ringmaster.org\n\nhold contains {\"msg\": \"the organisation says no\"} if input.host.labels.role == \"office\"\n")
	writeFile(t, file, string(data))
	writeFile(t, filepath.Join(dir, "policies", "bundles.hcl"), declaration(file, policy.DigestOf(data)))
	if _, err := FetchBundle(context.Background(), BundleOptions{Dir: dir, Name: "acme"}); err != nil {
		t.Fatal(err)
	}
	files, err := filesOf(dir)
	if err != nil {
		t.Fatal(err)
	}
	head, err := e.head()
	if err != nil {
		t.Fatal(err)
	}
	brought, err := e.Repo.Write(repo.Next{Base: head, Changes: map[string][]byte{
		"policies/bundle/acme.tar.gz": files["policies/bundle/acme.tar.gz"], "policies/bundles.hcl": files["policies/bundles.hcl"],
	}, Message: "the organisation's policies", Author: bot, At: e.At})
	if err != nil {
		t.Fatal(err)
	}
	est, err := e.read(brought)
	if err != nil {
		t.Fatal(err)
	}
	plans, err := e.decide(est, brought, e.At, e.Version)
	if err != nil {
		t.Fatal(err)
	}
	held := 0
	for _, p := range plans {
		for _, s := range p.NotPlanned {
			if s.Why == "org.hold: the organisation says no" {
				held++
			}
		}
		data, err := plan.Seal(p)
		if err != nil {
			t.Fatal(err)
		}
		again, err := e.remake(brought, p)
		if err != nil || !bytes.Equal(again, data) {
			t.Errorf("plan %s made again: %v, the same: %v", p.ID, err, bytes.Equal(again, data))
		}
	}
	if held == 0 {
		t.Error("the bundle's rule held nothing")
	}
}

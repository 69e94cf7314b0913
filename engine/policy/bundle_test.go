package policy

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/bundle"
)

// packed is a tar.gz of files.
func packed(t *testing.T, texts map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for name := range texts {
			if !yield(name) {
				return
			}
		}
	}) {
		if err := w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(texts[name]))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(texts[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// organisation is a bundle with a rule, a threshold and library code.
var organisation = map[string]string{
	"/.manifest":        `{"roots": ["ringmaster", "org"]}`,
	"/org/org.rego":     "package ringmaster.org\n\nhold contains {\"msg\": \"too small\"} if {\n\tinput.host.disk_free_gb < data.org.least\n\tnot allowed\n}\n\nallowed if input.host.labels.role == \"lab\"\n",
	"/org/data.json":    `{"least": 20}`,
	"/org/README.md":    "for people",
	"/x/helper.rego":    "package ringmaster.orghelp\n\nimport data.ringmaster.org\n\nheld if count(org.hold) > 0\n",
	"/org/_ignored.txt": "x",
}

// with are files of an estate above the organisation's bundle.
func with(t *testing.T, texts map[string]string) map[string][]byte {
	t.Helper()
	files := bytesOf(texts)
	data := packed(t, organisation)
	files["policies/bundle/acme.tar.gz"], files["policies/bundles.hcl"] = data, pinned("acme", data)
	return files
}

// pinned is a file that declares a bundle.
func pinned(name string, data []byte) []byte {
	return fmt.Appendf(nil, "bundle %q {\n  from   = \"https://example.org/%s.tar.gz\"\n  digest = %q\n}\n", name, name, DigestOf(data))
}

// TestBundle: an organisation's rules decide beside the estate's.
func TestBundle(t *testing.T) {
	s, faults := Compile(with(t, map[string]string{"policies/x/x.rego": "package ringmaster.x\n\nwarn contains {\"msg\": \"and ours\"} if data.ringmaster.orghelp.held"}))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	got := s.Decide(change(), Exceptions{inventoryException("all")})
	if rules(got) != "org.hold x.warn" || got[0].Message != "too small" {
		t.Errorf("Decide() = %v, want the organisation's hold, which yields to no exception, and the estate's warning", got)
	}
	if r := s.Reads()[0]; r.File != "policies/bundle/acme.tar.gz/org/org.rego" || r.Line != 3 {
		t.Errorf("the rule is at %s:%d", r.File, r.Line)
	}
}

// TestBundleTightens: the estate only adds to a bundle.
func TestBundleTightens(t *testing.T) {
	tests := []struct{ name, file, text, want string }{
		{"a rule in its package", "policies/x/x.rego", "package ringmaster.org\n\nallowed if true", `policies/x/x.rego:3:1: ringmaster.org is of bundle "acme", which the estate adds to and does not alter`},
		{"a rule below its package", "policies/x/x.rego", "package ringmaster.org.more\n\nwarn contains {\"msg\": \"m\"} if input.host", `ringmaster.org is of bundle "acme"`},
		{"a rule into its package from above", "policies/x/x.rego", "package ringmaster\n\norg.allowed if true", `ringmaster.org is of bundle "acme"`},
		{"beside the bundle", "policies/bundle/x.rego", "package ringmaster.org\n\nallowed if true", `ringmaster.org is of bundle "acme"`},
		{"its data", "policies/org/data.json", `{"least": 0}`, `policies/org/data.json:1:1: data.org is of bundle "acme"`},
		{"more of its data", "policies/org/data.json", `{"more": 0}`, `data.org is of bundle "acme"`},
		{"its data as a rule", "policies/x/x.rego", "package org\n\nleast := 0", `data.org is of bundle "acme"`},
		{"another bundle's package", "policies/bundle/other.tar.gz", "", `ringmaster.org is also of bundle "acme"`},
		{"an altered bundle", "policies/bundle/acme.tar.gz", "x", `policies/bundles.hcl:3:12: bundle "acme": policies/bundle/acme.tar.gz has digest sha256:`},
		{"no declaration", "policies/bundles.hcl", "", `policies/bundle/acme.tar.gz:1:1: no bundle "acme" is declared; expected bundle "acme" {`},
		{"a key that did not sign", "policies/bundle/acme.pem", "x", "the key in acme.pem has not signed it"},
		{"a key alone", "policies/bundle/gone.pem", "x", `no bundle "gone" is declared`},
		{"a declaration alone", "policies/bundle/acme.tar.gz", "", `policies/bundles.hcl:1:8: bundle "acme" does not lie in policies/bundle/acme.tar.gz; ` + "`ringmaster policy bundle acme` brings it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := with(t, nil)
			files[tt.file] = []byte(tt.text)
			switch {
			case strings.HasSuffix(tt.file, "other.tar.gz"):
				files[tt.file] = files["policies/bundle/acme.tar.gz"]
				files["policies/other.hcl"] = pinned("other", files[tt.file])
			case tt.text == "":
				delete(files, tt.file)
			}
			if told := told(files); !strings.Contains(told, tt.want) {
				t.Errorf("Compile() = %s, want %s", told, tt.want)
			}
		})
	}
}

// told are the faults of policies.
func told(files map[string][]byte) string {
	_, faults := Compile(files)
	if len(faults) == 0 {
		return ""
	}
	return (&FaultsError{faults}).Error()
}

// TestBundleDeclared: each mistake of a declaration is one fault at its place.
func TestBundleDeclared(t *testing.T) {
	digest := DigestOf(nil)
	tests := []struct{ name, text, want string }{
		{"two on a line", `bundle "acme" { from = "x", digst = "y" }`, `policies/bundles.hcl:1:27: a block on one line holds one attribute; put each attribute on a line of its own`},
		{"an unknown word", "bundle \"acme\" {\n  from = \"x\"\n  digst = \"" + digest + "\"\n}", `policies/bundles.hcl:3:3: unknown attribute "digst" in bundle "acme"; did you mean "digest"? expected one of "digest", "from"`},
		{"no digest", "bundle \"acme\" {\n  from = \"x\"\n}", `policies/bundles.hcl:1:1: bundle "acme": attribute "digest" is missing`},
		{"half a digest", "bundle \"acme\" {\n  from = \"x\"\n  digest = \"sha256:12\"\n}", `policies/bundles.hcl:3:12: bundle "acme": attribute "digest" is "sha256:12"; expected "sha256:" and 64 hex digits`},
		{"another protocol", "bundle \"acme\" {\n  from = \"oci://x\"\n  digest = \"" + digest + "\"\n}", `policies/bundles.hcl:2:10: bundle "acme": attribute "from" is "oci://x"; expected a file or an http(s) address`},
		{"a path for a name", "bundle \"../acme\" {\n  from = \"x\"\n  digest = \"" + digest + "\"\n}", `policies/bundles.hcl:1:8: bundle name "../acme": expected small letters, digits and "-"`},
		{"twice", string(pinned("acme", nil)) + string(pinned("acme", nil)), `policies/bundles.hcl:5:8: bundle "acme" is declared twice; it was first declared at policies/bundles.hcl:1:8`},
		{"another block", "service \"shop\" {\n}", `policies/bundles.hcl:1:1: unknown block "service" at the top of a file; expected "bundle"`},
	}
	for _, tt := range tests {
		_, faults := Bundles(map[string][]byte{"policies/bundles.hcl": []byte(tt.text)})
		if len(faults) != 1 || (&FaultsError{faults}).Error() != tt.want {
			t.Errorf("%s: Bundles() = %v, want %s alone", tt.name, faults, tt.want)
		}
	}
	if got := told(map[string][]byte{"policies/x/bundles.hcl": pinned("acme", nil)}); !strings.HasPrefix(got, "policies/x/bundles.hcl:1:1: HCL files are read from policies/ itself") {
		t.Errorf("Compile() of a declaration in a folder = %s", got)
	}
}

// TestBundleUnfed: a bundle's rules rest on nothing that the estate could say.
func TestBundleUnfed(t *testing.T) {
	tests := []struct{ name, rule, want string }{
		{"the estate's data", `input.host.disk_free_gb < data.limits.least`, "acme.tar.gz/org.rego:3:60: the bundle reads data.limits.least, which is in no bundle"},
		{"the estate's rules", `not data.ringmaster.people.allowed`, "the bundle reads data.ringmaster.people.allowed"},
		{"the estate's data by a word that is worked out", `data.limits[input.host.id]`, "the bundle reads data.limits,"},
		{"its own", `data.ringmaster.org.own; input.host`, ""},
	}
	for _, tt := range tests {
		data := packed(t, map[string]string{"org.rego": "package ringmaster.org\n\nhold contains {\"msg\": \"no\"} if { " + tt.rule + " }\n\nown := true\n"})
		got := told(map[string][]byte{
			"policies/bundle/acme.tar.gz": data, "policies/acme.hcl": pinned("acme", data),
			"policies/limits/data.json": []byte(`{"least": 0}`), "policies/people/people.rego": []byte("package ringmaster.people\n\nallowed := true\n"),
		})
		if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: Compile() = %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestBundleSigned: with a key beside it a bundle must be signed by it.
func TestBundleSigned(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	b, err := bundle.NewReader(bytes.NewReader(packed(t, organisation))).Read()
	if err != nil {
		t.Fatal(err)
	}
	secret := string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
	if err := b.GenerateSignature(bundle.NewSigningConfig(secret, "ES256", ""), "key", false); err != nil {
		t.Fatal(err)
	}
	var signed bytes.Buffer
	if err := bundle.NewWriter(&signed).Write(b); err != nil {
		t.Fatal(err)
	}
	files := with(t, nil)
	files["policies/bundle/acme.pem"] = pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	if _, faults := Compile(files); len(faults) == 0 || !strings.Contains(faults[0].Message, "has not signed it") {
		t.Errorf("Compile() of an unsigned bundle = %v", faults)
	}
	files["policies/bundle/acme.tar.gz"], files["policies/bundles.hcl"] = signed.Bytes(), pinned("acme", signed.Bytes())
	s, faults := Compile(files)
	if len(faults) > 0 {
		t.Fatalf("Compile() of a signed bundle = %v", faults)
	}
	if got := s.Decide(change(), nil); rules(got) != "org.hold" {
		t.Errorf("Decide() = %v", got)
	}
}

// TestBundleUnlinted: authors are told of what they write. A bundle's tests run, and
// where it has none nothing is missing.
func TestBundleUnlinted(t *testing.T) {
	files := with(t, map[string]string{"policies/x/x.rego": "package ringmaster.x\n\nwarn contains {\"msg\": \"and ours\"} if input.host.id == \"web-01\"\n"})
	looked, faults := Lint(files)
	if len(faults) > 0 || len(looked.Findings) == 0 {
		t.Fatalf("Lint() = %v, %v", looked.Findings, faults)
	}
	for _, f := range looked.Findings {
		if f.File != "policies/x/x.rego" {
			t.Errorf("Lint() finds %v", f)
		}
	}
	report, err := RunTests(files)
	if err != nil || len(report.Files) != 1 || report.Files[0].File != "policies/x/x.rego" {
		t.Errorf("RunTests() covers %v, %v", report.Files, err)
	}
}

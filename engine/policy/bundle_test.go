package policy

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
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
	pin, err := json.Marshal(Pin{"https://example.org/acme.tar.gz", DigestOf(data)})
	if err != nil {
		t.Fatal(err)
	}
	files["policies/bundle/acme.tar.gz"], files["policies/bundle/acme.pin.json"] = data, pin
	return files
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
		{"an altered bundle", "policies/bundle/acme.tar.gz", "x", `policies/bundle/acme.tar.gz:1:1: its digest is sha256:`},
		{"no pin", "policies/bundle/acme.pin.json", "", "no digest pins it"},
		{"a key that did not sign", "policies/bundle/acme.pem", "x", "the key in acme.pem has not signed it"},
		{"a pin alone", "policies/bundle/gone.pin.json", "{}", "there is no gone.tar.gz beside it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := with(t, nil)
			files[tt.file] = []byte(tt.text)
			switch {
			case strings.HasSuffix(tt.file, "other.tar.gz"):
				files[tt.file] = files["policies/bundle/acme.tar.gz"]
				files["policies/bundle/other.pin.json"] = files["policies/bundle/acme.pin.json"]
			case tt.text == "":
				delete(files, tt.file)
			}
			_, faults := Compile(files)
			var told []string
			for _, f := range faults {
				told = append(told, (&FaultsError{[]Fault{f}}).Error())
			}
			if !strings.Contains(strings.Join(told, "\n"), tt.want) {
				t.Errorf("Compile() = %v, want %s", told, tt.want)
			}
		})
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
	pin, err := json.Marshal(Pin{"acme.tar.gz", DigestOf(signed.Bytes())})
	if err != nil {
		t.Fatal(err)
	}
	files["policies/bundle/acme.pem"] = pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	if _, faults := Compile(files); len(faults) == 0 || !strings.Contains(faults[0].Message, "has not signed it") {
		t.Errorf("Compile() of an unsigned bundle = %v", faults)
	}
	files["policies/bundle/acme.tar.gz"], files["policies/bundle/acme.pin.json"] = signed.Bytes(), pin
	s, faults := Compile(files)
	if len(faults) > 0 {
		t.Fatalf("Compile() of a signed bundle = %v", faults)
	}
	if got := s.Decide(change(), nil); rules(got) != "org.hold" {
		t.Errorf("Decide() = %v", got)
	}
}

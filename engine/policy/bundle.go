package policy

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
	"github.com/open-policy-agent/opa/v1/util"
)

// An organisation's policies lie under the estate's own as an OPA bundle,
// policies/bundle/<name>.tar.gz, in Git: a decision replays from its commit, and
// nobody is asked for them then. A bundle block in policies/*.hcl says where it came
// from and what its digest is, and another file by that name is a fault. Beside it,
// <name>.pem, where it is there, is the public key that must have signed it.
//
// The estate may only add to it. Its rules and data may not stand in a package or
// under a word of data that the bundle has, and the bundle reads no other, so the
// estate can neither redefine nor feed the organisation's rules; what they say
// yields to exceptions only where they themselves allow it.

// BundleFolder is where bundles lie.
const BundleFolder = "policies/bundle/"

// IsPolicy says whether a file under policies/ is one that Compile reads.
func IsPolicy(name string) bool {
	return path.Ext(name) == ".rego" || path.Ext(name) == ".hcl" || path.Base(name) == "data.json" || path.Dir(name)+"/" == BundleFolder && bundlePart(name) != ""
}

// bundlePart is the ending of a file that belongs to a bundle, "" of any other.
func bundlePart(name string) string {
	for _, ending := range []string{".tar.gz", ".pem"} {
		if strings.HasSuffix(name, ending) && path.Base(name) != ending {
			return ending
		}
	}
	return ""
}

// DigestOf is a bundle's digest as its block has it.
func DigestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// The bounds of a bundle.
const (
	mostBundle  = 64 << 20 // bytes unpacked
	mostInside  = 5000     // files
	bundleWords = "an organisation's bundle holds .rego and data.json files"
)

// bundled is what bundles hold, so that the estate leaves it alone.
type bundled struct {
	packages map[string]string // "data.ringmaster.freeze" → the bundle's name
	words    map[string]string // first words of its data → the bundle's name
	files    map[string]bool   // its modules
}

// bundles reads all bundles among files, before anything of the estate's.
func (src *source) bundles(files map[string][]byte) {
	src.bundled = bundled{map[string]string{}, map[string]string{}, map[string]bool{}}
	declared, said := src.declared(files)
	for _, b := range declared {
		if data, ok := files[b.File()]; ok && src.pinned(b, data) && src.signed(b, files) {
			src.unpack(b, data)
		} else if !ok {
			src.fault(b.place.File, b.place.Line, b.place.Column, "bundle %q does not lie in %s; `ringmaster policy bundle %s` brings it", b.Name, b.File(), b.Name)
		}
	}
	for _, file := range slices.Sorted(maps.Keys(files)) {
		ending := bundlePart(file)
		if path.Dir(file)+"/" != BundleFolder || ending == "" {
			continue
		}
		if name := strings.TrimSuffix(path.Base(file), ending); !said[name] {
			src.fault(file, 1, 1, "no bundle %q is declared; expected bundle %q { from = \"…\"  digest = \"sha256:…\" } in policies/*.hcl", name, name)
		}
	}
}

// pinned says that a bundle has the digest that it should have.
func (src *source) pinned(b Bundle, data []byte) bool {
	got := DigestOf(data)
	if got != b.Digest {
		src.fault(b.pin.File, b.pin.Line, b.pin.Column, "bundle %q: %s has digest %s; expected what is declared here", b.Name, b.File(), got)
	}
	return got == b.Digest
}

// signed says that the key beside a bundle, where there is one, has signed it.
func (src *source) signed(b Bundle, files map[string][]byte) bool {
	key, ok := files[BundleFolder+b.Name+".pem"]
	if !ok {
		return true
	}
	algorithm, err := algorithmOf(key)
	if err == nil {
		keys := map[string]*bundle.KeyConfig{"key": {Key: string(key), Algorithm: algorithm}}
		_, err = bundle.NewCustomReader(bundle.NewTarballLoader(bytes.NewReader(files[b.File()]))).
			WithBundleVerificationConfig(bundle.NewVerificationConfig(keys, "key", "", nil)).
			WithSizeLimitBytes(mostBundle).WithRegoVersion(ast.RegoV1).Read()
	}
	if err != nil {
		src.fault(b.File(), 1, 1, "the key in %s.pem has not signed it: %v", b.Name, err)
	}
	return err == nil
}

func algorithmOf(key []byte) (string, error) {
	block, _ := pem.Decode(key)
	if block == nil {
		return "", errors.New("the key is not PEM")
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return "", err
	}
	switch public.(type) {
	case *rsa.PublicKey:
		return "RS256", nil
	case *ecdsa.PublicKey:
		return "ES256", nil
	}
	return "", fmt.Errorf("a key of type %T; expected RSA or ECDSA", public)
}

// unpack reads a bundle's files as if they lay in a folder of its name.
func (src *source) unpack(b Bundle, data []byte) {
	file, name := b.File(), b.Name
	inside, err := untar(data)
	if err != nil {
		src.fault(file, 1, 1, "it cannot be unpacked: %v", err)
		return
	}
	paths := make([]string, 0, len(inside))
	for p := range inside {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	for _, p := range paths {
		at := file + "/" + p
		if path.Ext(p) == ".rego" {
			src.module(at, inside[p])
			src.bundled.files[at] = true
			if m := src.modules[at]; m != nil && !src.tests[at] {
				src.claimPackage(m, name)
			}
			continue
		}
		src.claimData(at, p, name, inside[p])
	}
}

// claimPackage notes a package of a bundle. Two bundles have none in common.
func (src *source) claimPackage(m *ast.Module, name string) {
	p := m.Package.Path.String()
	if other, taken := src.bundled.packages[p]; taken && other != name {
		src.fault(m.Package.Location.File, m.Package.Location.Row, 1, "%s is also of bundle %q", m.Package.Path, other)
	}
	src.bundled.packages[p] = name
}

// claimData merges a data.json of a bundle.
func (src *source) claimData(at, p, name string, text []byte) {
	if src.oversize(at, text, mostData) {
		return
	}
	var doc map[string]any
	if err := util.UnmarshalJSON(text, &doc); err != nil {
		src.fault(at, 1, 1, "data.json must hold an object: %v", err)
		return
	}
	dirs := strings.Split(path.Dir(p), "/")
	for i := len(dirs) - 1; i >= 0 && dirs[i] != "."; i-- {
		doc = map[string]any{dirs[i]: doc}
	}
	for word := range doc {
		src.bundled.words[word] = name
	}
	if where := merge(src.data, doc); where != "" {
		src.fault(at, 1, 1, "data.%s is said twice", where)
	}
}

// untar reads the .rego and data.json files of a bundle.
func untar(data []byte) (map[string][]byte, error) {
	zipped, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	left := int64(mostBundle)
	for r, n := tar.NewReader(zipped), 0; ; n++ {
		h, err := r.Next()
		switch {
		case err == io.EOF:
			if len(files) == 0 {
				return nil, errors.New("nothing is in it; " + bundleWords)
			}
			return files, nil
		case err != nil:
			return nil, err
		case n > mostInside:
			return nil, fmt.Errorf("it has more than %d files", mostInside)
		case h.Size > left:
			return nil, fmt.Errorf("it has more than %d bytes", mostBundle)
		}
		left -= h.Size
		name := path.Clean(strings.TrimLeft(h.Name, "./"))
		if h.Typeflag != tar.TypeReg || path.Ext(name) != ".rego" && path.Base(name) != "data.json" {
			continue
		}
		if strings.HasPrefix(name, "..") {
			return nil, fmt.Errorf("%q leaves it", h.Name)
		}
		if _, twice := files[name]; twice {
			return nil, fmt.Errorf("%q is in it twice", name)
		}
		if files[name], err = io.ReadAll(r); err != nil {
			return nil, err
		}
	}
}

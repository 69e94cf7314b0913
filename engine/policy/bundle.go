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
	"encoding/json"
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
// nobody is asked for them then. Beside it,
//
//   - <name>.pin.json says where it came from and what its digest is, and another
//     file by that name is a fault;
//   - <name>.pem, where it is there, is the public key that must have signed it.
//
// The estate may only add to it. Its rules and data may not stand in a package or
// under a word of data that the bundle has, so it can neither redefine nor feed
// the organisation's rules, and what they say yields to exceptions only where
// they themselves allow it.

// BundleFolder is where bundles lie.
const BundleFolder = "policies/bundle/"

// IsPolicy says whether a file under policies/ is one that Compile reads.
func IsPolicy(name string) bool {
	return path.Ext(name) == ".rego" || path.Base(name) == "data.json" || path.Dir(name)+"/" == BundleFolder && bundlePart(name) != ""
}

// bundlePart is the ending of a file that belongs to a bundle, "" of any other.
func bundlePart(name string) string {
	for _, ending := range []string{".tar.gz", ".pin.json", ".pem"} {
		if strings.HasSuffix(name, ending) && path.Base(name) != ending {
			return ending
		}
	}
	return ""
}

// Pin is policies/bundle/<name>.pin.json.
type Pin struct {
	From   string `json:"from"`   // the file or address that it was fetched from
	Digest string `json:"digest"` // "sha256:" and the hex digest of its bytes
}

// DigestOf is a bundle's digest as a Pin has it.
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
	var names []string
	for name := range files {
		if path.Dir(name)+"/" == BundleFolder && bundlePart(name) != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, file := range names {
		name := strings.TrimSuffix(file, bundlePart(file))
		if _, there := files[name+".tar.gz"]; !there {
			src.fault(file, 1, 1, "there is no %s.tar.gz beside it; `ringmaster policy bundle` brings one", path.Base(name))
			continue
		}
		if bundlePart(file) == ".tar.gz" && src.pinned(name, files) && src.signed(name, files) {
			src.unpack(file, path.Base(name), files[file])
		}
	}
}

// pinned says that a bundle has the digest that it should have.
func (src *source) pinned(name string, files map[string][]byte) bool {
	text, ok := files[name+".pin.json"]
	if !ok {
		src.fault(name+".tar.gz", 1, 1, "no digest pins it; expected %s.pin.json with \"from\" and \"digest\" beside it", path.Base(name))
		return false
	}
	var pin Pin
	if err := json.Unmarshal(text, &pin); err != nil {
		src.fault(name+".pin.json", 1, 1, "it is not JSON: %v", err)
		return false
	}
	if got := DigestOf(files[name+".tar.gz"]); got != pin.Digest {
		src.fault(name+".tar.gz", 1, 1, "its digest is %s, and %s.pin.json says %q", got, path.Base(name), pin.Digest)
		return false
	}
	return true
}

// signed says that the key beside a bundle, where there is one, has signed it.
func (src *source) signed(name string, files map[string][]byte) bool {
	key, ok := files[name+".pem"]
	if !ok {
		return true
	}
	algorithm, err := algorithmOf(key)
	if err == nil {
		keys := map[string]*bundle.KeyConfig{"key": {Key: string(key), Algorithm: algorithm}}
		_, err = bundle.NewCustomReader(bundle.NewTarballLoader(bytes.NewReader(files[name+".tar.gz"]))).
			WithBundleVerificationConfig(bundle.NewVerificationConfig(keys, "key", "", nil)).
			WithSizeLimitBytes(mostBundle).WithRegoVersion(ast.RegoV1).Read()
	}
	if err != nil {
		src.fault(name+".tar.gz", 1, 1, "the key in %s.pem has not signed it: %v", path.Base(name), err)
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
func (src *source) unpack(file, name string, data []byte) {
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

// tightens finds what of the estate's own would alter a bundle.
func (src *source) tightens() {
	if len(src.bundled.packages) == 0 && len(src.bundled.words) == 0 {
		return
	}
	for file, m := range src.modules {
		if src.bundled.files[file] || src.tests[file] {
			continue
		}
		for _, r := range m.Rules {
			src.tighten(file, m, r)
		}
		if len(m.Rules) == 0 {
			src.tighten(file, m, nil)
		}
	}
}

// tighten finds a rule that stands where a bundle does: in a package of it, or on
// the way to one.
func (src *source) tighten(file string, m *ast.Module, r *ast.Rule) {
	at, row := m.Package.Path, m.Package.Location.Row
	if r != nil {
		at, row = r.Ref().GroundPrefix(), r.Location.Row
	}
	for _, p := range slices.Sorted(maps.Keys(src.bundled.packages)) {
		if whole := ast.MustParseRef(p); at.HasPrefix(whole) || r != nil && whole.HasPrefix(at) {
			src.fault(file, row, 1, "%s is of bundle %q, which the estate adds to and does not alter; expected a package of its own", strings.TrimPrefix(p, "data."), src.bundled.packages[p])
			return
		}
	}
	if len(at) > 1 {
		if word, ok := at[1].Value.(ast.String); ok && src.bundled.words[string(word)] != "" {
			src.fault(file, row, 1, "data.%s is of bundle %q, which the estate adds to and does not alter", string(word), src.bundled.words[string(word)])
		}
	}
}

// owned says that a data.json of the estate says something of a bundle's.
func (src *source) owned(file string, doc map[string]any) bool {
	for _, word := range slices.Sorted(maps.Keys(doc)) {
		if name := src.bundled.words[word]; name != "" {
			src.fault(file, 1, 1, "data.%s is of bundle %q, which the estate adds to and does not alter", word, name)
			return true
		}
	}
	return false
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

package policy

import (
	"cmp"
	"maps"
	"net/url"
	"path"
	"regexp"
	"slices"

	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
)

// Bundle is an organisation's policies, as policies/*.hcl declares them:
//
//	bundle "org" {
//	  from   = "https://policies.example.org/org-4.tar.gz"
//	  digest = "sha256:…"
//	}
type Bundle struct {
	Name   string `json:"name"`   // small letters, digits and "-"
	From   string `json:"from"`   // a file, seen from the estate's folder, or an http(s) address
	Digest string `json:"digest"` // "sha256:" and the hex digest of its bytes

	place, pin hclfile.Place // of the block, of its digest
}

// File is where a bundle lies in the estate.
func (b Bundle) File() string { return BundleFolder + b.Name + ".tar.gz" }

// Remote says whether a bundle comes from an address.
func (b Bundle) Remote() bool { return address(b.From) != nil }

// address is what text names on the network, nil where it is a file.
func address(text string) *url.URL {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil
	}
	return u
}

var (
	bundleName   = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)
	bundleDigest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	otherScheme  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)
)

// Bundles are the bundles that policy files declare, sorted by name.
func Bundles(files map[string][]byte) ([]Bundle, []Fault) {
	src := &source{}
	list, _ := src.declared(files)
	return list, src.sorted()
}

// declared reads every bundle block. said has the names that are declared, those of
// blocks with faults too, so that one mistake is one fault.
func (src *source) declared(files map[string][]byte) (list []Bundle, said map[string]bool) {
	var faults []hclfile.Fault
	first := map[string]hclfile.Place{}
	said = map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if path.Ext(name) != ".hcl" {
			continue
		}
		if path.Dir(name) != "policies" {
			src.fault(name, 1, 1, "HCL files are read from policies/ itself, not from folders below it")
			continue
		}
		f, wrong := hclfile.Parse(name, files[name])
		faults = append(faults, wrong...)
		for _, m := range f.Mentions {
			said[m.Name] = true
		}
		d := hclfile.Decode(f.Root, 0, &faults)
		for _, block := range d.Blocks("bundle") {
			said[block.Name()] = true
			b, ok := readBundle(block, &faults)
			if at, twice := first[block.Name()]; twice {
				faults = append(faults, hclfile.Fault{Place: block.NamePlace(), Message: "bundle \"" + b.Name + "\" is declared twice; it was first declared at " + at.String()})
				continue
			}
			first[block.Name()] = block.NamePlace()
			if ok {
				list = append(list, b)
			}
		}
		d.Done()
	}
	for _, f := range faults {
		src.fault(f.File, f.Line, f.Column, "%s", f.Message)
	}
	slices.SortFunc(list, func(a, b Bundle) int { return cmp.Compare(a.Name, b.Name) })
	return list, said
}

// readBundle reads one block; ok says that all of it could be used.
func readBundle(block *hclfile.Block, faults *[]hclfile.Fault) (b Bundle, ok bool) {
	before := len(*faults)
	d := hclfile.Decode(block, 1, faults)
	d.Need("from", "digest")
	b = Bundle{Name: block.Name(), From: d.String("from"), Digest: d.String("digest"), place: block.NamePlace(), pin: d.Place("digest")}
	if len(block.Labels) > 0 && !bundleName.MatchString(b.Name) {
		d.At(b.place, "bundle name %q: expected small letters, digits and \"-\"", b.Name)
	}
	if d.Has("from") && (b.From == "" || address(b.From) == nil && otherScheme.MatchString(b.From)) {
		d.Fault("from", "attribute \"from\" is %q; expected a file or an http(s) address", b.From)
	}
	if d.Has("digest") && !bundleDigest.MatchString(b.Digest) {
		d.Fault("digest", "attribute \"digest\" is %q; expected \"sha256:\" and 64 hex digits", b.Digest)
	}
	d.Done()
	return b, len(*faults) == before && !block.Broken
}

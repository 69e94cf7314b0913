package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"

	"github.com/ringmaster-dev/ringmaster/engine/policy"
)

// BundleOptions say which bundle is brought where.
type BundleOptions struct {
	Dir    string       // the estate's folder
	Name   string       // of the bundle, as a bundle block of policies/*.hcl has it
	From   string       // where a person says it comes from: needed where that is an address
	Client *http.Client // nil: http.DefaultClient
}

// bundleSize is the most that is fetched.
const bundleSize = 16 << 20

// FetchBundle brings an organisation's policies: it fetches a bundle that the
// estate declares, holds it to the declared digest, compiles it together with the
// estate's policies, and only then writes it into policies/bundle/. It commits
// nothing. Faults of the policies taken together are a *FaultsError, and nothing is
// written then. What an estate under review declares contacts nobody: an address is
// fetched from where the person who asks names it too.
func FetchBundle(ctx context.Context, o BundleOptions) (policy.Bundle, error) {
	files, err := policyFiles(os.DirFS(o.Dir))
	if err != nil {
		return policy.Bundle{}, err
	}
	b, err := o.declared(files)
	if err != nil {
		return b, err
	}
	data, err := o.fetch(ctx, b)
	if err != nil {
		return b, fmt.Errorf("fetching bundle %q from %s: %w", b.Name, b.From, err)
	}
	if got := policy.DigestOf(data); got != b.Digest {
		return b, fmt.Errorf("what lies at %s has digest %s, and bundle %q is declared to have %s", b.From, got, b.Name, b.Digest)
	}
	files[b.File()] = data
	if _, faults := policy.Compile(files); len(faults) > 0 {
		return b, policyFaults(faults)
	}
	return b, writeBeside(filepath.Join(o.Dir, filepath.FromSlash(b.File())), data)
}

// declared is the bundle that was asked for, as the estate has it.
func (o BundleOptions) declared(files map[string][]byte) (policy.Bundle, error) {
	list, faults := policy.Bundles(files)
	if len(faults) > 0 {
		return policy.Bundle{}, policyFaults(faults)
	}
	i := slices.IndexFunc(list, func(b policy.Bundle) bool { return b.Name == o.Name })
	if i < 0 {
		return policy.Bundle{}, fmt.Errorf("no bundle %q is declared; expected in policies/bundles.hcl:\n\nbundle %q {\n  from   = %q\n  digest = %q\n}", o.Name, o.Name, cmp.Or(o.From, "…"), o.digest())
	}
	b := list[i]
	switch {
	case o.From != "" && o.From != b.From:
		return b, fmt.Errorf("bundle %q is declared to come from %q, not from %q", b.Name, b.From, o.From)
	case o.From == "" && b.Remote():
		return b, fmt.Errorf("bundle %q comes from an address, which is fetched from only where you name it too: ringmaster policy bundle %s %s", b.Name, b.Name, b.From)
	}
	return b, nil
}

// digest is that of a file which is not declared yet. What comes over the network
// has the digest that its publisher says.
func (o BundleOptions) digest() string {
	data, err := o.file(o.From)
	if err != nil {
		return "sha256:…"
	}
	return policy.DigestOf(data)
}

// writeBeside writes a file beside its place and moves it there.
func writeBeside(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".bundle-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err := errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return os.Rename(f.Name(), name)
}

// file reads a file, seen from the estate's folder.
func (o BundleOptions) file(name string) ([]byte, error) {
	if !filepath.IsAbs(name) {
		name = filepath.Join(o.Dir, name)
	}
	if s, err := os.Stat(name); err != nil {
		return nil, err
	} else if !s.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return bounded(f)
}

// fetch reads a declared bundle's bytes.
func (o BundleOptions) fetch(ctx context.Context, b policy.Bundle) ([]byte, error) {
	if !b.Remote() {
		return o.file(b.From)
	}
	client := o.Client
	if client == nil {
		client = http.DefaultClient
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.From, nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answered %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	return bounded(resp.Body)
}

func bounded(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, bundleSize+1))
	if err == nil && len(data) > bundleSize {
		err = fmt.Errorf("it has more than %d bytes", bundleSize)
	}
	return data, err
}

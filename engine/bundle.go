package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/policy"
)

// BundleOptions say which bundle is brought where.
type BundleOptions struct {
	Dir    string       // the estate's folder
	Name   string       // of the bundle: small letters, digits and "-"
	From   string       // a file, or an http(s) address
	Digest string       // what it must be; may be empty for a file
	Client *http.Client // nil: http.DefaultClient
}

// bundleSize is the most that is fetched.
const bundleSize = 16 << 20

var bundleName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

// FetchBundle brings an organisation's policies: it fetches a bundle, holds it to
// its digest, compiles it together with the estate's policies, and only then
// writes it and its pin into policies/bundle/. It commits nothing. Faults of the
// policies taken together are a *FaultsError, and nothing is written then.
func FetchBundle(ctx context.Context, o BundleOptions) (policy.Pin, error) {
	if !bundleName.MatchString(o.Name) {
		return policy.Pin{}, fmt.Errorf("%q names no bundle; expected small letters, digits and \"-\", such as \"acme\"", o.Name)
	}
	data, err := o.fetch(ctx)
	if err != nil {
		return policy.Pin{}, fmt.Errorf("fetching the bundle from %s: %w", o.From, err)
	}
	pin := policy.Pin{From: o.From, Digest: policy.DigestOf(data)}
	if o.Digest != "" && o.Digest != pin.Digest {
		return pin, fmt.Errorf("the bundle from %s has digest %s, expected %s", o.From, pin.Digest, o.Digest)
	}
	files, err := policyFiles(os.DirFS(o.Dir))
	if err != nil {
		return pin, err
	}
	text, err := json.MarshalIndent(pin, "", "  ")
	if err != nil {
		return pin, err
	}
	base := policy.BundleFolder + o.Name
	brought := map[string][]byte{base + ".tar.gz": data, base + ".pin.json": append(text, '\n')}
	for name, data := range brought {
		files[name] = data
	}
	if _, faults := policy.Compile(files); len(faults) > 0 {
		return pin, policyFaults(faults)
	}
	for _, name := range sortedKeys(brought) {
		if err := writeBeside(filepath.Join(o.Dir, filepath.FromSlash(name)), brought[name]); err != nil {
			return pin, err
		}
	}
	return pin, nil
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

// fetch reads the bundle's bytes.
func (o BundleOptions) fetch(ctx context.Context) ([]byte, error) {
	u, err := url.Parse(o.From)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		f, err := os.Open(strings.TrimPrefix(o.From, "file://"))
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return bounded(f)
	}
	if o.Digest == "" {
		return nil, errors.New("what comes over the network is held to a digest; expected --digest sha256:…")
	}
	client := o.Client
	if client == nil {
		client = http.DefaultClient
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, o.From, nil)
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

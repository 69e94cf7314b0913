package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

// wire is a remote behind Git's smart HTTP protocol.
type wire struct {
	r    *Repo
	at   *transport.Endpoint
	auth transport.AuthMethod
}

func newWire(r *Repo, m Remote, u *url.URL) (far, error) {
	at, err := transport.NewEndpoint(u.String())
	if err != nil {
		return nil, fmt.Errorf("remote %s: %w", m, err)
	}
	w := &wire{r: r, at: at}
	if m.Token != "" {
		// The name is what GitHub asks for; others take any.
		w.auth = &githttp.BasicAuth{Username: "x-access-token", Password: m.Token}
	}
	return w, nil
}

func (w *wire) close() {}

// receive asks with a fresh client each time: nothing of one remote's redirects or
// connections reaches another's.
func (w *wire) receive(ctx context.Context) (transport.ReceivePackSession, *packp.AdvRefs, error) {
	s, err := githttp.NewClient(nil).NewReceivePackSession(w.at, w.auth)
	if err != nil {
		return nil, nil, err
	}
	ar, err := s.AdvertisedReferencesContext(ctx)
	return s, ar, err
}

func (w *wire) refs(ctx context.Context) (map[string]Hash, error) {
	s, err := githttp.NewClient(nil).NewUploadPackSession(w.at, w.auth)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	ar, err := s.AdvertisedReferencesContext(ctx)
	if errors.Is(err, transport.ErrEmptyRemoteRepository) {
		return map[string]Hash{}, nil
	}
	if err != nil {
		return nil, explain(err)
	}
	return advertised(ar), nil
}

func advertised(ar *packp.AdvRefs) map[string]Hash {
	out := map[string]Hash{}
	for ref, h := range ar.References {
		out[ref] = name(h)
	}
	return out
}

// explain puts what a server's status means into words that say what to do.
func explain(err error) error {
	switch {
	case errors.Is(err, transport.ErrAuthenticationRequired):
		return fmt.Errorf("%w: it asks for a token, or the token is not valid", err)
	case errors.Is(err, transport.ErrAuthorizationFailed):
		return fmt.Errorf("%w: the token may not do this", err)
	case errors.Is(err, transport.ErrRepositoryNotFound):
		return fmt.Errorf("%w: it is not there, or the token may not see it", err)
	}
	return err
}

func (w *wire) send(ctx context.Context, ref string, old, new Hash, _ map[string]Hash) error {
	s, ar, err := w.receive(ctx)
	if err != nil {
		return explain(err)
	}
	defer s.Close()
	known := advertised(ar)
	if known[ref] != old {
		return movedError(ref, old, known[ref])
	}
	req := packp.NewReferenceUpdateRequestFromCapabilities(ar.Capabilities)
	req.Commands = []*packp.Command{{Name: plumbing.ReferenceName(ref), Old: plumbing.NewHash(string(old)), New: plumbing.NewHash(string(new))}}
	if new == "" {
		if !ar.Capabilities.Supports(capability.DeleteRefs) {
			return fmt.Errorf("%w: it does not let references be deleted", errRefused)
		}
		req.Capabilities.Set(capability.DeleteRefs)
	} else if req.Packfile, err = w.packFor(new, known); err != nil {
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	report, err := s.ReceivePack(ctx, req)
	return verdict(ref, report, err)
}

// packFor packs what the remote lacks, going by the references it has shown.
func (w *wire) packFor(new Hash, known map[string]Hash) (io.ReadCloser, error) {
	var have []Hash
	for _, h := range known {
		if _, err := w.r.Commit(h); err == nil {
			have = append(have, h)
		}
	}
	objs, err := w.r.objectsFor(new, have)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(encodePack(objs))), nil
}

// verdict tells an answer from a lost one. A server that says the reference
// was elsewhere says it in its own words.
func verdict(ref string, report *packp.ReportStatus, err error) error {
	if report == nil {
		if err == nil {
			return io.ErrUnexpectedEOF // no report: look it up
		}
		for _, no := range []error{transport.ErrAuthenticationRequired, transport.ErrAuthorizationFailed, transport.ErrRepositoryNotFound} {
			if errors.Is(err, no) {
				return fmt.Errorf("%w: %w", errRefused, explain(err))
			}
		}
		return err
	}
	if report.UnpackStatus != "ok" {
		return fmt.Errorf("%w: %s", errRefused, report.UnpackStatus)
	}
	for _, c := range report.CommandStatuses {
		if c.Status == "ok" {
			continue
		}
		for _, words := range []string{"fast-forward", "fast forward", "fetch first", "stale", "lock ref", "failed to lock", "already exists", "failed to update ref", "reference has moved"} {
			if strings.Contains(c.Status, words) {
				return fmt.Errorf("%w: %q: %s", ErrMoved, ref, c.Status)
			}
		}
		return fmt.Errorf("%w: %s", errRefused, c.Status)
	}
	return nil
}

// haveMost bounds the commits that are told to the remote as already here.
const haveMost = 256

func (w *wire) bring(ctx context.Context, want []Hash) error {
	s, err := githttp.NewClient(nil).NewUploadPackSession(w.at, w.auth)
	if err != nil {
		return err
	}
	defer s.Close()
	ar, err := s.AdvertisedReferencesContext(ctx)
	if err != nil {
		return explain(err)
	}
	req := packp.NewUploadPackRequestFromCapabilities(ar.Capabilities)
	if ar.Capabilities.Supports(capability.NoProgress) {
		req.Capabilities.Set(capability.NoProgress)
	}
	for _, h := range want {
		req.Wants = append(req.Wants, plumbing.NewHash(string(h)))
	}
	if req.Haves, err = w.haves(); err != nil {
		return err
	}
	for h := range w.r.cut {
		req.Shallows = append(req.Shallows, h)
	}
	answer, err := s.UploadPack(ctx, req)
	if err != nil {
		return explain(err)
	}
	defer answer.Close()
	return w.keep(demux(req.Capabilities, answer))
}

// haves lists commits that are here, the tips of references first.
func (w *wire) haves() ([]plumbing.Hash, error) {
	refs, err := w.r.Refs("refs/")
	if err != nil {
		return nil, err
	}
	seen := map[Hash]bool{}
	var out []plumbing.Hash
	for _, ref := range refs {
		n := 0
		for c, err := range w.r.FirstParents(ref.Hash) {
			if err != nil || seen[c.Hash] || n == 32 || len(out) == haveMost {
				break
			}
			seen[c.Hash] = true
			out = append(out, plumbing.NewHash(string(c.Hash)))
			n++
		}
	}
	return out, nil
}

func demux(caps *capability.List, rd io.Reader) io.Reader {
	switch {
	case caps.Supports(capability.Sideband64k):
		return sideband.NewDemuxer(sideband.Sideband64k, rd)
	case caps.Supports(capability.Sideband):
		return sideband.NewDemuxer(sideband.Sideband, rd)
	}
	return rd
}

// keep stores a pack that came over the wire; go-git checks its hashes while
// it indexes it.
func (w *wire) keep(pack io.Reader) error {
	s := w.r.store
	// go-git writes an index in place: nobody in this process reads it meanwhile.
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.reopen()
	to := filesystem.NewStorage(packFolder(w.r.common), cache.NewObjectLRU(cacheBytes))
	defer to.Close()
	if err := packfile.UpdateObjectStorage(to, pack); err != nil {
		return fmt.Errorf("storing the pack: %w", err)
	}
	return nil
}

package repo

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
)

// Serve answers Git's smart HTTP protocol for this repository, reading and
// writing, as a Git server does: a push wins by compare-and-swap or is told
// no. It asks nobody who they are, so it is for tests and for loopback.
func (r *Repo) Serve() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /info/refs", r.serveRefs)
	mux.HandleFunc("POST /git-upload-pack", r.serveFetch)
	mux.HandleFunc("POST /git-receive-pack", r.servePush)
	return mux
}

func (r *Repo) serveRefs(w http.ResponseWriter, req *http.Request) {
	service := req.URL.Query().Get("service")
	if service != "git-upload-pack" && service != "git-receive-pack" {
		http.Error(w, "expected service=git-upload-pack or git-receive-pack", http.StatusForbidden)
		return
	}
	refs, err := r.Refs("refs/")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	ar := packp.NewAdvRefs()
	ar.Prefix = [][]byte{[]byte("# service=" + service), pktline.Flush}
	ar.Capabilities.Set(capability.Agent, "git/ringmaster")
	if service == "git-receive-pack" {
		ar.Capabilities.Set(capability.ReportStatus)
		ar.Capabilities.Set(capability.DeleteRefs)
	}
	for _, ref := range refs {
		ar.References[ref.Name] = plumbing.NewHash(string(ref.Hash))
	}
	w.Header().Set("Content-Type", "application/x-"+service+"-advertisement")
	w.Header().Set("Cache-Control", "no-cache")
	ar.Encode(w)
}

func (r *Repo) serveFetch(w http.ResponseWriter, req *http.Request) {
	body, err := plainBody(req)
	var want, have []Hash
	if err == nil {
		want, have, err = readWants(body)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var known []Hash
	for _, h := range have {
		if _, err := r.Commit(h); err == nil {
			known = append(known, h)
		}
	}
	var objs []packed
	seen := map[plumbing.Hash]bool{}
	for _, h := range want {
		list, err := r.objectsFor(h, known)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		for _, o := range list {
			if !seen[o.hash] {
				seen[o.hash] = true
				objs = append(objs, o)
			}
		}
	}
	w.Header().Set("Content-Type", "application/x-git-upload-pack-result")
	io.WriteString(w, "0008NAK\n")
	w.Write(encodePack(objs))
}

// readWants reads a request of protocol version 0: wants, a flush, haves, done.
func readWants(body io.Reader) (want, have []Hash, err error) {
	scan := pktline.NewScanner(body)
	for scan.Scan() {
		verb, rest, _ := strings.Cut(strings.TrimSpace(string(scan.Bytes())), " ")
		hash, _, _ := strings.Cut(rest, " ")
		switch verb {
		case "want", "have":
			if !isHash(hash) {
				return nil, nil, fmt.Errorf("%q is no hash", hash)
			}
			if verb == "want" {
				want = append(want, Hash(hash))
			} else {
				have = append(have, Hash(hash))
			}
		case "", "done":
		default:
			return nil, nil, fmt.Errorf("%q is not offered", verb)
		}
	}
	return want, have, scan.Err()
}

// plainBody reads a request whole; the git program compresses large ones.
func plainBody(req *http.Request) (io.Reader, error) {
	var body io.Reader = req.Body
	if req.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(body)
		if err != nil {
			return nil, err
		}
		body = z
	}
	data, err := io.ReadAll(body)
	return bytes.NewReader(data), err
}

func (r *Repo) servePush(w http.ResponseWriter, req *http.Request) {
	update := packp.NewReferenceUpdateRequest()
	body, err := plainBody(req)
	if err == nil {
		err = update.Decode(body)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	report := packp.NewReportStatus()
	report.UnpackStatus = "ok"
	if sends(update.Commands) {
		if err := (&wire{r: r}).keep(update.Packfile); err != nil {
			report.UnpackStatus = err.Error()
		}
	}
	for _, c := range update.Commands {
		status := &packp.CommandStatus{ReferenceName: c.Name, Status: "ok"}
		if report.UnpackStatus != "ok" {
			status.Status = "unpacker error"
		} else if err := r.Move(c.Name.String(), name(c.Old), name(c.New)); err != nil {
			status.Status = strings.ReplaceAll(err.Error(), "\n", " ")
		}
		report.CommandStatuses = append(report.CommandStatuses, status)
	}
	w.Header().Set("Content-Type", "application/x-git-receive-pack-result")
	report.Encode(w)
}

// sends says whether a push brings objects: one that only deletes does not.
func sends(commands []*packp.Command) bool {
	return slices.ContainsFunc(commands, func(c *packp.Command) bool { return c.New != plumbing.ZeroHash })
}

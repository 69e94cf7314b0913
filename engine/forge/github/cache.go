package github

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"sync"
)

const (
	keepMost = 1000    // answers
	keepSize = 1 << 20 // bytes of one answer
)

// cache keeps answers with their ETags for the length of a run: one that has not
// changed costs nothing of the rate limit. Every use still asks GitHub.
type cache struct {
	mu   sync.Mutex
	kept map[string]*kept
}

type kept struct {
	etag   string
	header http.Header
	body   []byte
}

func keyOf(req *http.Request) string { return req.Header.Get("Accept") + " " + req.URL.String() }

// ask makes the request conditional where an answer is kept, and returns it.
func (c *cache) ask(req *http.Request) *kept {
	if req.Method != http.MethodGet {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.kept[keyOf(req)]
	if k != nil {
		req.Header.Set("If-None-Match", k.etag)
	}
	return k
}

// answer returns the answer to pass on: the kept one, with the new one's date,
// where nothing changed.
func (c *cache) answer(req *http.Request, k *kept, resp *http.Response, body []byte) *http.Response {
	switch etag := resp.Header.Get("ETag"); {
	case resp.StatusCode == http.StatusNotModified && k != nil:
		header := k.header.Clone()
		maps.Copy(header, resp.Header)
		resp.StatusCode, resp.Status, resp.Header = http.StatusOK, "200 OK", header
		resp.ContentLength, resp.Body = int64(len(k.body)), io.NopCloser(bytes.NewReader(k.body))
	case resp.StatusCode == http.StatusOK && req.Method == http.MethodGet && etag != "" && len(body) <= keepSize:
		c.keep(keyOf(req), &kept{etag, resp.Header.Clone(), body})
	}
	return resp
}

func (c *cache) keep(key string, k *kept) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil || len(c.kept) >= keepMost {
		c.kept = map[string]*kept{}
	}
	c.kept[key] = k
}

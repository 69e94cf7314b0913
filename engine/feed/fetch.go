package feed

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// got is what a source gave.
type got struct {
	unchanged    bool // the server says so; nothing else is set
	data         []byte
	sha256       string
	content      string // a folder's digest: compressed bytes may differ where what is in them does not
	etag         string
	lastModified string
	open         bool // the end of the data is where the connection ended, which may be anywhere
	notes        []string
}

func gotOf(data []byte) got {
	sum := sha256.Sum256(data)
	return got{data: data, sha256: hex.EncodeToString(sum[:])}
}

// same reports whether it is what an entry recorded.
func (g got) same(e entry) bool {
	if g.content != "" || e.Content != "" {
		return g.content == e.Content
	}
	return g.sha256 == e.SHA256
}

func (g got) entry(src source, records int, at time.Time) entry {
	return entry{
		File: src.file, Kind: src.kind, From: src.shown, ETag: g.etag, LastModified: g.lastModified,
		SHA256: g.sha256, Content: g.content, Size: int64(len(g.data)), Records: records, At: at.UTC().Truncate(time.Second),
	}
}

// fetch gets a source's bytes, or that they have not changed. Only where the
// recorded snapshot is held may the server answer that.
func (s *run) fetch(ctx context.Context, src source, old *entry, held bool) (got, error) {
	if src.url == nil {
		return s.local(ctx, src)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, src.url.String(), nil)
	if err != nil {
		return got{}, errors.New("not a URL")
	}
	req.Header.Set("User-Agent", "ringmaster-feeds")
	req.Header.Set("Accept-Encoding", "identity") // the original bytes, and a length that is theirs
	asked := false
	if held && old.ETag != "" {
		req.Header.Set("If-None-Match", old.ETag)
		asked = true
	}
	if held && old.LastModified != "" && src.url.RawQuery == "" {
		// the values of a query are not recorded, so a date alone could be another document's
		req.Header.Set("If-Modified-Since", old.LastModified)
		asked = true
	}
	resp, err := s.client().Do(req)
	if err != nil {
		return got{}, whyOf(ctx, err)
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotModified && asked:
		return got{unchanged: true}, nil
	case resp.StatusCode != http.StatusOK:
		return got{}, fmt.Errorf("the server answered %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	return s.body(ctx, src, resp)
}

// body reads an answer to its end, or fails.
func (s *run) body(ctx context.Context, src source, resp *http.Response) (got, error) {
	if resp.ContentLength > s.MaxSize {
		return got{}, fmt.Errorf("%d bytes are more than the limit of %d", resp.ContentLength, s.MaxSize)
	}
	var b bytes.Buffer
	b.Grow(int(min(max(resp.ContentLength, 0), 1<<20)) + bytes.MinRead)
	counted := &counter{r: resp.Body, tell: func(n int64) {
		s.Progress(Progress{Kind: src.kind, From: src.shown, Read: n, Total: resp.ContentLength})
	}}
	n, err := b.ReadFrom(io.LimitReader(counted, s.MaxSize+1))
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return got{}, fmt.Errorf("the connection ended after %d bytes, before the whole had come; the snapshot stays as it was", n)
	case err != nil:
		return got{}, fmt.Errorf("reading the answer after %d bytes: %w", n, whyOf(ctx, err))
	case n > s.MaxSize:
		return got{}, fmt.Errorf("more than the limit of %d bytes", s.MaxSize)
	}
	g := gotOf(b.Bytes())
	g.etag, g.lastModified = header(resp, "ETag"), header(resp, "Last-Modified")
	g.open = resp.ContentLength < 0 && resp.ProtoMajor == 1 && len(resp.TransferEncoding) == 0
	return g, nil
}

// header returns a header that is short enough to be kept in Git.
func header(resp *http.Response, name string) string {
	if v := resp.Header.Get(name); len(v) <= 256 {
		return v
	}
	return ""
}

// maxRedirects is how many are followed.
const maxRedirects = 5

// client is the one handed in, with redirects held to http(s), never from https
// to http, and told no more than the request says.
func (s *run) client() *http.Client {
	c := *s.Client
	c.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		req.Header.Del("Referer") // it would carry the query to another host
		switch {
		case req.URL.Scheme != "http" && req.URL.Scheme != "https":
			return fmt.Errorf("it redirects to %q, which is not http or https", req.URL.Scheme+":")
		case via[len(via)-1].URL.Scheme == "https" && req.URL.Scheme == "http":
			return errors.New("it redirects from https to http")
		case len(via) > maxRedirects:
			return fmt.Errorf("it redirects more than %d times", maxRedirects)
		}
		return nil
	}
	return &c
}

// whyOf strips what the message around it tells, and the URL that may hold
// secrets; a run out of time is said as such.
func whyOf(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// counter tells how many bytes have been read, every MiB.
type counter struct {
	r       io.Reader
	n, told int64
	tell    func(int64)
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if c.n-c.told >= 1<<20 {
		c.told = c.n
		c.tell(c.n)
	}
	return n, err
}

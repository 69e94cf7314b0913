package github

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sirupsen/logrus"
)

const (
	// tries is how often something is asked, or done, that gets no answer.
	tries = 3
	// limitTries bounds how often one request waits for a limit.
	limitTries = 8
	// secondaryPause is what GitHub asks for where it names no time.
	secondaryPause = time.Minute
)

// transport is what every request to the API goes through: it adds the token,
// remembers ETags, repeats what only reads, and waits where GitHub says so. A
// limit is handled here alone, so that nothing above looks at a clock.
type transport struct {
	next    http.RoundTripper
	hosts   []string // the only ones that are told the token
	graphql string   // path of the GraphQL API, whose budget is another
	token   string
	timeout time.Duration // of each try, 0: none
	most    time.Duration
	wait    func(context.Context, time.Duration) bool
	clock   func() time.Time
	log     logrus.FieldLogger
	cache   cache

	mu    sync.Mutex
	until map[string]time.Time // budget → by clock: when requests are left again
}

func newClient(o Options, api, graphql *url.URL) *http.Client {
	t := &transport{hosts: []string{api.Host, graphql.Host}, graphql: graphql.Path, until: map[string]time.Time{}, token: o.Token, timeout: time.Minute, most: o.MaxWait, wait: o.Wait, clock: o.Clock, log: o.Log}
	c := &http.Client{Transport: t}
	if o.HTTP != nil {
		c.CheckRedirect, t.next, t.timeout = o.HTTP.CheckRedirect, o.HTTP.Transport, o.HTTP.Timeout
	}
	if t.next == nil {
		t.next = http.DefaultTransport
	}
	if t.most == 0 {
		t.most = 5 * time.Minute
	}
	return c
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		body, err = io.ReadAll(req.Body)
		req.Body.Close()
		if err != nil {
			return nil, fmt.Errorf("reading the request: %w", err)
		}
	}
	waited, err := t.holdBack(req)
	if err != nil {
		return nil, err
	}
	for try, limited := 1, 0; ; {
		resp, err := t.try(req, body)
		if l := limitOf(resp); l != nil {
			limited++
			if waited += l.pause; waited > t.most || limited == limitTries {
				return nil, &LimitError{l.kind, l.until()}
			}
			if !t.sleep(req.Context(), l.pause, "GitHub's "+l.kind+" rate limit") {
				return nil, cmp.Or(req.Context().Err(), error(&LimitError{l.kind, l.until()}))
			}
			continue
		}
		if !reads(req) || try == tries || err == nil && resp.StatusCode < 500 || !t.sleep(req.Context(), backoff(try), "GitHub gave no answer") {
			return plain(resp), err
		}
		try++
	}
}

// budget is which of GitHub's primary limits a request counts against.
func (t *transport) budget(req *http.Request) string {
	if req.URL.Path == t.graphql {
		return "graphql"
	}
	return "core"
}

func reads(req *http.Request) bool {
	return req.Method == http.MethodGet || req.Method == http.MethodHead
}

// backoff is the pause after the given try: 1, 2, 4 … seconds.
func backoff(try int) time.Duration { return time.Second << (try - 1) }

// sleep lets time pass; false says that nobody waits.
func (t *transport) sleep(ctx context.Context, d time.Duration, why string) bool {
	t.log.WithField("wait", d.String()).Warnf("%s; waiting", why)
	return t.wait(ctx, d)
}

// plain takes the limits out of an answer: they are dealt with, and go-github
// would hold them against its own clock.
func plain(resp *http.Response) *http.Response {
	if resp != nil {
		for name := range resp.Header {
			if strings.HasPrefix(name, "X-Ratelimit-") {
				delete(resp.Header, name)
			}
		}
	}
	return resp
}

// try sends the request once and reads the answer whole.
func (t *transport) try(req *http.Request, body []byte) (*http.Response, error) {
	ctx, cancel := req.Context(), context.CancelFunc(func() {})
	if t.timeout > 0 {
		ctx, cancel = context.WithTimeout(ctx, t.timeout)
	}
	defer cancel()
	out := req.Clone(ctx)
	if body != nil {
		out.Body = io.NopCloser(bytes.NewReader(body))
		out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	}
	if slices.Contains(t.hosts, out.URL.Host) {
		out.Header.Set("Authorization", "Bearer "+t.token)
	}
	kept := t.cache.ask(out)
	resp, err := t.next.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	t.note(req, resp)
	resp.Request = req // without the token
	resp.ContentLength = int64(len(data))
	resp.Body = io.NopCloser(bytes.NewReader(data))
	return t.cache.answer(out, kept, resp, data), nil
}

// note remembers when the primary limit, if it is used up now, ends.
func (t *transport) note(req *http.Request, resp *http.Response) {
	if t.clock == nil || resp.Header.Get("X-RateLimit-Remaining") != "0" {
		return
	}
	if pause, ok := untilReset(resp); ok {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.until[t.budget(req)] = t.clock().Add(pause)
	}
}

// holdBack waits where an earlier answer said that no requests are left: one
// that is sent all the same counts against the token's owner.
func (t *transport) holdBack(req *http.Request) (time.Duration, error) {
	if t.clock == nil {
		return 0, nil
	}
	t.mu.Lock()
	until := t.until[t.budget(req)]
	t.mu.Unlock()
	pause := until.Sub(t.clock())
	if until.IsZero() || pause <= 0 {
		return 0, nil
	}
	if pause > t.most || !t.sleep(req.Context(), pause, "GitHub's primary rate limit") {
		return 0, cmp.Or(req.Context().Err(), error(&LimitError{"primary", until.UTC().Truncate(time.Second)}))
	}
	return pause, nil
}

// limit is a refusal that ends by itself.
type limit struct {
	kind  string
	pause time.Duration
	date  time.Time // of the answer, zero where it had none
}

func (l *limit) until() time.Time {
	if l.date.IsZero() {
		return time.Time{}
	}
	return l.date.Add(l.pause).UTC()
}

// limitOf tells a limit from other refusals, nil where it is none.
func limitOf(resp *http.Response) *limit {
	if resp == nil || resp.StatusCode != http.StatusForbidden && resp.StatusCode != http.StatusTooManyRequests && !graphLimit(resp) {
		return nil
	}
	l := &limit{kind: "secondary", pause: secondaryPause}
	l.date, _ = http.ParseTime(resp.Header.Get("Date"))
	if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s >= 0 {
		l.pause = time.Duration(s) * time.Second
		return l
	}
	if resp.Header.Get("X-RateLimit-Remaining") == "0" {
		if pause, ok := untilReset(resp); ok {
			l.kind, l.pause = "primary", pause
			return l
		}
	}
	if resp.StatusCode != http.StatusForbidden || speaksOfLimits(resp) {
		return l
	}
	return nil
}

// graphLimit says whether GraphQL answers that its limit is used up, which it
// does with status 200.
func graphLimit(resp *http.Response) bool {
	if resp.StatusCode != http.StatusOK || !strings.HasSuffix(resp.Request.URL.Path, "/graphql") {
		return false
	}
	data, _ := io.ReadAll(resp.Body)
	resp.Body = io.NopCloser(bytes.NewReader(data))
	var body graphAnswer
	return json.Unmarshal(data, &body) == nil && slices.ContainsFunc(body.Errors, func(e graphError) bool { return e.Type == "RATE_LIMITED" })
}

// untilReset is how far the limit's end is from the answer's own date; both are
// GitHub's, so that the machine's clock does not matter.
func untilReset(resp *http.Response) (time.Duration, bool) {
	reset, err := strconv.ParseInt(resp.Header.Get("X-RateLimit-Reset"), 10, 64)
	if err != nil {
		return 0, false
	}
	date, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return 0, false
	}
	return max(time.Unix(reset, 0).Sub(date), 0) + time.Second, true
}

func speaksOfLimits(resp *http.Response) bool {
	data, _ := io.ReadAll(resp.Body)
	resp.Body = io.NopCloser(bytes.NewReader(data))
	var body struct {
		Message string `json:"message"`
		URL     string `json:"documentation_url"`
	}
	if json.Unmarshal(data, &body) != nil {
		return false
	}
	text := strings.ToLower(body.Message)
	return strings.Contains(text, "secondary rate limit") || strings.Contains(text, "abuse detection") || strings.HasSuffix(body.URL, "secondary-rate-limits") || strings.HasSuffix(body.URL, "#abuse-rate-limits")
}

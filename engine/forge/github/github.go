// Package github is the forge that is GitHub, or a GitHub Enterprise server.
//
// Everything it says it has asked GitHub for: who wrote, reviewed and merged,
// who may write and who is in a team; nothing comes from a file or an event's
// payload. A branch moves by a Git push with compare-and-swap, the rest goes
// through the REST API. A request whose answer was lost may have taken effect,
// so each one looks before it repeats; what cannot be told apart is made so that
// doing it twice does it once. Limits on the rate of requests are obeyed by
// waiting, through a function that the caller hands in, up to a bound.
//
// Pull requests of forks are never ringmaster's, whatever their branch is named.
package github

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/google/go-github/v60/github"
	"github.com/sirupsen/logrus"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// lead is what the branches of ringmaster begin with.
const lead = "ringmaster/"

// Options say where GitHub is and who asks. Token, Repository and Repo are
// needed.
type Options struct {
	Token      string
	Repository string // owner/name
	Base       string // protected branch; "": the repository's default branch, as GitHub says

	API     string // used unchanged; "": https://api.github.com
	GraphQL string // for what REST lacks; "": where GitHub has it beside API
	Server  string // Git pushes to Server/Repository; "": https://github.com

	// Signed says that the base branch takes signed commits alone. A ruleset that
	// asks for them is found without it.
	Signed bool

	Repo *repo.Repo   // the clone whose objects are pushed
	HTTP *http.Client // its Timeout holds for each try; nil: a client of a minute

	// Wait lets time pass and returns false where the run is to stop; nil:
	// nothing is waited for, and a limit is an error at once.
	Wait func(ctx context.Context, d time.Duration) bool
	// Clock is the machine's, used only beside GitHub's own Date to know when a
	// limit ends; nil: a limit is noticed when GitHub refuses.
	Clock func() time.Time
	// MaxWait bounds how long one request waits for limits; 0: five minutes.
	MaxWait time.Duration
	Log     logrus.FieldLogger // nil: silence
}

// Forge is one repository at GitHub. It may be used by several goroutines.
type Forge struct {
	api         *github.Client
	graphql     string
	owner, name string
	repo        *repo.Repo
	remote      repo.Remote
	wait        func(context.Context, time.Duration) bool
	log         logrus.FieldLogger
	installed   bool // the token is an App's: what a repository says of push is then no answer

	mu     sync.Mutex
	base   string
	org    *bool           // whether the owner is an organisation, once asked
	signs  *bool           // whether the base branch takes signed commits alone, once asked
	me     *account        // whose token it is, once asked
	writes map[string]bool // login → may write, asked once a run
}

// New returns the forge of a repository. Nothing is asked yet.
func New(o Options) (*Forge, error) {
	owner, name, ok := strings.Cut(o.Repository, "/")
	if !ok || !isName(owner) || !isName(name) {
		return nil, fmt.Errorf("repository %q: expected owner/name", o.Repository)
	}
	if o.Token == "" {
		return nil, errors.New("GitHub asks for a token and none was given")
	}
	api, err := address("API", o.API, "https://api.github.com")
	if err != nil {
		return nil, err
	}
	graphql, err := address("GraphQL", o.GraphQL, besides(api))
	if err != nil {
		return nil, err
	}
	server, err := address("server", o.Server, "https://github.com")
	if err != nil {
		return nil, err
	}
	if o.Log == nil {
		silent := logrus.New()
		silent.SetOutput(io.Discard)
		o.Log = silent
	}
	if o.Wait == nil {
		o.Wait = func(context.Context, time.Duration) bool { return false }
	}
	f := &Forge{owner: owner, name: name, repo: o.Repo, wait: o.Wait, log: o.Log, base: o.Base, installed: strings.HasPrefix(o.Token, "ghs_"), writes: map[string]bool{}}
	f.remote = repo.Remote{URL: server.JoinPath(owner, name).String(), Token: o.Token, Wait: o.Wait}
	f.api = github.NewClient(newClient(o, api, graphql))
	f.graphql = graphql.String()
	if o.Signed {
		f.signs = &o.Signed
	}
	f.api.UserAgent = "ringmaster"
	if !strings.HasSuffix(api.Path, "/") {
		api.Path += "/" // go-github resolves paths against it
	}
	f.api.BaseURL = api
	return f, nil
}

// besides is where GitHub has its GraphQL API when its REST API is at u: on
// Enterprise servers /api/graphql stands beside /api/v3.
func besides(u *url.URL) string {
	g := *u
	g.Path = strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), "/v3") + "/graphql"
	return g.String()
}

// isName holds one part of a repository's name to what GitHub allows there.
func isName(s string) bool {
	return s != "" && s != "." && s != ".." && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == ""
}

func address(what, text, otherwise string) (*url.URL, error) {
	if text == "" {
		text = otherwise
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("the %s URL is not an http or https URL with a host", what)
	}
	if u.User != nil {
		return nil, fmt.Errorf("the %s URL of %s holds a name or a password; the token alone says who asks", what, u.Host)
	}
	return u, nil
}

// Remote is where Git fetches and pushes the repository.
func (f *Forge) Remote() repo.Remote { return f.remote }

// Name is "github".
func (f *Forge) Name() string { return "github" }

// Address is where GitHub shows a file of a commit as it is, to those who may
// read the repository.
func (f *Forge) Address(commit, path string) string { return f.under("raw", commit, path) }

// Shows is the page of a commit's file.
func (f *Forge) Shows(commit, path string) string { return f.under("blob", commit, path) }

// under is an address of the repository.
func (f *Forge) under(parts ...string) string {
	u, err := url.Parse(f.remote.URL)
	if err != nil {
		return ""
	}
	return u.JoinPath(parts...).String()
}

// Reviews is true: GitHub can require them.
func (f *Forge) Reviews() bool { return true }

// Base is the protected branch: the one handed in, else the repository's
// default branch.
func (f *Forge) Base(ctx context.Context) (string, error) {
	f.mu.Lock()
	base := f.base
	f.mu.Unlock()
	if base != "" {
		return base, nil
	}
	r, _, err := f.repository(ctx)
	if err != nil {
		return "", err
	}
	if base = r.GetDefaultBranch(); base == "" {
		return "", fmt.Errorf("GitHub names no default branch of %s/%s", f.owner, f.name)
	}
	return base, nil
}

// Now is the time that GitHub's answers carry.
func (f *Forge) Now(ctx context.Context) (time.Time, error) {
	_, resp, err := f.repository(ctx)
	if err != nil {
		return time.Time{}, err
	}
	at, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return time.Time{}, fmt.Errorf("reading the date of GitHub's answer: %w", err)
	}
	return at.UTC(), nil
}

// repository asks for the repository, and keeps what does not change in a run.
func (f *Forge) repository(ctx context.Context) (*github.Repository, *github.Response, error) {
	r, resp, err := f.api.Repositories.Get(ctx, f.owner, f.name)
	if err != nil {
		return nil, nil, fmt.Errorf("asking for repository %s/%s: %w", f.owner, f.name, wrong(err))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.org = github.Bool(r.GetOwner().GetType() == "Organization")
	if f.base == "" {
		f.base = r.GetDefaultBranch()
	}
	return r, resp, nil
}

var _ forge.Forge = (*Forge)(nil)

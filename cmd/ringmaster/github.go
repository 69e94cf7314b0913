package main

import (
	"context"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/forge/github"
)

// openGitHub opens the forge that the environment names, as GitHub Actions sets
// it. Its clock is the machine's own, whatever --at says: it only tells when a
// limit on the rate of requests ends.
func (a *app) openGitHub(_ context.Context, e *engine.Env) error {
	f, err := github.New(github.Options{
		Token:      a.getenv("GITHUB_TOKEN"),
		Repository: a.getenv("GITHUB_REPOSITORY"),
		API:        a.getenv("GITHUB_API_URL"),
		GraphQL:    a.getenv("GITHUB_GRAPHQL_URL"),
		Server:     a.getenv("GITHUB_SERVER_URL"),
		Signed:     a.getenv("RINGMASTER_SIGNED_COMMITS") == "required",
		Repo:       e.Repo,
		Wait:       a.pause,
		Clock:      time.Now,
		Log:        e.Log,
	})
	if err != nil {
		return err
	}
	remote := f.Remote()
	e.Forge, e.Remote = f, &remote
	return nil
}

package main

import (
	"context"
	"errors"

	"github.com/ringmaster-dev/ringmaster/engine"
)

// openGitHub opens the forge that the environment names.
func (a *app) openGitHub(ctx context.Context, e *engine.Env) error {
	return errors.New("the GitHub forge is not here yet")
}

package engine

import (
	"context"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// Feeds are those that the protected branch declares: nobody else's addresses
// are contacted (Trust 2).
func (e *Env) Feeds(ctx context.Context) ([]inventory.Feed, error) {
	_, base, err := e.base(ctx)
	if err != nil {
		return nil, err
	}
	est, err := e.read(base)
	if err != nil {
		return nil, err
	}
	return est.Feeds, nil
}

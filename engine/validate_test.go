package engine

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

// Hosts that a fleet changes and that no health block takes are named; those that no
// fleet takes are not changed.
func TestUnwatched(t *testing.T) {
	est := &estate.Estate{
		Hosts:   []inventory.Host{{ID: "db-1"}, {ID: "db-2"}, {ID: "mail-1"}, {ID: "web-1"}},
		Fleets:  []ring.Fleet{{Kind: "ssh", Select: ring.Select{Hosts: []string{"web-*", "db-*"}}}},
		Healths: []ring.Health{{Kind: "http", Select: ring.Select{Hosts: []string{"web-*"}}}},
	}
	want := []estate.Fault{{File: "rings", Message: "no health block takes 2 hosts that a fleet takes (db-1, db-2): after a change nothing says that they are well, and they are held"}}
	if diff := cmp.Diff(want, unwatched(est)); diff != "" {
		t.Errorf("unwatched() (-want +got):\n%s", diff)
	}
	est.Healths = append(est.Healths, ring.Health{Kind: "command", Select: ring.Select{Hosts: []string{"db-*"}}})
	if got := unwatched(est); got != nil {
		t.Errorf("unwatched() = %v where each is watched", got)
	}
}

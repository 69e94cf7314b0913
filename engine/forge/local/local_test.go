package local_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/forge/forgetest"
	"github.com/ringmaster-dev/ringmaster/engine/forge/local"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

var at = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func open(t *testing.T) forgetest.Fixture {
	t.Helper()
	r, err := repo.Init(t.TempDir(), "main")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	base, err := r.Advance("refs/heads/main", repo.Next{Message: "begin", At: at, Author: repo.Person{Name: "a", Email: "a@localhost"}, Changes: map[string][]byte{"README.md": []byte("an estate\n")}})
	if err != nil {
		t.Fatal(err)
	}
	f := local.New(r, "main", map[string][]string{"owners": {"olivia"}})
	return forgetest.Fixture{Forge: f, Repo: r, Base: base, At: at,
		Comment: func(branch, by, body string) error { return f.Comment(t.Context(), branch, by, body, at) },
		Said: func(branch string) []string {
			said, err := f.Said(branch)
			if err != nil {
				t.Error(err)
			}
			return slices.Collect(maps.Values(said))
		},
	}
}

func TestForge(t *testing.T) { forgetest.Test(t, open) }

func TestMember(t *testing.T) {
	f := open(t).Forge
	for _, test := range []struct {
		team, person string
		want         bool
	}{{"owners", "olivia", true}, {"owners", "owners", true}, {"owners", "mallory", false}, {"nobody", "olivia", false}} {
		if got, err := f.Member(t.Context(), test.team, test.person); err != nil || got != test.want {
			t.Errorf("Member(%q, %q) = %v, %v, want %v", test.team, test.person, got, err, test.want)
		}
	}
}

package policy

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// TestExplain: what rules say together is what Decide returns, and what they
// read is what their evaluation came to.
func TestExplain(t *testing.T) {
	s := compiled(t, map[string]string{"policies/x/x.rego": `package ringmaster.x

import data.ringmaster.lib

# METADATA
# title: Small disks
hold contains {"msg": sprintf("%d", [input.host.disk_free_gb])} if {
	input.host.known
	input.host.disk_free_gb < 10
	input.patch.class == "critical"
	input.tier.rank == 3
}

deny contains {"msg": "role"} if lib.web

warn contains {"msg": "service"} if {
	h := input.service
	h.name == "shop"
	object.get(h, "owner", "") == "team-shop"
}
`, "policies/lib/lib.rego": "package ringmaster.lib\n\nweb if input.host.labels.role == \"web\"\n"})
	got := s.Explain(change(), nil)
	want := []struct {
		rule  string
		fired bool
		read  string
	}{
		{"x.deny", true, `input.host.labels.role="web"`},
		{"x.warn", true, `input.service.name="shop" input.service.owner="team-shop"`},
		{"x.hold", false, `input.host.disk_free_gb=8 input.host.known=true input.patch.class="high"`},
	}
	for i, w := range want {
		var read []string
		for _, r := range got[i].Read {
			read = append(read, r.Attribute+"="+Brief(r.Value, 40))
		}
		if text := strings.Join(read, " "); got[i].Rule != w.rule || got[i].Fired() != w.fired || text != w.read {
			t.Errorf("Explain()[%d] = %s %v %s, want %s %v %s", i, got[i].Rule, got[i].Fired(), text, w.rule, w.fired, w.read)
		}
	}
	if got[2].Title != "Small disks" || got[2].File != "policies/x/x.rego" || got[2].Line != 7 {
		t.Errorf("Explain() = %+v, want its title and place", got[2])
	}
}

// TestExplainIsDecide: the property, for random policies over random inputs,
// with an exception that covers some of it.
func TestExplainIsDecide(t *testing.T) {
	policies, fired, seeds := 0, 0, rounds(15, 60)
	x := Exceptions{inventoryException("all")}
	for seed := range uint64(seeds) {
		r := rand.New(rand.NewPCG(seed, 5))
		text := strings.ReplaceAll(randomPolicy(r), "\nhold contains", "\n"+exceptable+"hold contains")
		s, faults := Compile(bytesOf(map[string]string{"policies/x/x.rego": text}))
		if len(faults) > 0 {
			continue
		}
		policies++
		v := newVaried(r)
		for range 6 {
			in := *change()
			v.vary(r, &in)
			var all []plan.Decision
			for _, told := range s.Explain(&in, x) {
				all = append(all, told.Said...)
				if told.Fired() {
					fired++
				}
			}
			if got, want := sorted(slices.Clone(all)), s.Decide(&in, x); !cmp.Equal(got, want) {
				t.Fatalf("seed %d: %s\n%s", seed, text, cmp.Diff(want, got))
			}
		}
	}
	if policies < seeds/3 || fired < seeds {
		t.Errorf("too little was tried: %d policies, %d rules that fired", policies, fired)
	}
}

func TestTrace(t *testing.T) {
	s := one(t, "hold contains {\"msg\": \"old\"} if input.host.age_days > 3\n\nwarn contains {\"msg\": \"x\"} if input.host.known")
	var b strings.Builder
	if err := s.Trace(&b, change(), nil, "x.hold"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"# x.hold, policies/x/x.rego:3", "Fail", "input.host.age_days"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("Trace() lacks %q:\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "x.warn") {
		t.Errorf("Trace() has a rule that was not named:\n%s", b.String())
	}
}

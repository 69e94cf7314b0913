package engine

import (
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
)

// A plan that was reverted after it had begun is known by its ledger: what it
// did counts, nothing of it is in hand, and the other plans go on.
func TestTakenBack(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	const digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	line := outcome.Line{At: at, Plan: "high-main-1", Ring: "canary", Wave: 1, Host: "web-01", Patch: "generic:heron-web@4.2.2", From: "4.2.1", To: "4.2.2",
		Key: "high-main-1/web-01/generic:heron-web@4.2.2/1", Event: outcome.Intended, Features: map[string]any{"vendor": "Heron"}}
	applied := line
	applied.Event, applied.At = outcome.Applied, at.Add(time.Minute)
	ledger, err := outcome.Append(nil, digest, []outcome.Line{line, applied})
	if err != nil {
		t.Fatal(err)
	}
	list, err := deeds(&estate.Estate{Ledgers: map[string][]byte{"high-main-1": ledger}})
	if err != nil || len(list) != 1 {
		t.Fatalf("deeds() = %d, %v; want the plan that was taken back", len(list), err)
	}
	if d := list[0]; !d.gone || d.plan.Digest != digest || len(d.lines) != 2 || d.plan.Patches[0].Vendor != "Heron" {
		t.Errorf("deeds() = %+v", d)
	}
	cut := ledger[:len(ledger)-1]
	if _, err := deeds(&estate.Estate{Ledgers: map[string][]byte{"high-main-1": cut}}); err == nil {
		t.Error("deeds() takes a ledger that was cut")
	}
}

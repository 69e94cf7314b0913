package spdx

import (
	"os"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/inventory/inventorytest"
)

func TestParseReal(t *testing.T) {
	want := inventorytest.Total{Hosts: 0, Packages: 0, Findings: 0}
	if got := inventorytest.Real(t, os.DirFS(inventorytest.Shared), Source, Parse); got != want {
		t.Errorf("the real files hold %+v, want %+v", got, want)
	}
}

func FuzzParse(f *testing.F) { inventorytest.Fuzz(f, os.DirFS(inventorytest.Own), Source, Parse) }

// TestParseNamed reads the real files as of a host that somebody named.
func TestParseNamed(t *testing.T) {
	want := inventorytest.Total{Hosts: 12, Packages: 325, Findings: 0}
	if got := inventorytest.Real(t, os.DirFS(inventorytest.Shared), Source, Options{Host: "web-1"}.Parse); got != want {
		t.Errorf("the real files hold %+v, want %+v", got, want)
	}
}

func FuzzParseNamed(f *testing.F) {
	inventorytest.Fuzz(f, os.DirFS(inventorytest.Own), Source, Options{Host: "web-1"}.Parse)
}

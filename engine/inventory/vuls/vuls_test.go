package vuls

import (
	"os"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/inventory/inventorytest"
)

func TestParseReal(t *testing.T) {
	want := inventorytest.Total{Hosts: 55, Packages: 15481, Findings: 751}
	if got := inventorytest.Real(t, os.DirFS(inventorytest.Shared), Source, Parse); got != want {
		t.Errorf("the real files hold %+v, want %+v", got, want)
	}
}

func FuzzParse(f *testing.F) { inventorytest.Fuzz(f, os.DirFS(inventorytest.Own), Source, Parse) }

package match

import (
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

func TestTarget(t *testing.T) {
	tests := []struct {
		name, version, source, sourceVersion, to, want string
		ok                                             bool
	}{
		{"libssl3", "3.0.11-1", "openssl", "", "3.0.15-1", "3.0.15-1", true},
		{"bash", "5.2.15-2+b2", "bash", "5.2.15-2", "5.2.15-3", "5.2.15-3", true},
		{"bash", "5.2.15-2+b2", "bash", "5.2.15-2", "5.2.15-2", "5.2.15-2+b2", true},
		{"bsdutils", "1:2.38.1-5+b1", "util-linux", "2.38.1-5", "2.38.1-5+deb12u1", "1:2.38.1-5+deb12u1", true},
		{"libx1", "2.0-1", "x", "3:2.0-1", "3:2.0-2", "2.0-2", true},
		{"dmsetup", "2:1.02.185-2", "lvm2", "2.03.16-2", "2.03.16-3", "", false},
		{"cpp", "4:12.2.0-3", "gcc-defaults", "1.203", "1.204", "", false},
		{"linux-image-amd64", "6.1.55-1", "linux-signed-amd64", "6.1.55+1", "6.1.66-1", "6.1.66-1", true},
		{"x", "1.0-1+bogus", "x", "1.0-1", "1.0-2", "", false},
		{"curl", "7.52.1-5+deb9u10", "curl", "7.52.1-5", "7.52.1-5+deb9u13", "7.52.1-5+deb9u13", true},
	}
	for _, test := range tests {
		b := &inventory.Package{Type: version.Deb, Name: test.name, Version: test.version, Source: test.source, SourceVersion: test.sourceVersion}
		if got, ok := Target(b, test.to); got != test.want || ok != test.ok {
			t.Errorf("Target(%s %s, %s) = %q, %v; want %q, %v", test.name, test.version, test.to, got, ok, test.want, test.ok)
		}
	}
}

package telemetry

import (
	"strings"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

func TestFill(t *testing.T) {
	tests := []struct {
		text, host, address string
		want, err           string
	}{
		{`up{instance="{{host}}:9100"}`, "web-01", "", `up{instance="web-01:9100"}`, ""},
		{"http://{{address}}/{{host}}/{{host}}", "web-01", "10.0.4.7", "http://10.0.4.7/web-01/web-01", ""},
		{"[{{address}}]", "web-01", "2001:db8::1", "[2001:db8::1]", ""},
		{"up", "web 01", "no address", "up", ""},
		{"{{address}}", "web-01", "", "", `host "web-01" has no address in its facts`},
		{`up{instance="{{host}}"}`, `web"} or vector(1)#`, "", "", "cannot stand in"},
		{"{{address}}", "web-01", "10.0.0.1/../x", "", "cannot stand in"},
		{"{{address}}", "web-01", "-oProxyCommand=x", "", "cannot stand in"},
		{"{{host}}", "{{address}}", "10.0.0.1", "", "cannot stand in"},
	}
	for _, tc := range tests {
		got, err := Fill(tc.text, inventory.HostID(tc.host), tc.address)
		if got != tc.want || (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
			t.Errorf("Fill(%q, %q, %q) = %q, %v, want %q, %q", tc.text, tc.host, tc.address, got, err, tc.want, tc.err)
		}
	}
}

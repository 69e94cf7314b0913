package telemetry

import (
	"net/url"
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

// A page of a host with an IPv6 address is asked for there, and not taken for one
// that does not answer because its address is none.
func TestFillURL(t *testing.T) {
	tests := []struct{ text, address, want string }{
		{"http://{{address}}:8080/{{host}}", "10.0.4.7", "http://10.0.4.7:8080/web-01"},
		{"http://{{address}}:8080/{{host}}", "2001:db8::1", "http://[2001:db8::1]:8080/web-01"},
		{"http://[{{address}}]:8080/", "2001:db8::1", "http://[2001:db8::1]:8080/"},
		{"http://[{{address}}]:8080/", "10.0.4.7", "http://10.0.4.7:8080/"},
		{"https://{{address}}/", "fe80::1%eth0", "https://[fe80::1%25eth0]/"},
		{"http://proxy/{{address}}", "2001:db8::1", "http://proxy/2001:db8::1"},
		{"http://{{host}}/", "", "http://web-01/"},
	}
	for _, tc := range tests {
		got, err := FillURL(tc.text, "web-01", tc.address)
		if got != tc.want || err != nil {
			t.Errorf("FillURL(%q, %q) = %q, %v, want %q", tc.text, tc.address, got, err, tc.want)
		}
		if u, err := url.Parse(got); err != nil || u.Hostname() == "" {
			t.Errorf("%q is no address: %v", got, err)
		}
	}
	if _, err := FillURL("http://{{address}}/", "web-01", ""); err == nil {
		t.Error("a host without an address has a page")
	}
}

func TestMisplaced(t *testing.T) {
	for text, want := range map[string]string{
		"up{a=\"{{host}}\"} {{address}}": "", "{{hosts}}": "{{hosts}}", "{{ host }}": "{{ host }}", "x{{.State.Health}}": "", "{{json .}}": "",
	} {
		if got := Misplaced(text); got != want {
			t.Errorf("Misplaced(%q) = %q, want %q", text, got, want)
		}
	}
}

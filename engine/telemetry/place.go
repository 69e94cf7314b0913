package telemetry

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// Place is where in a text a site wants a host to stand.
const (
	HostPlace    = "{{host}}"
	AddressPlace = "{{address}}"
)

// plainName is what may stand in an address, an argument or a PromQL string
// without being taken for anything else. It holds IPv6 addresses, too.
var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:%-]*$`)

// Fill puts a host into a text, at every {{host}} its id and at every {{address}}
// the address that facts gave it; an address that is asked for and is not known,
// or holds what no address does, is an error.
func Fill(text string, host inventory.HostID, address string) (string, error) {
	for _, p := range []struct{ place, value, what string }{{HostPlace, string(host), "id"}, {AddressPlace, address, "address"}} {
		if !strings.Contains(text, p.place) {
			continue
		}
		switch {
		case p.value == "":
			return "", fmt.Errorf("host %q has no %s in its facts, and %q asks for it", host, p.what, text)
		case !plainName.MatchString(p.value):
			return "", fmt.Errorf("host %q: its %s %q cannot stand in %q", host, p.what, p.value, text)
		}
		text = strings.ReplaceAll(text, p.place, p.value)
	}
	return text, nil
}

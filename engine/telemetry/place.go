package telemetry

import (
	"fmt"
	"net/netip"
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

// Placed says whether a host stands anywhere in a text.
func Placed(text string) bool {
	return strings.Contains(text, HostPlace) || strings.Contains(text, AddressPlace)
}

// FillURL is Fill for the address of a page, in which an IPv6 address stands in
// brackets: it puts them where {{address}} is the host, and takes those away that
// stand around an IPv4 address.
func FillURL(text string, host inventory.HostID, address string) (string, error) {
	const bare, bracketed = "//" + AddressPlace, "//[" + AddressPlace + "]"
	ip, err := netip.ParseAddr(address)
	switch {
	case err == nil && ip.Is6():
		text = strings.Replace(text, bare, bracketed, 1)
		address = strings.ReplaceAll(address, "%", "%25") // a zone, as RFC 6874 has it
	case address != "":
		text = strings.Replace(text, bracketed, bare, 1)
	}
	return Fill(text, host, address)
}

// unknownPlace is what reads like a place and is none.
var unknownPlace = regexp.MustCompile(`\{\{\s*[A-Za-z_]+\s*\}\}`)

// Misplaced returns what in a text reads like a place and is none, as
// {{hostname}}; "" where nothing does. Fill would leave it as it is.
func Misplaced(text string) string {
	return unknownPlace.FindString(strings.NewReplacer(HostPlace, "", AddressPlace, "").Replace(text))
}

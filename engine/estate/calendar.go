package estate

import (
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
)

// zone checks the name of a time zone.
func (r *reader) zone(d *hclfile.Decoder, attr, name string) bool {
	if _, err := time.LoadLocation(name); err != nil || name == "" || name == "Local" {
		d.Fault(attr, "attribute %q: %q is not a time zone; expected an IANA name such as \"Europe/Berlin\" or \"UTC\"", attr, name)
		return false
	}
	return true
}

// checkWindow checks recurrence, start and zone of a window.
func (r *reader) checkWindow(c checked) {
}

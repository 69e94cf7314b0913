package estate

import (
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

// zone checks the name of a time zone.
func (r *reader) zone(d *hclfile.Decoder, attr, name string) bool {
	if zoneExists(name) {
		return true
	}
	if near := hclfile.Nearest(name, ring.ZoneNames()); near != "" {
		d.Fault(attr, "attribute %q: %q is not a time zone; did you mean %q?", attr, name, near)
	} else {
		d.Fault(attr, `attribute %q: %q is not a time zone; expected an IANA name such as "Europe/Berlin" or "UTC"`, attr, name)
	}
	return false
}

func zoneExists(name string) bool {
	_, err := ring.Zone(name)
	return err == nil && name != ""
}

// checkWindows checks recurrence, start and duration of every window, and gives
// those without a zone the estate's.
func (r *reader) checkWindows() {
	zone := r.estate.Settings.Timezone
	if !zoneExists(zone) {
		zone = "UTC" // the estate block's own fault, reported there
	}
	for _, c := range r.windows {
		r.checkWindow(c, zone)
	}
	for i := range r.estate.Windows {
		if w := &r.estate.Windows[i]; w.Timezone == "" {
			w.Timezone = zone
		}
	}
}

// checkWindow checks what can be judged although another attribute is missing
// or has a fault, for which something harmless stands in.
func (r *reader) checkWindow(c checked, zone string) {
	w := c.w
	if !c.d.Has("timezone") {
		w.Timezone = zone
	}
	if !c.d.Has("duration") {
		w.Duration = time.Second
	}
	if !c.d.Has("start") && w.Start != "" {
		w.Start = ""
	}
	for _, p := range w.Check() {
		c.d.Fault(p.Attribute, "attribute %q: %s", p.Attribute, p.Message)
	}
}

package estate

import (
	"fmt"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

// zone checks the name of a time zone.
func (r *reader) zone(d *hclfile.Decoder, attr, name string) bool {
	if zoneExists(name) {
		return true
	}
	did := ""
	if near := nearestZone(name); near != "" {
		did = fmt.Sprintf("did you mean %q? ", near)
	}
	d.Fault(attr, `attribute %q: %q is not a time zone; %sexpected an IANA name such as "Europe/Berlin" or "UTC"`, attr, name, did)
	return false
}

// nearestZone returns the zone that was probably meant, by its city or by its
// spelling, "" when none is close.
func nearestZone(name string) string {
	names := ring.ZoneNames()
	city := "/" + strings.ReplaceAll(name, " ", "_")
	for _, zone := range names {
		if len(city) > 3 && len(zone) > len(city) && strings.EqualFold(zone[len(zone)-len(city):], city) {
			return zone
		}
	}
	return hclfile.Nearest(name, names)
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
	for i := range r.estate.Freezes {
		if w := r.estate.Freezes[i].Every; w != nil && w.Timezone == "" {
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

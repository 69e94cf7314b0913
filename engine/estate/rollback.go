package estate

import (
	"path"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

// rollback reads a rollback block.
func (r *reader) rollback(b *hclfile.Block) {
	d := hclfile.Decode(b, 1, &r.hcl)
	d.Need("possible", "why")
	x := ring.Rollback{
		Name:     b.Name(),
		Patches:  d.Strings("patches"),
		Possible: d.Bool("possible"),
		Why:      strings.TrimSpace(d.String("why")),
		Instead:  strings.TrimSpace(d.String("instead")),
		Select:   r.selectors(d),
	}
	for _, it := range d.Items("patches") {
		if _, err := path.Match(it.Text, ""); err != nil {
			d.At(it.Place, `%s: attribute "patches": %q is no pattern: a "[" has no "]", or a "\" ends it`, d.Title(), it.Text)
		} else if !strings.ContainsAny(it.Text, ":*?") {
			d.At(it.Place, `%s: attribute "patches": %q is the id of no patch; expected a pattern such as "deb:%s@*"`, d.Title(), it.Text, it.Text)
		}
	}
	for _, attr := range []string{"why", "instead"} {
		if d.Has(attr) && strings.TrimSpace(d.String(attr)) == "" {
			d.Fault(attr, "attribute %q is empty", attr)
		}
	}
	switch {
	case !d.Has("possible"):
	case !x.Possible:
		d.Need("instead")
	case d.Has("instead"):
		d.Fault("instead", `attribute "instead" is for what cannot be rolled back, where possible = false`)
	}
	d.Done()
	if r.declare(b) {
		r.estate.Rollbacks = append(r.estate.Rollbacks, x)
	}
}

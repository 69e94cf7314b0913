package estate

import (
	"maps"
	"math"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/review"
)

// block reads one block of a type into the estate.
type block func(r *reader, b *hclfile.Block)

var inventoryBlocks = map[string]block{
	"estate":    (*reader).settings,
	"tier":      (*reader).tier,
	"service":   (*reader).service,
	"host":      (*reader).host,
	"window":    (*reader).window,
	"freeze":    (*reader).freeze,
	"feed":      (*reader).feed,
	"exception": (*reader).exception,
	"rollback":  (*reader).rollback,
}

var ringBlocks = map[string]block{
	"ring":     (*reader).ring,
	"fleet":    (*reader).fleet,
	"health":   (*reader).health,
	"workload": (*reader).workload,
}

// homes are the folders that blocks stand in. Those in policies/ are read with the
// policies.
var homes = map[string][]string{
	"inventory": slices.Sorted(maps.Keys(inventoryBlocks)),
	"rings":     slices.Sorted(maps.Keys(ringBlocks)),
	"policies":  {"bundle"},
}

// home is the folder that a block stands in, "" where no block has that name.
func home(typ string) string {
	for dir, types := range homes {
		if slices.Contains(types, typ) {
			return dir
		}
	}
	return ""
}

// inventory reads inventory/*.hcl.
func (r *reader) inventory() {
	r.blocks("inventory", inventoryBlocks)
	switch {
	case len(r.estates) == 0 && !r.mentioned["estate"]["*"]:
		r.at(hclfile.Place{File: "inventory"}, `no estate block; exactly one is expected, as in estate "acme" { timezone = "UTC" }`)
	case len(r.estates) > 1:
		for _, p := range r.estates[1:] {
			r.at(p, "a second estate block; the first is at %s", r.estates[0])
		}
	}
}

// rings reads rings/*.hcl.
func (r *reader) rings() {
	r.blocks("rings", ringBlocks)
}

// blocks reads every HCL file of a folder. A block that belongs to another folder
// is said to.
func (r *reader) blocks(dir string, known map[string]block) {
	for _, name := range r.under(dir) {
		if path.Ext(name) != ".hcl" {
			continue
		}
		if path.Dir(name) != dir {
			r.fault(name, 0, "HCL files are read from %s/ itself, not from folders below it", dir)
			continue
		}
		data, ok := r.read(name)
		if !ok {
			continue
		}
		f, faults := hclfile.Parse(name, data)
		r.hcl = append(r.hcl, faults...)
		r.remember(f)
		d := hclfile.Decode(f.Root, 0, &r.hcl)
		for _, typ := range slices.Sorted(maps.Keys(known)) {
			d.Blocks(typ)
		}
		var unknown []*hclfile.Block
		for _, b := range f.Root.Blocks {
			switch {
			case known[b.Type] != nil:
				known[b.Type](r, b)
			case home(b.Type) != "":
				r.at(b.Place, "a %s block stands in %s/*.hcl, not in %s/*.hcl", b.Type, home(b.Type), dir)
			default:
				unknown = append(unknown, b)
			}
		}
		f.Root.Blocks = unknown
		d.Done()
	}
}

// remember notes what a broken file mentions.
func (r *reader) remember(f *hclfile.File) {
	r.broken = r.broken || f.Broken
	for _, m := range f.Mentions {
		r.mention(m.Type, m.Name)
		r.mention(m.Type, "*")
	}
}

// declare notes a block's name. It reports false, with a fault, for a name that
// is missing, ill-formed or taken.
func (r *reader) declare(b *hclfile.Block) bool {
	if !r.name(b) {
		r.mention(b.Type, b.Name())
		return false
	}
	return r.unique(b)
}

// mention notes a name that is not declared as it should be, so that who refers
// to it is not a second fault.
func (r *reader) mention(typ, name string) {
	if r.mentioned[typ] == nil {
		r.mentioned[typ] = map[string]bool{}
	}
	r.mentioned[typ][name] = true
}

func (r *reader) unique(b *hclfile.Block) bool {
	names := r.declared[b.Type]
	if names == nil {
		names = map[string]hclfile.Place{}
		r.declared[b.Type] = names
	}
	if first, taken := names[b.Name()]; taken {
		r.at(b.NamePlace(), "%s %q is declared twice; it was first declared at %s", b.Type, b.Name(), first)
		return false
	}
	names[b.Name()] = b.NamePlace()
	return true
}

// defaults are the settings of an estate block that says nothing.
func defaults() inventory.Settings {
	return inventory.Settings{
		Timezone:  "UTC",
		Clock:     "wall",
		OpenPlans: 5,
		Owners:    []string{"owners"},
		Expires:   7 * 24 * time.Hour,
	}
}

// settings reads the estate block.
func (r *reader) settings(b *hclfile.Block) {
	r.estates = append(r.estates, b.Place)
	d := hclfile.Decode(b, 1, &r.hcl)
	s := defaults()
	if r.name(b) {
		s.Name = b.Name()
	}
	if zone := d.String("timezone"); d.Has("timezone") {
		s.Timezone = zone
		r.zone(d, "timezone", zone)
	}
	if clock := d.Word("clock", "wall", "given"); d.Has("clock") {
		s.Clock = clock
	}
	s.Review = d.Word("review", "required", "none")
	if n := d.Int("open_plans", 1); d.Has("open_plans") {
		s.OpenPlans = n
	}
	if owners := d.Strings("owners"); d.Has("owners") {
		s.Owners = owners
		r.people(d, "owners", owners)
		if len(owners) == 0 {
			d.Fault("owners", `attribute "owners" is empty; name who may approve what loosens`)
		}
	}
	s.Teams = r.teams(d)
	if span := d.Duration("expires", time.Minute); d.Has("expires") {
		s.Expires = span
	}
	s.Baseline = d.Map("baseline")
	if _, err := review.ParseBaseline(s.Baseline); err != nil {
		d.Fault("baseline", "%v", err)
	}
	s.Groups = r.groups(d)
	s.SLA = r.sla(d)
	s.Economy = r.economy(d)
	d.Done()
	if len(r.estates) == 1 {
		r.estate.Settings = s
	}
}

func (r *reader) teams(d *hclfile.Decoder) map[string][]string {
	teams := d.MapOfLists("teams")
	for _, team := range slices.Sorted(maps.Keys(teams)) {
		r.people(d, "teams", append([]string{team}, teams[team]...))
	}
	return teams
}

func (r *reader) groups(d *hclfile.Decoder) []inventory.Group {
	var groups []inventory.Group
	for _, b := range d.Blocks("group") {
		g := hclfile.Decode(b, 1, &r.hcl)
		g.Need("services")
		services := r.services(g, "services")
		g.Done()
		if len(b.Labels) == 0 {
			continue
		}
		if !validGroup(b.Name()) {
			r.at(b.NamePlace(), `group name %q: a group's name has up to 40 lower-case letters, digits and "-", for it is part of plan ids and branches`, b.Name())
			continue
		}
		if r.unique(b) {
			groups = append(groups, inventory.Group{Name: b.Name(), Services: services})
		}
	}
	slices.SortFunc(groups, func(a, b inventory.Group) int { return strings.Compare(a.Name, b.Name) })
	return groups
}

// sla reads the estate's own clocks, by class.
func (r *reader) sla(d *hclfile.Decoder) map[string]time.Duration {
	b := d.Block("sla")
	if b == nil {
		return nil
	}
	s := hclfile.Decode(b, 0, &r.hcl)
	clocks := map[string]time.Duration{}
	for _, class := range []string{"critical", "high", "standard", "low"} {
		if span := s.Duration(class, time.Minute); s.Has(class) {
			clocks[class] = span
		}
	}
	s.Done()
	return clocks
}

// economy reads what the estate takes for granted of losses.
func (r *reader) economy(d *hclfile.Decoder) inventory.Economy {
	b := d.Block("economy")
	if b == nil {
		return inventory.Economy{}
	}
	e := hclfile.Decode(b, 0, &r.hcl)
	out := inventory.Economy{Currency: e.String("currency"), Detection: e.Duration("detection", time.Minute), Compromise: e.Duration("compromise", time.Minute)}
	if e.Has("currency") && !made(out.Currency, letters, letters, 3) {
		e.Fault("currency", `attribute "currency" is %q; expected a code of up to three letters, such as "EUR"`, out.Currency)
		out.Currency = ""
	}
	if reach := e.Block("reach"); reach != nil {
		words := hclfile.Decode(reach, 0, &r.hcl)
		for _, exposure := range []string{"internet", "internal", "isolated"} {
			if share := words.Number(exposure, 0, 1); words.Has(exposure) {
				if out.Reach == nil {
					out.Reach = map[string]float64{}
				}
				out.Reach[exposure] = share
			}
		}
		words.Done()
	}
	e.Done()
	return out
}

// tier reads a tier block.
func (r *reader) tier(b *hclfile.Block) {
	d := hclfile.Decode(b, 1, &r.hcl)
	d.Need("rank")
	t := inventory.Tier{
		Name:                  b.Name(),
		Rank:                  d.Int("rank", 1),
		DowntimeCostPerMinute: d.Number("downtime_cost_per_minute", 0, math.Inf(1)),
		RiskTolerance:         d.Number("risk_tolerance", 0, 1),
		Autonomy:              d.Word("autonomy", "recommend", "semi-autonomous", "autonomous"),
	}
	if t.Autonomy == "" {
		t.Autonomy = "recommend"
	}
	d.Done()
	if !r.declare(b) {
		return
	}
	for _, o := range r.estate.Tiers {
		if d.Has("rank") && o.Rank == t.Rank {
			d.Fault("rank", "rank %d is that of tier %q already; every tier has a rank of its own", t.Rank, o.Name)
		}
	}
	r.estate.Tiers = append(r.estate.Tiers, t)
}

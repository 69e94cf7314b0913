package synthetic

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// service is one that is declared.
type service struct {
	name, role, group, tier, owner string
	exposure, window               string
	dependsOn                      []string
	system                         *system // what most of its hosts run
	weight                         float64 // its share of the hosts, not yet normed
}

var tiers = []struct {
	name     string
	cost     int
	risk     string
	autonomy string
	share    float64
}{
	{"business-critical", 5600, "0.05", "recommend", 0.15},
	{"production", 400, "0.10", "semi-autonomous", 0.45},
	{"internal", 60, "0.20", "autonomous", 0.25},
	{"development", 5, "0.30", "autonomous", 0.15},
}

var zones = []struct{ name, zone string }{{"ber", "Europe/Berlin"}, {"nyc", "America/New_York"}, {"sin", "Asia/Singapore"}}

var groups = []string{"payments", "logistics", "catalogue", "identity", "analytics", "office", "media"}

var roles = []string{"web", "api", "db", "cache", "queue", "batch"}

// The fewest and the most services an estate has.
const fewest, most = 40, 200

func (e *maker) serviceCount() int { return min(most, max(fewest, e.Hosts/250)) }

// declare writes what people declare.
func (e *maker) declare() {
	e.chooseServices()
	var b strings.Builder
	e.writeEstate(&b)
	e.writeCalendar(&b)
	for i := range e.services {
		e.services[i].write(&b)
	}
	e.files["inventory/estate.hcl"] = []byte(b.String())
}

func (e *maker) chooseServices() {
	rng := e.chance(forServices)
	e.services = []service{{name: "lab", role: "web", group: "office", tier: "development", owner: "team-office", exposure: "isolated", system: e.systems[1], weight: 0.4}}
	for n := 1; n < e.serviceCount(); n++ {
		s := service{role: roles[n%len(roles)], group: groups[rng.IntN(len(groups))], tier: pick(rng, tiers[0].name, tiers[1].name, tiers[2].name, tiers[3].name)}
		s.name = fmt.Sprintf("%s-%s-%03d", s.group, s.role, n)
		s.owner = "team-" + s.group
		s.exposure = []string{"internal", "internal", "internal", "isolated"}[rng.IntN(4)]
		if s.role == "web" || s.role == "api" && rng.IntN(2) == 0 {
			s.exposure = "internet"
		}
		s.window = []string{"nights", "nights", "sundays"}[rng.IntN(3)] + "-" + zones[rng.IntN(len(zones))].name
		if s.tier == "development" && rng.IntN(2) == 0 {
			s.window = ""
		}
		s.system = e.system(rng)
		s.weight = 0.3 + rng.ExpFloat64()
		s.dependsOn = e.dependencies(rng)
		e.services = append(e.services, s)
	}
}

// pick chooses a tier by its share.
func pick(rng *rand.Rand, names ...string) string {
	roll := rng.Float64()
	for i := range names {
		if roll -= tiers[i].share; roll < 0 {
			return names[i]
		}
	}
	return names[len(names)-1]
}

func (e *maker) system(rng *rand.Rand) *system {
	roll := rng.Float64()
	for _, s := range e.systems {
		if roll -= s.share; roll < 0 {
			return s
		}
	}
	return e.systems[len(e.systems)-1]
}

// dependencies are up to two services declared earlier, so that there are no
// cycles.
func (e *maker) dependencies(rng *rand.Rand) []string {
	var list []string
	for range rng.IntN(3) {
		if len(e.services) < 3 {
			break
		}
		on := e.services[1+rng.IntN(len(e.services)-1)].name
		if !slices.Contains(list, on) {
			list = append(list, on)
		}
	}
	slices.Sort(list)
	return list
}

func (s *service) write(b *strings.Builder) {
	fmt.Fprintf(b, "\nservice %q {\n  tier          = %q\n  owner         = %q\n  hosts         = [\"%s-*\"]\n  labels        = { role = %q }\n  exposure      = %q\n", s.name, s.tier, s.owner, s.name, s.role, s.exposure)
	if s.window != "" {
		fmt.Fprintf(b, "  window        = %q\n", s.window)
	}
	if s.name != "lab" {
		fmt.Fprintf(b, "  min_available = %q\n", map[string]string{"business-critical": "80%", "production": "60%", "internal": "50%", "development": "0%"}[s.tier])
	}
	if len(s.dependsOn) > 0 {
		fmt.Fprintf(b, "  depends_on    = [\"%s\"]\n", strings.Join(s.dependsOn, `", "`))
	}
	if s.group == "payments" {
		b.WriteString("  compliance    = [\"pci-dss\"]\n")
	}
	b.WriteString("}\n")
}

func (e *maker) writeEstate(b *strings.Builder) {
	b.WriteString("estate \"synthetic\" {\n  timezone   = \"Europe/Berlin\"\n  clock      = \"given\"\n  open_plans = 5\n  owners     = [\"owners\"]\n")
	b.WriteString("  teams = {\n    owners = [\"olivia\", \"omar\"]\n")
	for _, g := range groups {
		fmt.Fprintf(b, "    team-%s = [\"%s-one\", \"%s-two\"]\n", g, g, g)
	}
	b.WriteString("  }\n")
	for _, g := range groups {
		services := fmt.Sprintf("%s-*", g)
		if g == "office" {
			services += `", "lab`
		}
		fmt.Fprintf(b, "  group %q {\n    services = [\"%s\"]\n  }\n", g, services)
	}
	b.WriteString("  sla {\n    critical = \"24h\"\n    high     = \"7d\"\n    standard = \"30d\"\n    low      = \"90d\"\n  }\n}\n")
	for i, t := range tiers {
		fmt.Fprintf(b, "\ntier %q {\n  rank                     = %d\n  downtime_cost_per_minute = %d\n  risk_tolerance           = %s\n  autonomy                 = %q\n}\n", t.name, i+1, t.cost, t.risk, t.autonomy)
	}
}

func (e *maker) writeCalendar(b *strings.Builder) {
	for _, z := range zones {
		fmt.Fprintf(b, "\nwindow \"nights-%s\" {\n  recur    = \"FREQ=WEEKLY;BYDAY=MO,TU,WE,TH;BYHOUR=22;BYMINUTE=0\"\n  duration = \"6h\"\n  timezone = %q\n}\n", z.name, z.zone)
		fmt.Fprintf(b, "\nwindow \"sundays-%s\" {\n  recur    = \"FREQ=WEEKLY;BYDAY=SU;BYHOUR=2;BYMINUTE=0\"\n  duration = \"6h\"\n  timezone = %q\n}\n", z.name, z.zone)
	}
	freeze := func(name string, from, to float64, services string) {
		fmt.Fprintf(b, "\nfreeze %q {\n  from     = %q\n  to       = %q\n  services = [%q]\n  reason   = \"%s\"\n}\n", name, e.ago(-from).Format(time.RFC3339), e.ago(-to).Format(time.RFC3339), services, name)
	}
	freeze("year-end", -70, -58, "*")
	freeze("quarter-close", 9, 11, "payments-*")
	freeze("campaign", 4, 5, "media-*")
}

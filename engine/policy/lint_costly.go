package policy

import (
	"slices"
	"strings"
)

var costlyRead = Check{
	Name: "costly-read", Warning: true,
	About: "A rule is evaluated once for each distinct combination of what it reads. One that reads what tells hosts apart is evaluated once a host.",
	find: func(l *linter) {
		for _, c := range l.set.clauses {
			for _, p := range c.reads {
				why := costly(p)
				if why == "" || !slices.Contains(c.points, Change) {
					continue
				}
				l.reportAt(c.file, c.line, 1, "%s reads %s: one evaluation for each host; %s", c.rule, wholeRead(p), why)
			}
		}
	},
}

// cheaper says what to read instead of what tells hosts apart.
var cheaper = map[string]string{
	"input":                   "read the attributes that the answer depends on, by name",
	"input.host":              "read the attributes that the answer depends on, by name",
	"input.host.id":           "leave it out of the message: the plan says which host",
	"input.host.age_seconds":  "input.host.age_days has far fewer values",
	"input.host.disk_free_mb": "input.host.disk_free_gb has far fewer values",
	"input.host.mem_free_mb":  "nothing coarser is there, so ask for it last and only where it matters",
	"input.host.labels":       "read the labels that the answer depends on, by name: input.host.labels.role",
}

func costly(p trail) string { return cheaper[p.String()] }

func wholeRead(p trail) string {
	if name := p.String(); len(p) < 2 || name == "input.host.labels" {
		return "all of " + strings.TrimSuffix(name, ".")
	}
	return p.String()
}

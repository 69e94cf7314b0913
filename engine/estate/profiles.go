package estate

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
)

// profilesFile names the compliance tags that the estate's policies know.
const profilesFile = "policies/compliance/data.json"

// tag is a compliance tag where a service has it.
type tag struct {
	hclfile.Place
	service string
	text    string
}

// profiles tells of compliance tags that turn nothing on, which is no fault: tags
// are the estate's own, and policies other than the library's may read them. An
// estate without the library's profiles hears nothing.
func (r *reader) profiles() {
	var library struct {
		Profiles map[string]json.RawMessage `json:"profiles"`
	}
	data, ok := r.estate.Policies[profilesFile]
	if !ok || json.Unmarshal(data, &library) != nil || len(library.Profiles) == 0 {
		return
	}
	known := slices.Sorted(maps.Keys(library.Profiles))
	for _, t := range r.tags {
		if _, ok := library.Profiles[t.text]; !ok {
			r.notice(t.File, "service %q: compliance tag %q turns nothing on; %s, or name it in %s", t.service, t.text, hclfile.Expected(t.text, known), profilesFile)
			n := &r.estate.Notices[len(r.estate.Notices)-1]
			n.Line, n.Column = t.Line, t.Column
		}
	}
	slices.SortFunc(r.estate.Notices, Order)
}

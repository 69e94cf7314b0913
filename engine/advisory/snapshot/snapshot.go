// Package snapshot reads a file of advisories, whatever its format and however
// it is packed.
//
// A format is told by what stands in a document, never by a file's name. What
// is recognised but not read yet, and what is not recognised, is counted and
// named, so that whoever asked for the file can say so: nothing is passed over
// in silence.
package snapshot

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime"
	"sync"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/advisory/archive"
	"github.com/ringmaster-dev/ringmaster/engine/advisory/cve"
	"github.com/ringmaster-dev/ringmaster/engine/advisory/debian"
	"github.com/ringmaster-dev/ringmaster/engine/advisory/epss"
	"github.com/ringmaster-dev/ringmaster/engine/advisory/kev"
	"github.com/ringmaster-dev/ringmaster/engine/advisory/osv"
	"github.com/ringmaster-dev/ringmaster/engine/advisory/patches"
)

// Snapshot is what one file holds. Everything is in the order of the members.
type Snapshot struct {
	Documents  map[Kind]int // how many documents of each kind, also of those not read
	Unknown    []string     // names of documents that are not recognised
	Advisories []advisory.Advisory
	Catalogues []kev.Catalogue
	Scores     []epss.Scores
	Assessed   []advisory.Assessment
	Rejected   int // CVE records that are rejected and assess nothing
	Patches    int // lines of ringmaster/patch/v1

	Broken   []advisory.Problem // documents that are not what they set out to be
	Problems []advisory.Problem // what was left out of the others
}

// Limits is how much a file may unpack to.
type Limits = archive.Limits

// Records is how many records of a kind the file holds: advisories, entries,
// scores or assessments; for a kind that is not read, documents.
func (s *Snapshot) Records(k Kind) int {
	n := 0
	switch k {
	case OSV, Debian:
		format := map[Kind]string{OSV: osv.Format, Debian: debian.Format}[k]
		for i := range s.Advisories {
			if s.Advisories[i].Format == format {
				n++
			}
		}
	case KEV:
		for _, c := range s.Catalogues {
			n += len(c.Entries)
		}
	case EPSS:
		for _, e := range s.Scores {
			n += len(e.Forecasts)
		}
	case CVE:
		n = len(s.Assessed) + s.Rejected
	case Patches:
		n = s.Patches
	default:
		n = s.Documents[k]
	}
	return n
}

// part is what one document holds.
type part struct {
	name string
	kind Kind
	Snapshot
}

// Read reads a file. The name serves for the date of the oldest EPSS files
// alone, which say it nowhere else. An error means that the packing is broken or
// over the limits; a broken document is in Broken and hides no other.
func Read(name string, data []byte, limits Limits) (*Snapshot, error) {
	parts, err := parse(name, data, limits)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{Documents: map[Kind]int{}}
	for _, p := range parts {
		s.add(p)
	}
	return s, nil
}

// parse reads the members in turn and parses them side by side.
func parse(name string, data []byte, limits Limits) ([]*part, error) {
	type job struct {
		p   *part
		doc []byte
	}
	var parts []*part
	jobs := make(chan job, 64)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for j := range jobs {
				j.p.parse(j.doc, name)
			}
		})
	}
	err := archive.Walk(data, limits, func(m archive.Member) error {
		p := &part{name: clip(m.Name)}
		parts = append(parts, p)
		jobs <- job{p, m.Data}
		return nil
	})
	close(jobs)
	workers.Wait()
	return parts, err
}

// clip keeps the names that an archive gives to a length that a message bears.
func clip(name string) string {
	if len(name) > 200 {
		return name[:200] + "…"
	}
	return name
}

// parse reads one document.
func (p *part) parse(doc []byte, file string) {
	doc = bytes.TrimPrefix(doc, []byte("\ufeff"))
	p.kind = Recognise(doc)
	switch p.kind {
	case OSV:
		p.osv(doc)
	case KEV:
		c, problems, err := kev.Parse(doc)
		p.Catalogues = []kev.Catalogue{c}
		p.done(problems, err)
	case EPSS:
		s, problems, err := epss.Parse(doc)
		for _, hint := range []string{p.name, file} {
			if s.At.IsZero() {
				s.At = epss.DateIn(hint)
			}
		}
		p.Scores = []epss.Scores{s}
		p.done(problems, err)
	case CVE:
		a, ok, problems, err := cve.Parse(doc)
		if ok {
			p.Assessed = []advisory.Assessment{a}
		} else if err == nil {
			p.Rejected = 1
		}
		p.done(problems, err)
	case Debian:
		list, problems, err := debian.Parse(doc)
		p.Advisories = list
		p.done(problems, err)
	case Patches:
		lines, problems := patches.Parse(doc)
		p.Patches = len(lines)
		p.Broken = problems
	}
}

// done takes in what is wrong with a document: an error means that there is
// nothing of it.
func (p *part) done(problems []advisory.Problem, err error) {
	if err != nil {
		p.Snapshot = Snapshot{Broken: append(p.Broken, advisory.Problem{Message: err.Error()})}
		return
	}
	p.Problems = append(p.Problems, problems...)
}

// osv reads one record or a list of them.
func (p *part) osv(doc []byte) {
	records := []json.RawMessage{doc}
	if bytes.HasPrefix(bytes.TrimLeft(doc, " \t\r\n"), []byte("[")) {
		records = nil
		if err := json.Unmarshal(doc, &records); err != nil {
			p.done(nil, fmt.Errorf("not a list of OSV records: %s", advisory.JSONText(err)))
			return
		}
	}
	for i, r := range records {
		a, problems, err := osv.Parse(r)
		if err != nil {
			if len(records) > 1 {
				err = fmt.Errorf("record %d: %w", i+1, err)
			}
			p.Broken = append(p.Broken, advisory.Problem{Message: err.Error()})
			continue
		}
		p.Advisories = append(p.Advisories, a)
		p.Problems = append(p.Problems, problems...)
	}
}

// add takes a document in.
func (s *Snapshot) add(p *part) {
	s.Documents[p.kind]++
	if p.kind == Unknown {
		s.Unknown = append(s.Unknown, p.name)
	}
	s.Advisories = append(s.Advisories, p.Advisories...)
	s.Catalogues = append(s.Catalogues, p.Catalogues...)
	s.Scores = append(s.Scores, p.Scores...)
	s.Assessed = append(s.Assessed, p.Assessed...)
	s.Rejected += p.Rejected
	s.Patches += p.Patches
	s.Broken = append(s.Broken, named(p.name, p.Broken)...)
	s.Problems = append(s.Problems, named(p.name, p.Problems)...)
}

func named(member string, problems []advisory.Problem) []advisory.Problem {
	for i := range problems {
		problems[i].Member = member
	}
	return problems
}

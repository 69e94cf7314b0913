// Package osquery reads results of osquery into facts.
//
// It takes osqueryd's results log (one JSON object a line, with the host's
// identifier) and what `osqueryi --json` prints (lists of rows, whose host
// somebody must name: see Options). Which table a row is of shows by its
// columns. A log's lines of differences are passed over, for they do not tell
// what is installed as a whole: schedule such queries as snapshots.
package osquery

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// Source is the value of Facts.Source.
const Source = "osquery"

// Options says what a file does not. The zero value works.
type Options struct {
	Host inventory.HostID // the host of rows that name none
	At   time.Time        // the time of facts that have none
}

// entry is a line of the results log.
type entry struct {
	Name     string          `json:"name"`
	Host     string          `json:"hostIdentifier"`
	UnixTime json.RawMessage `json:"unixTime"`
	Action   string          `json:"action"`
	Snapshot []row           `json:"snapshot"`
	Columns  row             `json:"columns"`
	Diff     json.RawMessage `json:"diffResults"`
}

// state is what the rows of one host said, the newest answer to each query
// alone.
type state struct {
	at      time.Time
	answers map[string]answer // by the query's name
}

type answer struct {
	at   time.Time
	rows []row
}

// Parse reads one file, without options.
func Parse(name string, data []byte) ([]inventory.Facts, []inventory.Problem) {
	return Options{}.Parse(name, data)
}

// Parse reads one file. It gives the facts of every host in it, sorted by host.
func (o Options) Parse(name string, data []byte) ([]inventory.Facts, []inventory.Problem) {
	p := &inventory.Problems{File: name}
	hosts, ok := o.states(data, p)
	if !ok {
		return nil, p.List
	}
	var list []inventory.Facts
	for _, host := range slices.Sorted(maps.Keys(hosts)) {
		id := inventory.HostID(host)
		if !id.Valid() {
			p.Lost("", "no usable host: %q is not a host name; %s", inventory.Plain(host), inventory.HostGrammar)
			continue
		}
		f := hosts[host].facts(id, p)
		if f.At.IsZero() {
			f.At = o.At
		}
		f.Admit(p)
		list = append(list, f)
	}
	return list, p.List
}

// states collects the rows by host.
func (o Options) states(data []byte, p *inventory.Problems) (map[string]*state, bool) {
	hosts := map[string]*state{}
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))))
	differences, found := 0, false
	for n := 1; ; n++ {
		var raw json.RawMessage
		err := d.Decode(&raw)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			line := 1 + bytes.Count(data[:min(int(d.InputOffset()), len(data))], []byte{'\n'})
			p.Lost("", "not JSON: line %d: %v", line, err)
			return hosts, found
		}
		if rows, ok := bare(raw); ok {
			found = o.rows(hosts, rows, n, p) || found
			continue
		}
		var e entry
		if json.Unmarshal(raw, &e) != nil || e.Host == "" || e.Snapshot == nil && e.Columns == nil && e.Diff == nil {
			p.Lost("", "value %d is not a result of osquery: it has neither rows nor a host's identifier with a snapshot%s", n, inventory.Recognise(raw))
			continue
		}
		found = true
		if e.Snapshot == nil {
			differences++
			continue
		}
		add(hosts, cmp.Or(string(o.Host), e.Host), e.Name, e.at(), e.Snapshot)
	}
	if differences > 0 {
		p.Lost("", "lines of differences passed over (%d): they do not tell what is installed as a whole; schedule the queries as snapshots", differences)
	}
	if !found && len(p.List) == 0 {
		p.Lost("", "the file is empty")
	}
	return hosts, found
}

// bare reads a list of rows.
func bare(raw json.RawMessage) ([]row, bool) {
	var rows []row
	return rows, json.Unmarshal(raw, &rows) == nil && rows != nil
}

// rows adds a list of rows that does not say which host it is of.
func (o Options) rows(hosts map[string]*state, rows []row, n int, p *inventory.Problems) bool {
	if len(rows) > 0 && !slices.ContainsFunc(rows, func(r row) bool { return r.table() != "" }) {
		p.Lost("", "list %d holds no rows of a table that ringmaster reads", n)
		return false
	}
	host := string(o.Host)
	for _, r := range rows {
		if host == "" && r.table() == "system_info" {
			host = r["hostname"]
		}
	}
	if host == "" {
		p.Lost("", "no usable host: list %d of rows does not say which host it is of; name it with --host", n)
		return false
	}
	add(hosts, host, fmt.Sprintf("%d", n), time.Time{}, rows)
	return true
}

func add(hosts map[string]*state, host, query string, at time.Time, rows []row) {
	s := hosts[host]
	if s == nil {
		s = &state{answers: map[string]answer{}}
		hosts[host] = s
	}
	if at.After(s.at) {
		s.at = at
	}
	if old, there := s.answers[query]; !there || !at.Before(old.at) {
		s.answers[query] = answer{at, rows}
	}
}

// at is the time of a line, which older versions write as text.
func (e entry) at() time.Time {
	s, err := strconv.ParseInt(string(bytes.Trim(e.UnixTime, `"`)), 10, 64)
	if err != nil || s <= 0 || s > 1<<40 {
		return time.Time{}
	}
	return time.Unix(s, 0).UTC()
}

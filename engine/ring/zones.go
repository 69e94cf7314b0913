package ring

import (
	"archive/zip"
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// zoneinfo is Go's own copy of the IANA time zone database (public domain),
// lib/time/zoneinfo.zip of the Go that go.mod names. time.LoadLocation asks the
// machine first and the embedded database last, so the same plan could have
// other times on another machine; this package never asks the machine.
//
//go:generate sh -c "cp \"$(go env GOROOT)/lib/time/zoneinfo.zip\" zoneinfo.zip"
//go:embed zoneinfo.zip
var zoneinfo []byte

var zoneFiles = sync.OnceValue(func() map[string]*zip.File {
	r, err := zip.NewReader(bytes.NewReader(zoneinfo), int64(len(zoneinfo)))
	if err != nil {
		panic("ring: the embedded time zone database: " + err.Error())
	}
	files := make(map[string]*zip.File, len(r.File))
	for _, f := range r.File {
		if !f.FileInfo().IsDir() {
			files[f.Name] = f
		}
	}
	return files
})

var zonesRead sync.Map // name → *time.Location

// Zone returns the time zone of an IANA name from the embedded database, the
// same on every machine. The empty name is UTC; "Local" is not a name.
func Zone(name string) (*time.Location, error) {
	if name == "" || name == "UTC" {
		return time.UTC, nil
	}
	if zone, ok := zonesRead.Load(name); ok {
		return zone.(*time.Location), nil
	}
	f := zoneFiles()[name]
	if f == nil {
		return nil, fmt.Errorf("%q is not a time zone", name)
	}
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("time zone %q: %w", name, err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("time zone %q: %w", name, err)
	}
	zone, err := time.LoadLocationFromTZData(name, data)
	if err != nil {
		return nil, fmt.Errorf("time zone %q: %w", name, err)
	}
	first, _ := zonesRead.LoadOrStore(name, zone)
	return first.(*time.Location), nil
}

// ZoneNames returns the names that Zone knows, sorted.
func ZoneNames() []string {
	files := zoneFiles()
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// farthest is more than any zone was ever from UTC (Manila: 15:56:08).
const farthest = 16 * 60 * 60

// instant maps a wall time, written as if it were UTC, to the instant at which
// a clock of the zone shows it: the first one where it is shown twice. A wall
// time that is skipped is read with the offset before the gap.
func instant(wall int64, zone *time.Location) int64 {
	offset, end, bounded := period(wall-farthest, zone)
	for {
		u := wall - offset
		if !bounded || u < end {
			return u
		}
		// The clock had not come to this wall time when the period ended. If it
		// is past it when the next one begins, the time was skipped.
		next, nextEnd, more := period(end, zone)
		if wall-next < end {
			return u
		}
		offset, end, bounded = next, nextEnd, more
	}
}

// period returns the offset that a zone has at an instant and until when it is
// sure to have it; bounded is false where it has it for ever.
func period(u int64, zone *time.Location) (offset, end int64, bounded bool) {
	at := time.Unix(u, 0).In(zone)
	_, seconds := at.Zone()
	_, until := at.ZoneBounds()
	if until.IsZero() {
		return int64(seconds), 0, false
	}
	end = until.Unix()
	if end <= u {
		// After the last recorded jump ZoneBounds goes by years of 365 days and
		// ends a leap year one day early (Go 1.26, time.tzset).
		end += secondsPerDay
	}
	return int64(seconds), end, true
}

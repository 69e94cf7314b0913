// Package synthetic makes estates of any size for benchmarks: thousands of
// hosts on shared golden images, hundreds of services in four tiers, advisories
// in the OSV format, known exploits, forecasts and half a year of history.
//
// Everything is made up and follows from Options alone: the same options give
// the same bytes. Hosts, advisories and history draw from streams of their own,
// so that an estate with more hosts has the same advisories.
package synthetic

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"time"

	starter "github.com/ringmaster-dev/ringmaster"
)

// Options say what estate to make. Zero fields take the default in brackets.
type Options struct {
	Hosts      int       // [1000]
	Advisories int       // [500]
	Seed       uint64    // [1]
	Apart      float64   // the share of hosts whose packages differ from their image's [0.10]
	At         time.Time // the time facts are fresh for [2026-03-02T09:00:00Z]
}

func (o Options) withDefaults() Options {
	if o.Hosts == 0 {
		o.Hosts = 1000
	}
	if o.Advisories == 0 {
		o.Advisories = 500
	}
	if o.Seed == 0 {
		o.Seed = 1
	}
	if o.Apart == 0 {
		o.Apart = 0.10
	}
	if o.At.IsZero() {
		o.At = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	}
	o.At = o.At.UTC().Truncate(time.Second)
	return o
}

// Estate returns an estate's files by path. It has 40 hosts at least, one for
// each of its services.
func Estate(o Options) (map[string][]byte, error) {
	o = o.withDefaults()
	if o.Hosts < fewest {
		return nil, fmt.Errorf("an estate of %d hosts: it has %d services, each with one host at least", o.Hosts, fewest)
	}
	e := &maker{Options: o, files: map[string][]byte{}}
	e.catalogue()
	e.publish()
	e.images()
	e.declare()
	e.hosts()
	e.feeds()
	e.history()
	if err := e.library(); err != nil {
		return nil, err
	}
	return e.files, nil
}

// maker is an estate in the making.
type maker struct {
	Options
	files    map[string][]byte
	systems  []*system
	bulletin []bulletin
	services []service
	fleet    []host
}

// The streams of chance.
const (
	forPackages = iota + 1
	forAdvisories
	forImages
	forServices
	forHosts
	forFeeds
	forHistory
)

func (e *maker) chance(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(e.Seed, stream)) }

// ago is the time so many days before At.
func (e *maker) ago(days float64) time.Time {
	return e.At.Add(-time.Duration(days * float64(24*time.Hour))).Truncate(time.Second)
}

// library copies the shipped policies and rings. The fourth tier joins the rings
// that name the other two.
func (e *maker) library() error {
	return fs.WalkDir(starter.Files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasPrefix(name, "policies/") && !strings.HasPrefix(name, "rings/") {
			return err
		}
		data, err := fs.ReadFile(starter.Files, name)
		if err != nil {
			return err
		}
		text := strings.ReplaceAll(string(data), `tiers        = ["production", "development"]`, `tiers        = ["production", "internal", "development"]`)
		e.files[name] = []byte(text)
		return nil
	})
}

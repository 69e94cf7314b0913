package reference

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Journal is the file's name within the state folder.
const Journal = "journal.jsonl"

// Entry is one line of the journal: a step taken, with the versions moved. A
// failed step moved nothing; a canceled job never will.
type Entry struct {
	Event    string    `json:"event"` // moved | failed | canceled
	Op       string    `json:"op"`    // apply | rollback | cancel
	Job      string    `json:"job"`
	Key      string    `json:"key,omitempty"`
	Host     string    `json:"host,omitempty"`
	Packages []Move    `json:"packages,omitempty"`
	At       time.Time `json:"at"`  // by the request's clock
	Due      time.Time `json:"due"` // when the job is done, by the requests' clock
	PID      int       `json:"pid"`
}

// Move is one package moved.
type Move struct {
	Name  string `json:"name"`
	From  string `json:"from"`
	To    string `json:"to"`
	Patch string `json:"patch"`
}

// ReadJournal reads the journal in a state folder: what was really done, in
// order. A folder without one is empty.
func ReadJournal(dir string) ([]Entry, error) {
	data, err := os.ReadFile(filepath.Join(dir, Journal))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	entries, _, err := parse(data)
	return entries, err
}

// parse reads whole lines and says how many bytes they are. A last line without
// an end is one whose writer was killed: nobody was told of it.
func parse(data []byte) ([]Entry, int64, error) {
	whole := bytes.LastIndexByte(data, '\n') + 1
	var entries []Entry
	for line := range bytes.Lines(data[:whole]) {
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, 0, fmt.Errorf("journal: %w", err)
		}
		entries = append(entries, e)
	}
	return entries, int64(whole), nil
}

type journal struct {
	file    *os.File
	size    int64 // bytes read so far
	hosts   []string
	first   map[string]string // installed at first, by package
	accept  time.Duration
	entries []Entry
	bad     *misbehaviour
}

func openJournal(dir string, hosts []string, installed map[string]string, accept time.Duration) (*journal, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, Journal), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	return &journal{file: f, hosts: hosts, first: installed, accept: accept}, nil
}

// locked runs do with the journal to itself, after reading what other processes
// have written.
func (j *journal) locked(do func() error) error {
	if err := lock(j.file); err != nil {
		return fmt.Errorf("locking the journal: %w", err)
	}
	defer unlock(j.file)
	if err := j.refresh(); err != nil {
		return err
	}
	return do()
}

func (j *journal) refresh() error {
	if _, err := j.file.Seek(j.size, io.SeekStart); err != nil {
		return err
	}
	data, err := io.ReadAll(j.file)
	if err != nil {
		return err
	}
	entries, whole, err := parse(data)
	if err != nil {
		return err
	}
	j.entries = append(j.entries, entries...)
	j.size += whole
	if whole < int64(len(data)) {
		return j.file.Truncate(j.size)
	}
	return nil
}

// write appends an entry and flushes it. Only then may it be answered for.
func (j *journal) write(e Entry) error {
	e.PID = os.Getpid()
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	n, err := j.file.WriteAt(append(line, '\n'), j.size)
	if err != nil {
		return err
	}
	if err := j.file.Sync(); err != nil {
		return err
	}
	j.size += int64(n)
	j.entries = append(j.entries, e)
	return nil
}

// canceled says whether the job was given up before it was done.
func (j *journal) canceled(job string) bool {
	for _, e := range j.entries {
		if e.Event == "canceled" && e.Job == job {
			return true
		}
	}
	return false
}

// version is what a host has of a package at a time: the last move that was
// done by then, and not canceled; "" where it was never installed.
func (j *journal) version(host, name string, now time.Time) string {
	version := j.first[name]
	for _, e := range j.entries {
		if e.Event != "moved" || e.Host != host || e.Due.After(now) || j.canceled(e.Job) {
			continue
		}
		for _, m := range e.Packages {
			if m.Name == name {
				version = m.To
			}
		}
	}
	return version
}

// answered finds the step that a key was first answered for.
func (j *journal) answered(op, key string) (Entry, bool) {
	for _, e := range j.entries {
		if e.Key == key && e.Op == op {
			return e, true
		}
	}
	return Entry{}, false
}

// state is how far a job is.
func (j *journal) state(e Entry, now time.Time) string {
	switch {
	case e.Event == "failed":
		return "failed"
	case j.canceled(e.Job):
		return "canceled"
	case e.Due.After(now):
		return "running"
	}
	return "succeeded"
}

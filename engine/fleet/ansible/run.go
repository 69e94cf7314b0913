package ansible

import (
	"bufio"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/host"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

//go:embed plays
var plays embed.FS

// gather is how long a run waits for one more host before it starts: each start costs as
// much as several hosts do.
const gather = 300 * time.Millisecond

// batch is the errands that the next run of a play takes.
type batch struct {
	errands []*errand
	start   *time.Timer
}

// errand is one host's part of a run.
type errand struct {
	host  inventory.HostID
	vars  any
	limit time.Duration // of the site's own tasks, which only their end says anything about; 0 none
	done  chan struct{}
	// what came of it, once done is closed
	answer host.Answer
	err    error
	failed error // what the last of the site's tasks said that failed
}

// send puts a host into the next run of a play, and waits for what comes of it. An
// error that is a *fleet.Error is the host's; any other is Ansible's.
func (d *door) send(ctx context.Context, play string, e *errand) (host.Answer, error) {
	if !e.host.Valid() { // it is to be a pattern of Ansible's, and a file
		return nil, &fleet.Error{Code: "unreachable", Message: fmt.Sprintf("%q is not the name of a host", e.host)}
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	e.done = make(chan struct{})
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return nil, &fleet.Error{Code: "internal", Message: "the fleet is closed"}
	}
	next := d.waiting[play]
	if next == nil {
		d.runs.Add(1)
		next = &batch{start: time.AfterFunc(gather, func() {
			defer d.runs.Done()
			d.together(play)
		})}
		d.waiting[play] = next
	} else if next.start.Stop() {
		next.start.Reset(gather)
	}
	next.errands = append(next.errands, e)
	d.mu.Unlock()
	select {
	case <-e.done:
		return e.answer, e.err
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for Ansible: %w", context.Cause(ctx))
	}
}

// together runs a play for all that wait for it; a host that is asked twice is
// asked in two runs.
func (d *door) together(play string) {
	d.mu.Lock()
	list := d.waiting[play].errands
	delete(d.waiting, play)
	d.mu.Unlock()
	for len(list) > 0 {
		byHost, rest := map[inventory.HostID]*errand{}, []*errand(nil)
		for _, e := range list {
			if byHost[e.host] == nil {
				byHost[e.host] = e
			} else {
				rest = append(rest, e)
			}
		}
		err := d.play(play, byHost)
		for _, e := range byHost {
			if e.answer == nil && e.err == nil {
				if e.err = err; err == nil {
					e.err = e.failed
				}
				if e.err == nil {
					e.err = &fleet.Error{Code: "unreachable", Message: fmt.Sprintf("%s is not in Ansible's inventory", e.host)}
				}
				close(e.done)
			}
		}
		list = rest
	}
}

// play runs a play once, and tells each host's errand as soon as it is known. The
// error is Ansible's own.
func (d *door) play(play string, byHost map[inventory.HostID]*errand) error {
	dir, err := os.MkdirTemp("", "ringmaster-ansible")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := write(dir, play, byHost); err != nil {
		return fmt.Errorf("writing the playbook: %w", err)
	}
	results, sent, err := os.Pipe()
	if err != nil {
		return err
	}
	defer results.Close()
	ctx, cancel := context.WithCancel(d.ctx)
	defer cancel()
	limit := time.Duration(0)
	for _, e := range byHost {
		limit = max(limit, e.limit)
	}
	if limit > 0 {
		var end context.CancelFunc
		ctx, end = context.WithTimeout(ctx, limit)
		defer end()
	}
	args := append(slices.Clone(d.o.Command[1:]), "--forks", strconv.Itoa(d.o.Parallel), filepath.Join(dir, play))
	cmd := exec.CommandContext(ctx, d.o.Command[0], args...)
	cmd.Dir, cmd.ExtraFiles = d.o.Dir, []*os.File{sent}
	cmd.Env = append(slices.Clone(d.o.Env), "RINGMASTER_RESULTS=/dev/fd/3", "ANSIBLE_STDOUT_CALLBACK=ringmaster", "ANSIBLE_RETRY_FILES_ENABLED=0", "ANSIBLE_NOCOLOR=1")
	defer tie(cmd)()
	noise := &excerpt{}
	cmd.Stdout, cmd.Stderr = noise, noise
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		sent.Close()
		return fmt.Errorf("starting Ansible: %w", err)
	}
	sent.Close()
	told, heard := make(chan struct{}), false
	go func() {
		defer close(told)
		heard = listen(results, byHost)
	}()
	err = cmd.Wait()
	results.SetReadDeadline(time.Now().Add(time.Second)) // a process that outlives it keeps the pipe
	<-told
	for line := range strings.Lines(noise.String()) {
		d.o.Log(strings.TrimRight(line, "\n"))
	}
	exit := (*exec.ExitError)(nil)
	switch {
	case d.ctx.Err() != nil:
		return errors.New("running Ansible: it was ended before it was done")
	case err == nil:
		return nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &fleet.Error{Code: "refused", Message: fmt.Sprintf("it did not end within %s", limit)}
	case heard && errors.As(err, &exit) && (exit.ExitCode() == 2 || exit.ExitCode() == 4): // hosts that failed, or could not be reached
		return nil
	}
	return fmt.Errorf("running Ansible: %w: %s", err, host.Plain(noise.end()))
}

// write lays out a run's folder: the plays, with their hosts named, the program that
// hosts are given, and each host's own part.
func write(dir, play string, byHost map[inventory.HostID]*errand) error {
	sub, err := fs.Sub(plays, "plays")
	if err != nil {
		return err
	}
	if err := os.CopyFS(dir, sub); err != nil {
		return err
	}
	hosts := slices.Sorted(maps.Keys(byHost))
	list, err := json.Marshal(hosts)
	if err != nil {
		return err
	}
	text, err := fs.ReadFile(sub, play)
	if err != nil {
		return err
	}
	files := map[string]string{"program.sh": host.Program,
		play: strings.Replace(string(text), "\n  hosts: all\n", "\n  hosts: "+string(list)+"\n", 1)}
	for _, id := range hosts {
		data, err := json.Marshal(byHost[id].vars)
		if err != nil {
			return err
		}
		files[string(id)+".json"] = string(data)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// told is a line of the callback (plays/callback_plugins).
type told struct {
	Host    inventory.HostID `json:"host"`
	Task    string           `json:"task"`
	Tags    []string         `json:"tags"`
	Event   string           `json:"event"` // ok, passed over, failed, unreachable
	Stdout  string           `json:"stdout"`
	Stderr  string           `json:"stderr"`
	Message string           `json:"message"`
}

// listen hands on what the callback tells. A host's part is over with its answer,
// or with the first task that ends it. heard is false where nothing was told of any
// host: Ansible could not read the playbook, as without a collection that it needs.
func listen(from *os.File, byHost map[inventory.HostID]*errand) (heard bool) {
	r := bufio.NewReader(from)
	for {
		line, err := r.ReadBytes('\n')
		var t told
		if json.Unmarshal(line, &t) == nil {
			heard = true
			if e := byHost[t.Host]; e != nil && e.answer == nil && e.err == nil && e.settle(t) {
				close(e.done)
			}
		}
		if err != nil {
			return heard
		}
	}
}

// settle takes a line about an errand's host, and says whether its part is over.
func (e *errand) settle(t told) bool {
	answers := slices.Contains(t.Tags, "answer")
	switch t.Event {
	case "ok":
		if !answers {
			return false
		}
		a, whole := host.Parse(strings.TrimRight(t.Stdout, "\n") + "\n")
		if e.answer = a; !whole {
			e.answer, e.err = nil, host.Cut("the question", t.Stderr)
		}
		return true
	case "failed":
		if a, whole := host.Parse(strings.TrimRight(t.Stdout, "\n") + "\n"); whole { // it did not begin, by the host's own word
			e.answer, e.err = a, a.Denied()
			return true
		}
	case "unreachable":
	default:
		return false
	}
	if e.limit > 0 { // they may have a rescue of their own
		e.failed = t.fault()
		return false
	}
	e.err = t.fault()
	return true
}

// fault is what a task that failed, or did not reach a host, is to its errand.
func (t told) fault() error {
	if t.Event == "unreachable" {
		return &fleet.Error{Code: "unreachable", Retryable: true, Message: fmt.Sprintf("reaching %s: %s", t.Host, host.Plain(t.Message))}
	}
	why := host.Plain(t.Message)
	if end := strings.TrimSpace(t.Stderr); end != "" { // of a traceback the last line says it
		why += ": " + host.Plain(end[strings.LastIndex(end, "\n")+1:])
	}
	if strings.Contains(why, "No usable temporary directory") { // Python's word for it, before any question could be asked
		why = "the host's disk is full, or nothing may be written to /tmp and /var/tmp: " + why
	}
	return host.Refuse("%s: %q: %s", t.Host, t.Task, why)
}

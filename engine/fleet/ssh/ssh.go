// Package ssh is a fleet of hosts reached by SSH, with nothing installed on them
// but the package manager that they have.
//
// What a host is asked, and what is decided from its answers, is package host;
// here is how the words get there. Nothing is remembered here.
//
// A host is who known_hosts says it is, by the name that the inventory has for
// it: an address, which scanners report, leads to no other host.
package ssh

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/host"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// Options say how hosts are reached and what is done to them. Host, KnownHosts
// and one of Key and Agent are needed.
type Options struct {
	// Host returns a host of the inventory, and false for one that is not in it.
	Host func(inventory.HostID) (inventory.Host, bool)
	// KnownHosts is the text of a known_hosts file. It names hosts as the
	// inventory does, whatever their port. A host that is not in it is not reached.
	KnownHosts []byte
	// Key is a private key, as in its file; Certificate what goes with it.
	Key, Certificate []byte
	// Agent is the socket of an agent, asked where there is no key.
	Agent string
	// User is who logs in, root when it is empty. Anybody else needs Become.
	User string
	// Become runs everything by sudo, which must not ask for a password.
	Become bool
	// Port is used where a host's address has none, 22 when it is 0.
	Port int
	// Jump is a host to go through, as user@name:port; only the name is needed.
	// known_hosts has it by that name.
	Jump string
	// Parallel is how many hosts are asked at once what they have, 1 when it is 0.
	Parallel int
	// Connect, Timeout and Restart are how long a connection may take (20 s when
	// it is 0), a step (30 minutes), and a host that was restarted (10 minutes).
	Connect, Timeout, Restart time.Duration
	// Policy is what may be done to hosts.
	host.Policy
	// Dial opens a connection; a net.Dialer's DialContext when it is nil.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Fleet reaches hosts by SSH. Its methods may be called from several goroutines.
type Fleet struct {
	o     Options
	known *knownHosts
	auth  []ssh.AuthMethod
	end   func() // gives up what auth holds

	turns host.Turns

	mu     sync.Mutex
	closed bool

	jumping sync.Mutex
	jump    *ssh.Client // nil until one is needed
}

// Open checks the options and reads keys. No host is contacted yet.
func Open(o Options) (*Fleet, error) {
	defaults(&o)
	if o.Host == nil {
		return nil, errors.New("the ssh fleet needs the inventory's hosts")
	}
	known, err := readKnownHosts(o.KnownHosts)
	if err != nil {
		return nil, fmt.Errorf("reading known_hosts: %w", err)
	}
	if err := o.Policy.Check(); err != nil {
		return nil, err
	}
	f := &Fleet{o: o, known: known}
	if f.auth, f.end, err = authentication(o); err != nil {
		return nil, err
	}
	return f, nil
}

func defaults(o *Options) {
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	set(&o.Connect, 20*time.Second)
	set(&o.Timeout, 30*time.Minute)
	set(&o.Restart, 10*time.Minute)
	if o.User == "" {
		o.User = "root"
	}
	if o.Port == 0 {
		o.Port = 22
	}
	if o.Dial == nil {
		o.Dial = (&net.Dialer{KeepAlive: 15 * time.Second}).DialContext
	}
	o.Parallel = max(1, o.Parallel)
}

// Hello says what the fleet can do. No host is asked.
func (f *Fleet) Hello(ctx context.Context, _ time.Time) (fleet.Caps, error) {
	if err := f.open(ctx); err != nil {
		return fleet.Caps{}, err
	}
	return fleet.Caps{Plugin: "ssh", Ops: []string{"apply", "rollback", "status", "installed", "cancel"}, MaxBatch: f.o.Parallel, DryRun: true}, nil
}

// open says why nothing can be asked, if so.
func (f *Fleet) open(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("asking hosts: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return &fleet.Error{Code: "internal", Message: "the fleet is closed"}
	}
	return nil
}

// Installed says which versions hosts have now. What a package manager left half
// done, or a job that is not over moves, is left out: nobody can say of it yet.
func (f *Fleet) Installed(ctx context.Context, _ time.Time, hosts []inventory.HostID, packages []string) (map[inventory.HostID]map[string]string, error) {
	if err := f.open(ctx); err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(packages, func(name string) bool { return !host.ValidName(name) }); i >= 0 {
		return nil, &fleet.Error{Code: "invalid", Message: fmt.Sprintf("%q is not the name of a package", packages[i])}
	}
	found := map[inventory.HostID]map[string]string{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	lanes := make(chan struct{}, f.o.Parallel)
	for _, id := range hosts {
		lanes <- struct{}{}
		wg.Go(func() {
			defer func() { <-lanes }()
			versions, err := f.versions(ctx, id, packages)
			if err != nil {
				return // a host that does not answer is left out
			}
			mu.Lock()
			defer mu.Unlock()
			found[id] = versions
		})
	}
	wg.Wait()
	return found, ctx.Err()
}

func (f *Fleet) versions(ctx context.Context, id inventory.HostID, packages []string) (map[string]string, error) {
	c, err := f.dial(ctx, id)
	if err != nil {
		return nil, err
	}
	defer c.close()
	a, err := c.ask(ctx, append([]string{"installed"}, packages...))
	if err != nil {
		return nil, err
	}
	return a.Versions(), nil
}

// Close ends the fleet. Jobs that are under way go on. It may be called twice.
func (f *Fleet) Close() error {
	f.mu.Lock()
	closed := f.closed
	f.closed = true
	f.mu.Unlock()
	if closed {
		return nil
	}
	f.end()
	f.jumping.Lock()
	defer f.jumping.Unlock()
	if f.jump != nil {
		f.jump.Close()
	}
	return nil
}

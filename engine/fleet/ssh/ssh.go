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
	// Connect is how long a connection may take, 20 s when it is 0.
	Connect time.Duration
	// Dial opens a connection; a net.Dialer's DialContext when it is nil.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Options are those of every fleet of hosts.
	host.Options
}

// door is how words get to hosts by SSH.
type door struct {
	o     Options
	known *knownHosts
	auth  []ssh.AuthMethod
	end   func()        // gives up what auth holds
	lanes chan struct{} // of hosts that are asked at once

	jumping sync.Mutex
	jump    *ssh.Client // nil until one is needed
}

// Open checks the options and reads keys. No host is contacted yet.
func Open(o Options) (*host.Carrier, error) {
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
	d := &door{o: o, known: known, lanes: make(chan struct{}, max(1, o.Parallel))}
	if d.auth, d.end, err = authentication(o); err != nil {
		return nil, err
	}
	return host.New("ssh", host.Managed, d, o.Options), nil
}

func defaults(o *Options) {
	if o.Connect == 0 {
		o.Connect = 20 * time.Second
	}
	if o.User == "" {
		o.User = "root"
	}
	if o.Port == 0 {
		o.Port = 22
	}
	if o.Dial == nil {
		o.Dial = (&net.Dialer{KeepAlive: 15 * time.Second}).DialContext
	}
}

// Ask gives a host the program and a verb of it.
func (d *door) Ask(ctx context.Context, at inventory.HostID, words []string) (host.Answer, error) {
	select {
	case d.lanes <- struct{}{}:
		defer func() { <-d.lanes }()
	case <-ctx.Done():
		return nil, unreachable(at, context.Cause(ctx))
	}
	a, err := d.tell(ctx, at, words)
	if e := (*fleet.Error)(nil); err != nil && !errors.As(err, &e) {
		return nil, unreachable(at, err) // the connection ended before the answer did
	}
	return a, err
}

// Carry starts a step's job, which goes on by itself when the connection ends.
func (d *door) Carry(ctx context.Context, w host.Work) (host.Answer, error) {
	return d.tell(ctx, w.Host, []string{"start", w.Job, w.Request})
}

func (d *door) tell(ctx context.Context, at inventory.HostID, words []string) (host.Answer, error) {
	c, err := d.dial(ctx, at)
	if err != nil {
		return nil, err
	}
	defer c.close()
	return c.ask(ctx, words)
}

// Close ends the connections that hosts share. Jobs that are under way go on.
func (d *door) Close() error {
	d.end()
	d.jumping.Lock()
	defer d.jumping.Unlock()
	if d.jump != nil {
		d.jump.Close()
	}
	return nil
}

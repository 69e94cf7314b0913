package ssh

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// authentication makes a login's methods: a key, with its certificate where it
// has one, or an agent's keys.
func authentication(o Options) ([]ssh.AuthMethod, func(), error) {
	if len(o.Key) > 0 {
		signer, err := readKey(o.Key, o.Certificate)
		return []ssh.AuthMethod{ssh.PublicKeys(signer...)}, func() {}, err
	}
	if o.Agent == "" {
		return nil, nil, errors.New("no key and no agent to log in with; name a key, or start an agent")
	}
	conn, err := net.Dial("unix", o.Agent)
	if err != nil {
		return nil, nil, fmt.Errorf("asking the agent: %w", err)
	}
	a := agent.NewClient(conn)
	keys, err := a.List()
	if err == nil && len(keys) == 0 {
		err = errors.New("it holds no key; ssh-add gives it one")
	}
	if err != nil {
		conn.Close()
		return nil, nil, fmt.Errorf("asking the agent: %w", err)
	}
	return []ssh.AuthMethod{ssh.PublicKeysCallback(a.Signers)}, func() { conn.Close() }, nil
}

// readKey returns what a private key signs with: with a certificate first that
// one, then the key alone.
func readKey(key, certificate []byte) ([]ssh.Signer, error) {
	signer, err := ssh.ParsePrivateKey(key)
	if locked := (*ssh.PassphraseMissingError)(nil); errors.As(err, &locked) {
		return nil, errors.New("reading the key: it has a passphrase; give it to an agent, and declare agent = true")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the key: %w", err)
	}
	if len(certificate) == 0 {
		return []ssh.Signer{signer}, nil
	}
	public, _, _, _, err := ssh.ParseAuthorizedKey(certificate)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate: %w", err)
	}
	cert, ok := public.(*ssh.Certificate)
	if !ok {
		return nil, errors.New("reading the certificate: it is a public key without one")
	}
	certified, err := ssh.NewCertSigner(cert, signer)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate: %w", err)
	}
	return []ssh.Signer{certified, signer}, nil
}

// conn is a connection to one host.
type conn struct {
	client *ssh.Client
	become bool
	stop   func() bool // ends the watch over a context
}

func (c *conn) close() {
	c.stop()
	c.client.Close()
}

// dial connects to a host of the inventory. The connection ends with ctx.
func (d *door) dial(ctx context.Context, id inventory.HostID) (*conn, error) {
	host, ok := d.o.Host(id)
	if !ok {
		return nil, &fleet.Error{Code: "unreachable", Message: fmt.Sprintf("host %q is not in the inventory", id)}
	}
	client, err := d.login(ctx, string(id), d.address(host), d.o.User)
	if err != nil {
		return nil, unreachable(id, err)
	}
	c := &conn{client: client, become: d.o.Become && d.o.User != "root"}
	c.stop = context.AfterFunc(ctx, func() { client.Close() })
	go keepAlive(client, d.o.Connect)
	return c, nil
}

func unreachable(id inventory.HostID, err error) error {
	return &fleet.Error{Code: "unreachable", Message: fmt.Sprintf("reaching %s: %v", id, err), Retryable: true}
}

// address is where a host answers: the address that its facts report, else its
// name.
func (d *door) address(h inventory.Host) string {
	where := string(h.ID)
	if h.Facts != nil && h.Facts.Address != "" {
		where = h.Facts.Address
	}
	if _, _, err := net.SplitHostPort(where); err == nil {
		return where
	}
	return net.JoinHostPort(strings.Trim(where, "[]"), strconv.Itoa(d.o.Port))
}

// login connects to an address, and to nobody but the one whom known_hosts has
// under that name.
func (d *door) login(ctx context.Context, name, address, user string) (*ssh.Client, error) {
	algorithms, err := d.known.algorithms(name)
	if err != nil {
		return nil, err
	}
	within, cancel := context.WithTimeout(ctx, d.o.Connect)
	defer cancel()
	raw, err := d.through(within, name, address)
	if err != nil {
		return nil, err
	}
	defer context.AfterFunc(within, func() { raw.Close() })()
	c, channels, requests, err := ssh.NewClientConn(raw, net.JoinHostPort(name, "22"), &ssh.ClientConfig{
		User: user, Auth: d.auth, HostKeyCallback: d.known.check, HostKeyAlgorithms: algorithms,
	})
	if err != nil {
		raw.Close()
		if within.Err() != nil {
			return nil, fmt.Errorf("no login within %s: %w", d.o.Connect, context.Cause(within))
		}
		return nil, err
	}
	return ssh.NewClient(c, channels, requests), nil
}

// through opens a connection, by the jump host where one is declared.
func (d *door) through(ctx context.Context, name, address string) (net.Conn, error) {
	user, hop := jump(d.o.Jump, d.o.User)
	if hop == "" || name == hostOf(hop) {
		return d.o.Dial(ctx, "tcp", address)
	}
	client, err := d.hop(ctx, user, hop)
	if err != nil {
		return nil, fmt.Errorf("by way of %s: %w", d.o.Jump, err)
	}
	c, err := client.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("by way of %s: %w", d.o.Jump, err)
	}
	return c, nil
}

// hop is the connection to the jump host, which all hosts share; one that has
// ended is made anew.
func (d *door) hop(ctx context.Context, user, address string) (*ssh.Client, error) {
	d.jumping.Lock()
	defer d.jumping.Unlock()
	if d.jump != nil {
		return d.jump, nil
	}
	client, err := d.login(ctx, hostOf(address), address, user)
	if err != nil {
		return nil, err
	}
	d.jump = client
	go keepAlive(client, d.o.Connect)
	go func() {
		client.Wait()
		d.jumping.Lock()
		defer d.jumping.Unlock()
		if d.jump == client {
			d.jump = nil
		}
	}()
	return client, nil
}

// jump splits user@host:port; what is left out is the fleet's user, and 22.
func jump(text, user string) (who, address string) {
	if text == "" {
		return "", ""
	}
	who, host, ok := strings.Cut(text, "@")
	if !ok {
		who, host = user, text
	}
	if _, _, err := net.SplitHostPort(host); err != nil {
		host = net.JoinHostPort(host, "22")
	}
	return who, host
}

func hostOf(address string) string {
	host, _, _ := net.SplitHostPort(address)
	return host
}

// keepAlive ends a connection whose other side is gone without a word.
func keepAlive(client *ssh.Client, patience time.Duration) {
	const every = 5 * time.Second
	gone := make(chan struct{})
	go func() { client.Wait(); close(gone) }()
	answered := make(chan struct{}, 1)
	for {
		select {
		case <-gone:
			return
		case <-time.After(every):
		}
		go func() {
			if _, _, err := client.SendRequest("keepalive@openssh.com", true, nil); err == nil {
				answered <- struct{}{}
			}
		}()
		select {
		case <-gone:
			return
		case <-answered:
		case <-time.After(patience):
			client.Close()
			return
		}
	}
}

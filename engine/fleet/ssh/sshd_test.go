package ssh_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os/exec"
	"testing"

	"golang.org/x/crypto/ssh"
)

// sshd is a server on loopback that speaks SSH, and leads on to other servers.
type sshd struct {
	t       *testing.T
	address string
	config  *ssh.ServerConfig
	// run answers a command; by default as a host does that was reached and has
	// nothing to say.
	run func(command string, in io.Reader, out, noise io.Writer) (status uint32)
	// through counts connections that it led on.
	through int
}

// keypair is a private key as a file has it, and its signer.
type keypair struct {
	file   []byte
	signer ssh.Signer
}

func (k keypair) public() string { return string(ssh.MarshalAuthorizedKey(k.signer.PublicKey())) }

func newKey(t *testing.T, kind string) keypair {
	t.Helper()
	var key crypto.Signer
	var err error
	if kind == "ecdsa" {
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	} else {
		_, key, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return keypair{pem.EncodeToMemory(block), signer}
}

// certify signs a key for a user, or for a host.
func certify(t *testing.T, authority, key keypair, kind uint32, principal string) *ssh.Certificate {
	t.Helper()
	c := &ssh.Certificate{Key: key.signer.PublicKey(), CertType: kind, ValidPrincipals: []string{principal}, ValidBefore: ssh.CertTimeInfinity}
	if err := c.SignCert(rand.Reader, authority.signer); err != nil {
		t.Fatal(err)
	}
	return c
}

// serve starts a server that has the host keys, and lets in whom allowed says.
func serve(t *testing.T, allowed func(user string, key ssh.PublicKey) bool, keys ...ssh.Signer) *sshd {
	t.Helper()
	s := &sshd{t: t, run: nothing, config: &ssh.ServerConfig{PublicKeyCallback: func(c ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if !allowed(c.User(), key) {
			return nil, fmt.Errorf("no such key")
		}
		return nil, nil
	}}}
	for _, k := range keys {
		s.config.AddHostKey(k)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s.address = l.Addr().String()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.connection(c)
		}
	}()
	return s
}

func (s *sshd) connection(raw net.Conn) {
	c, channels, requests, err := ssh.NewServerConn(raw, s.config)
	if err != nil {
		raw.Close()
		return
	}
	defer c.Close()
	go ssh.DiscardRequests(requests)
	for ch := range channels {
		switch ch.ChannelType() {
		case "session":
			go s.session(ch)
		case "direct-tcpip":
			s.through++
			go forward(ch)
		default:
			ch.Reject(ssh.UnknownChannelType, "no such channel")
		}
	}
}

func (s *sshd) session(ch ssh.NewChannel) {
	c, requests, err := ch.Accept()
	if err != nil {
		return
	}
	defer c.Close()
	for r := range requests {
		if r.Type != "exec" {
			r.Reply(false, nil)
			continue
		}
		var command struct{ Text string }
		ssh.Unmarshal(r.Payload, &command)
		r.Reply(true, nil)
		status := s.run(command.Text, c, c, c.Stderr())
		c.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{status}))
		return
	}
}

func nothing(_ string, in io.Reader, out, _ io.Writer) uint32 {
	io.Copy(io.Discard, in)
	io.WriteString(out, "state\tnone\nuid\t0\nend\n")
	return 0
}

// shell runs a command as the tests' own user, as a login shell does.
func shell(command string, in io.Reader, out, noise io.Writer) uint32 {
	text, err := io.ReadAll(in)
	if err != nil {
		return 255
	}
	cmd := exec.Command("sh", "-c", command)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(text), out, noise
	if err := cmd.Run(); err != nil {
		return 1
	}
	return 0
}

func forward(ch ssh.NewChannel) {
	var to struct {
		Host       string
		Port       uint32
		Origin     string
		OriginPort uint32
	}
	ssh.Unmarshal(ch.ExtraData(), &to)
	far, err := net.Dial("tcp", net.JoinHostPort(to.Host, fmt.Sprint(to.Port)))
	if err != nil {
		ch.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	c, requests, err := ch.Accept()
	if err != nil {
		far.Close()
		return
	}
	go ssh.DiscardRequests(requests)
	go func() { io.Copy(far, c); far.Close() }()
	io.Copy(c, far)
	c.Close()
}

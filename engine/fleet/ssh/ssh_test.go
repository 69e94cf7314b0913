package ssh_test

import (
	"bytes"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	xssh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/ssh"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// at is an inventory whose every host has that address.
func at(address string) func(inventory.HostID) (inventory.Host, bool) {
	return func(id inventory.HostID) (inventory.Host, bool) {
		return inventory.Host{ID: id, Facts: &inventory.Facts{Host: id, Address: address}}, id != "nowhere"
	}
}

func only(k keypair) func(string, xssh.PublicKey) bool {
	return func(user string, key xssh.PublicKey) bool {
		return user == "root" && bytes.Equal(key.Marshal(), k.signer.PublicKey().Marshal())
	}
}

// reach asks web-1 what it has installed, and returns why it could not.
func reach(t *testing.T, o ssh.Options) error {
	t.Helper()
	f, err := ssh.Open(o)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.Apply(t.Context(), time.Now(), fleet.Step{Key: "k", Host: "web-1", Packages: []fleet.Package{{Type: "deb", Name: "ringmaster-none", From: "1", To: "2"}}})
	return err
}

// reached is what becomes of a step on a host that was reached and asked.
func reached(err error) bool {
	e := (*fleet.Error)(nil)
	return errors.As(err, &e) && e.Code == "refused"
}

// What dpkg says of this machine is what is told of it.
func TestInstalled(t *testing.T) {
	want, err := exec.Command("dpkg-query", "-W", "-f", "${Version}", "dpkg").Output()
	if err != nil {
		t.Skip("needs dpkg")
	}
	user, host := newKey(t, ""), newKey(t, "")
	s := serve(t, only(user), host.signer)
	s.run = shell
	f, err := ssh.Open(ssh.Options{Host: at(s.address), KnownHosts: []byte("web-1 " + host.public()), Key: user.file})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := f.Installed(t.Context(), time.Now(), []inventory.HostID{"web-1", "web-2", "nowhere"}, []string{"dpkg", "ringmaster-none"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[inventory.HostID]map[string]string{"web-1": {"dpkg": string(want), "ringmaster-none": ""}}, got); diff != "" {
		t.Errorf("Installed() (-want +got):\n%s", diff)
	}
}

// A host is who known_hosts says it is, by its name in the inventory.
func TestWhoAHostIs(t *testing.T) {
	user, ed, ec, other, authority := newKey(t, ""), newKey(t, ""), newKey(t, "ecdsa"), newKey(t, ""), newKey(t, "")
	certified, err := xssh.NewCertSigner(certify(t, authority, ed, xssh.HostCert, "web-1"), ed.signer)
	if err != nil {
		t.Fatal(err)
	}
	wrongName, err := xssh.NewCertSigner(certify(t, authority, ed, xssh.HostCert, "web-2"), ed.signer)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name  string
		keys  []xssh.Signer
		known string
		why   string // "" is reached
	}{
		{"its key", []xssh.Signer{ed.signer}, "web-1 " + ed.public(), ""},
		{"one of its keys, not the one it would show first", []xssh.Signer{ec.signer, ed.signer}, "web-1 " + ed.public(), ""},
		{"its name is hashed", []xssh.Signer{ed.signer}, knownhosts.HashHostname("web-1") + " " + ed.public(), ""},
		{"a certificate of an authority", []xssh.Signer{certified}, "@cert-authority web-* " + authority.public(), ""},
		{"a certificate for another name", []xssh.Signer{wrongName}, "@cert-authority web-* " + authority.public(), "principal"},
		{"a certificate of nobody", []xssh.Signer{certified}, "@cert-authority web-* " + other.public(), "no authorities for hostname"},
		{"another key", []xssh.Signer{ed.signer}, "web-1 " + other.public(), "somebody else may be answering"},
		{"a key that was taken back", []xssh.Signer{ed.signer}, "web-1 " + ed.public() + "@revoked * " + ed.public(), "revoked"},
		{"not known", []xssh.Signer{ed.signer}, "web-2 " + ed.public(), "known_hosts has no key for web-1"},
		{"known by its address alone", []xssh.Signer{ed.signer}, "127.0.0.1 " + ed.public(), "known_hosts has no key for web-1"},
		{"nobody is known", []xssh.Signer{ed.signer}, "\n", "reading known_hosts: it is empty"},
		{"no file of known hosts", []xssh.Signer{ed.signer}, "web-1 " + ed.public() + "@revoked * ssh-ed25519\n", "reading known_hosts: line 2: "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := serve(t, only(user), tc.keys...)
			err := reach(t, ssh.Options{Host: at(s.address), KnownHosts: []byte(tc.known), Key: user.file})
			if tc.why == "" && !reached(err) || tc.why != "" && (err == nil || !strings.Contains(err.Error(), tc.why)) {
				t.Errorf("reaching it: %v, want %q", err, tc.why)
			}
		})
	}
}

// Who logs in: a key, a certificate, an agent.
func TestWhoLogsIn(t *testing.T) {
	host, user, other, authority := newKey(t, ""), newKey(t, ""), newKey(t, ""), newKey(t, "")
	certificate := certify(t, authority, user, xssh.UserCert, "root")
	trusted := func(name string, key xssh.PublicKey) bool {
		c := &xssh.CertChecker{IsUserAuthority: func(k xssh.PublicKey) bool { return bytes.Equal(k.Marshal(), authority.signer.PublicKey().Marshal()) }}
		cert, ok := key.(*xssh.Certificate)
		return ok && c.IsUserAuthority(cert.SignatureKey) && c.CheckCert(name, cert) == nil
	}
	block, err := xssh.MarshalPrivateKeyWithPassphrase(mustRaw(t, user), "", []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name    string
		allowed func(string, xssh.PublicKey) bool
		change  func(*ssh.Options)
		why     string
	}{
		{"a key", only(user), func(o *ssh.Options) { o.Key = user.file }, ""},
		{"another's key", only(user), func(o *ssh.Options) { o.Key = other.file }, "unable to authenticate"},
		{"a certificate", trusted, func(o *ssh.Options) { o.Key, o.Certificate = user.file, xssh.MarshalAuthorizedKey(certificate) }, ""},
		{"a key without its certificate", trusted, func(o *ssh.Options) { o.Key = user.file }, "unable to authenticate"},
		{"a certificate for another key", trusted, func(o *ssh.Options) { o.Key, o.Certificate = other.file, xssh.MarshalAuthorizedKey(certificate) }, "reading the certificate: "},
		{"a public key as certificate", trusted, func(o *ssh.Options) { o.Key, o.Certificate = user.file, []byte(user.public()) }, "it is a public key without one"},
		{"an agent", only(user), func(o *ssh.Options) { o.Agent = agentWith(t, mustRaw(t, user)) }, ""},
		{"an empty agent", only(user), func(o *ssh.Options) { o.Agent = agentWith(t, nil) }, "asking the agent: it holds no key"},
		{"no agent", only(user), func(o *ssh.Options) { o.Agent = filepath.Join(t.TempDir(), "none") }, "asking the agent: "},
		{"a key with a passphrase", only(user), func(o *ssh.Options) { o.Key = pem.EncodeToMemory(block) }, "it has a passphrase; give it to an agent"},
		{"no key", only(user), func(o *ssh.Options) { o.Key = []byte("key") }, "reading the key: "},
		{"nothing", only(user), func(*ssh.Options) {}, "no key and no agent"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := serve(t, tc.allowed, host.signer)
			o := ssh.Options{Host: at(s.address), KnownHosts: []byte("web-1 " + host.public())}
			tc.change(&o)
			err := reach(t, o)
			if tc.why == "" && !reached(err) || tc.why != "" && (err == nil || !strings.Contains(err.Error(), tc.why)) {
				t.Errorf("logging in: %v, want %q", err, tc.why)
			}
		})
	}
}

func mustRaw(t *testing.T, k keypair) any {
	t.Helper()
	raw, err := xssh.ParseRawPrivateKey(k.file)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// agentWith starts an agent, which holds a key unless it is nil.
func agentWith(t *testing.T, key any) string {
	t.Helper()
	ring := agent.NewKeyring()
	if key != nil {
		if err := ring.Add(agent.AddedKey{PrivateKey: key}); err != nil {
			t.Fatal(err)
		}
	}
	dir, err := os.MkdirTemp("", "agent") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go agent.ServeAgent(ring, c)
		}
	}()
	return l.Addr().String()
}

func TestByWayOfAnother(t *testing.T) {
	user, bastion, web := newKey(t, ""), newKey(t, ""), newKey(t, "")
	far := serve(t, only(user), web.signer)
	near := serve(t, func(name string, key xssh.PublicKey) bool { return name == "ops" && only(user)("root", key) }, bastion.signer)
	o := ssh.Options{Host: at(far.address), KnownHosts: []byte("web-1 " + web.public() + "127.0.0.1 " + bastion.public()), Key: user.file, Jump: "ops@" + near.address}
	if err := reach(t, o); !reached(err) {
		t.Errorf("reaching it: %v", err)
	}
	if near.through != 1 {
		t.Errorf("the jump host led %d connections on, want 1", near.through)
	}
	o.KnownHosts = []byte("web-1 " + web.public())
	if err := reach(t, o); err == nil || !strings.Contains(err.Error(), "by way of ops@"+near.address+": known_hosts has no key for 127.0.0.1") {
		t.Errorf("by way of a host that nobody knows: %v", err)
	}
}

// Whatever a host does, a step ends in an answer.
func TestBadHosts(t *testing.T) {
	user, host := newKey(t, ""), newKey(t, "")
	open := func(t *testing.T, s *sshd) ssh.Options {
		return ssh.Options{Host: at(s.address), KnownHosts: []byte("web-1 " + host.public()), Key: user.file, Connect: time.Second}
	}
	says := func(text, noise string) func(string, io.Reader, io.Writer, io.Writer) uint32 {
		return func(_ string, in io.Reader, out, err io.Writer) uint32 {
			io.Copy(io.Discard, in)
			io.WriteString(out, text)
			io.WriteString(err, noise)
			return 1
		}
	}
	for _, tc := range []struct {
		name string
		run  func(string, io.Reader, io.Writer, io.Writer) uint32
		code string
		why  string
	}{
		{"says nothing", says("", ""), "refused", "the answer to check is cut off"},
		{"has no shell", says("", "This account is currently not available.\n"), "refused", "the host cannot be worked on: This account is currently not available."},
		{"stops in the middle", says("state\tnone\nuid\t0", ""), "refused", "cut off"},
		{"greets", says("Welcome!\nstate\tnone\nuid\t0\nend\n", ""), "refused", "does not say at which version ringmaster-none is"},
		{"never ends", func(_ string, _ io.Reader, out, _ io.Writer) uint32 {
			for range 100 {
				if _, err := out.Write(bytes.Repeat([]byte("state\tnone\n"), 1<<14)); err != nil {
					return 1
				}
			}
			return 0
		}, "refused", "cut off"},
		{"lies about a job", says("state\tsucceeded\nversion\tx\ndetail\nfinished\tnow\nend\n", ""), "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := serve(t, only(user), host.signer)
			s.run = tc.run
			err := reach(t, open(t, s))
			e := (*fleet.Error)(nil)
			if tc.code == "" && err != nil || tc.code != "" && (!errors.As(err, &e) || e.Code != tc.code || !strings.Contains(e.Message, tc.why)) {
				t.Errorf("step was answered %v, want %s with %q", err, tc.code, tc.why)
			}
		})
	}
	t.Run("takes the call and is silent", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		o := open(t, &sshd{address: l.Addr().String()})
		o.Connect = 200 * time.Millisecond
		if err := reach(t, o); err == nil || !strings.Contains(err.Error(), "no login within 200ms") {
			t.Errorf("step was answered %v", err)
		}
	})
}

func TestInvalidSteps(t *testing.T) {
	user, host := newKey(t, ""), newKey(t, "")
	s := serve(t, only(user), host.signer)
	s.run = func(string, io.Reader, io.Writer, io.Writer) uint32 { t.Error("the host was asked"); return 1 }
	f, err := ssh.Open(ssh.Options{Host: at(s.address), KnownHosts: []byte("web-1 " + host.public()), Key: user.file})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	good := fleet.Package{Type: "deb", Name: "openssl", From: "3.0.11-1~deb12u1", To: "3.0.15-1~deb12u1"}
	for _, tc := range []struct {
		name   string
		change func(*fleet.Step)
		why    string
	}{
		{"no key", func(s *fleet.Step) { s.Key = "" }, "a step needs a key"},
		{"a key over lines", func(s *fleet.Step) { s.Key = "k\nop\trollback" }, "control characters"},
		{"another type", func(s *fleet.Step) { s.Packages[0].Type = "windows" }, `not "windows"`},
		{"an option as name", func(s *fleet.Step) { s.Packages[0].Name = "-oAPT::Update::Pre-Invoke::=id" }, "is not the name of a package"},
		{"a command as name", func(s *fleet.Step) { s.Packages[0].Name = "a;id" }, "is not the name of a package"},
		{"a path as name", func(s *fleet.Step) { s.Packages[0].Name = "../x" }, "is not the name of a package"},
		{"a command as version", func(s *fleet.Step) { s.Packages[0].To = "1$(id)" }, "is not a version"},
		{"nothing to do", func(s *fleet.Step) { s.Packages[0].To = s.Packages[0].From }, "to itself"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := fleet.Step{Key: "k", Host: "web-1", Packages: []fleet.Package{good}}
			tc.change(&s)
			_, err := f.Apply(t.Context(), time.Now(), s)
			e := (*fleet.Error)(nil)
			if !errors.As(err, &e) || e.Code != "invalid" || !strings.Contains(e.Message, tc.why) {
				t.Errorf("Apply() = %v, want invalid with %q", err, tc.why)
			}
		})
	}
}

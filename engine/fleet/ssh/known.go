package ssh

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// knownHosts is who hosts are. A name that it does not have is nobody.
type knownHosts struct {
	callback ssh.HostKeyCallback
	lines    []string
}

// readKnownHosts reads the text of a known_hosts file: plain and hashed names,
// @cert-authority and @revoked.
func readKnownHosts(text []byte) (*knownHosts, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, errors.New("it is empty; ssh-keyscan prints the lines of hosts, which somebody compares with the hosts themselves")
	}
	lines := strings.Split(string(text), "\n")
	for i, line := range lines { // the library passes over what it does not understand, were it a @revoked key
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		if _, _, _, _, _, err := ssh.ParseKnownHosts([]byte(line)); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	file, err := os.CreateTemp("", "known_hosts") // the library reads files alone
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if _, err := file.Write(text); err != nil {
		return nil, err
	}
	callback, err := knownhosts.New(file.Name())
	if err != nil {
		return nil, errors.New(strings.ReplaceAll(err.Error(), file.Name(), "known_hosts"))
	}
	return &knownHosts{callback: callback, lines: lines}, nil
}

// check accepts the key that known_hosts has for a name, and no other.
func (k *knownHosts) check(name string, remote net.Addr, key ssh.PublicKey) error {
	err := k.callback(name, remote, key)
	var wrong *knownhosts.KeyError
	if errors.As(err, &wrong) {
		return fmt.Errorf("its key %s is not the one that known_hosts has for %s: somebody else may be answering", ssh.FingerprintSHA256(key), hostOf(name))
	}
	return err
}

// algorithms are those of the keys that known_hosts has for a name, so that a host
// with several shows one that is known.
func (k *knownHosts) algorithms(name string) ([]string, error) {
	nobody, err := ssh.NewPublicKey(ed25519.PublicKey(make([]byte, ed25519.PublicKeySize)))
	if err != nil {
		return nil, err
	}
	var keys *knownhosts.KeyError
	err = k.callback(net.JoinHostPort(name, "22"), &net.TCPAddr{}, nobody)
	if !errors.As(err, &keys) {
		return nil, fmt.Errorf("asking known_hosts for %s: %w", name, err)
	}
	if len(keys.Want) == 0 {
		return nil, fmt.Errorf("known_hosts has no key for %s; it names hosts as the inventory does", name)
	}
	var list []string
	for _, key := range keys.Want {
		names := plainAlgorithms(key.Key.Type())
		if k.authority(key.Line) {
			names = certAlgorithms
		}
		for _, a := range names {
			if !slices.Contains(list, a) {
				list = append(list, a)
			}
		}
	}
	return list, nil
}

// authority says whether a line, from 1, is of a certificate authority.
func (k *knownHosts) authority(line int) bool {
	return line >= 1 && line <= len(k.lines) && strings.HasPrefix(strings.TrimSpace(k.lines[line-1]), "@cert-authority")
}

func plainAlgorithms(key string) []string {
	if key == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return []string{key}
}

var certAlgorithms = []string{ssh.CertAlgoED25519v01, ssh.CertAlgoECDSA256v01, ssh.CertAlgoECDSA384v01, ssh.CertAlgoECDSA521v01,
	ssh.CertAlgoRSASHA512v01, ssh.CertAlgoRSASHA256v01}

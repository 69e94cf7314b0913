package estate

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

// ssh reads what a fleet "ssh" needs beside what every fleet has.
func (r *reader) ssh(b *hclfile.Block, d *hclfile.Decoder) *ring.SSH {
	s := &ring.SSH{
		User:        d.String("user"),
		Port:        d.Int("port", 1),
		KnownHosts:  r.knownHosts(d),
		Key:         outside(d, "key"),
		KeyEnv:      d.String("key_env"),
		Agent:       d.Bool("agent"),
		Certificate: outside(d, "certificate"),
		Jump:        d.String("jump"),
		Become:      d.Bool("become"),
		Connect:     d.Duration("connect_timeout", time.Second),
	}
	d.Need("known_hosts")
	if d.Has("user") && !validUser(s.User) {
		d.Fault("user", "attribute %q: %q is not the name of a user", "user", s.User)
	}
	if d.Has("jump") && !validJump(s.Jump) {
		d.Fault("jump", `attribute "jump": %q is not a host to go through; expected one such as "ops@bastion.example:22"`, s.Jump)
	}
	if why := noVariable(s.KeyEnv); d.Has("key_env") && why != "" {
		d.Fault("key_env", `attribute "key_env": %s`, why)
	}
	ways := 0
	for _, there := range []bool{s.Key != "", s.KeyEnv != "", s.Agent} {
		if there {
			ways++
		}
	}
	if ways != 1 && !b.Broken {
		d.At(b.Place, `%s: one of "key" (a file of the runner), "key_env" (a variable that holds it) and "agent = true" says who logs in; %d are here`, d.Title(), ways)
	}
	return s
}

// fleetPolicy reads what may be done to hosts; tasks says whether its hooks may be files of
// Ansible's tasks.
func (r *reader) fleetPolicy(d *hclfile.Decoder, tasks bool) ring.Policy {
	return ring.Policy{
		Restart:      d.Duration("restart_timeout", time.Second),
		RestartLanes: d.Int("restart_parallel", 1),
		MinFreeMB:    d.Int("min_free_mb", 1),
		NewConffiles: d.Word("conffiles", "keep", "new") == "new",
		NoHold:       !d.Bool("hold") && d.Has("hold"),
		NoRestart:    d.Word("reboot", "if-needed", "never") == "never",
		Hooks:        r.hooks(d, tasks),
		Running:      r.running(d),
	}
}

// knownHosts reads where the keys of hosts are: they are no secret, and best
// reviewed in the estate.
func (r *reader) knownHosts(d *hclfile.Decoder) string {
	if name := d.String("known_hosts"); ofRunner(name) {
		return name
	}
	return r.file(d, "known_hosts")
}

// ofRunner says whether a path is of the machine that execute runs on.
func ofRunner(name string) bool {
	return strings.HasPrefix(name, "/") || strings.HasPrefix(name, "~/")
}

// outside reads a path that does not lie in the estate.
func outside(d *hclfile.Decoder, attr string) string {
	name := d.String(attr)
	if d.Has(attr) && !ofRunner(name) {
		d.Fault(attr, `attribute %q: %q would lie in the estate, where no key belongs; expected a path of the runner, such as "~/.ssh/id_ed25519"`, attr, name)
	}
	return name
}

// running reads how the versions of services are found out.
func (r *reader) running(d *hclfile.Decoder) []ring.Running {
	var list []ring.Running
	for _, b := range d.Blocks("running") {
		in := hclfile.Decode(b, 1, &r.hcl)
		w := ring.Running{Package: b.Name(), Command: in.Strings("command"), Restart: in.Strings("restart")}
		r.command(in, w.Command)
		printed(in, "command", "restart")
		in.Done()
		list = append(list, w)
	}
	return list
}

// patience is how long a hook may take that does not say.
const patience = 5 * time.Minute

// hooks reads what is part of a host's step.
func (r *reader) hooks(d *hclfile.Decoder, tasks bool) []ring.Hook {
	var list []ring.Hook
	for _, b := range d.Blocks("hook") {
		in := hclfile.Decode(b, 1, &r.hcl)
		h := ring.Hook{Name: b.Name(), Command: in.Strings("command"), Timeout: cmp.Or(in.Duration("timeout", time.Second), patience)}
		command := in.Has("command")
		if tasks && command == in.Has("tasks") && !b.Broken {
			in.At(b.Place, `%s: one of "command", which is run on the host, and "tasks", a file of Ansible's, says what it does`, in.Title())
		}
		if tasks {
			h.Tasks = r.file(in, "tasks")
		}
		if !tasks || command {
			r.command(in, h.Command)
		}
		printed(in, "command")
		in.Done()
		if slices.ContainsFunc(list, func(o ring.Hook) bool { return o.Name == h.Name }) {
			in.At(b.Place, "%s: it is here a second time", in.Title())
		}
		if r.kind(b, "snapshot", "drain", "undrain") {
			list = append(list, h)
		}
	}
	return list
}

// printed checks words that are to stand on a line.
func printed(d *hclfile.Decoder, attrs ...string) {
	for _, attr := range attrs {
		for _, it := range d.Items(attr) {
			if !printable(it.Text) {
				d.At(it.Place, "%s: attribute %q: %q has characters that do not print", d.Title(), attr, it.Text)
			}
		}
	}
}

func validUser(s string) bool { return made(s, letters+"_", alnum+"._-", 32) }

func validJump(s string) bool {
	u, err := url.Parse("ssh://" + s)
	if err != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || !made(u.Hostname(), alnum, alnum+".-:", 253) {
		return false
	}
	if n, err := strconv.Atoi(u.Port()); u.Port() != "" && (err != nil || n < 1 || n > 65535) {
		return false
	}
	_, secret := u.User.Password()
	return !secret && (u.User == nil || validUser(u.User.Username()))
}

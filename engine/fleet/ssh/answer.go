package ssh

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
)

//go:embed host/*.sh
var programs embed.FS

// program is what a host is given to run: the part of the package manager that it
// has, and the common one. It is read whole before it runs, and what it starts
// reads nothing of it.
var program = func() []byte {
	part := func(name string) string {
		text, err := programs.ReadFile("host/" + name)
		if err != nil {
			panic(err)
		}
		return string(text)
	}
	return []byte("if [ -s /var/lib/dpkg/status ]; then\n" + part("deb.sh") +
		"else echo 'it has no package manager that is known here' >&2; exit 3\nfi\n" + part("job.sh") + "main \"$@\" </dev/null\nexit\n")
}()

// quote makes a word of any text for a POSIX shell.
func quote(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }

func quoted(words []string) string {
	list := make([]string, len(words))
	for i, w := range words {
		list[i] = quote(w)
	}
	return strings.Join(list, " ")
}

// Bounds of what is read of a host.
const (
	maxAnswer = 4 << 20
	maxNoise  = 4 << 10
)

// ask runs a verb of the host's program and reads its answer. An error that is a
// *fleet.Error says that the host answered; any other, that the connection ended
// before it did, and whatever was begun may go on.
func (c *conn) ask(ctx context.Context, verb string, args ...string) (answer, error) {
	session, err := c.client.NewSession()
	if err != nil {
		return nil, fmt.Errorf("asking for %s: %w", verb, err)
	}
	defer session.Close()
	out, noise := &bounded{most: maxAnswer}, &bounded{most: maxNoise}
	session.Stdin, session.Stdout, session.Stderr = bytes.NewReader(program), out, noise
	command := "sh -s -- " + quoted(append([]string{verb}, args...))
	if c.become {
		command = "sudo -n -- " + command
	}
	err = session.Run(command)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("asking for %s: %w", verb, context.Cause(ctx))
	}
	exit := (*ssh.ExitError)(nil)
	if err != nil && !errors.As(err, &exit) {
		return nil, fmt.Errorf("asking for %s: %w", verb, err)
	}
	a, whole := parse(out.String())
	if !whole {
		why := plain(noise.String())
		if why == "" {
			why = fmt.Sprintf("the answer to %s is cut off", verb)
		}
		return nil, &fleet.Error{Code: "refused", Message: "the host cannot be worked on: " + why}
	}
	return a, nil
}

// bounded keeps the beginning of what is written.
type bounded struct {
	bytes.Buffer
	most int
}

func (b *bounded) Write(p []byte) (int, error) {
	if room := b.most - b.Len(); len(p) > room {
		b.Buffer.Write(p[:max(0, room)])
		return len(p), nil
	}
	return b.Buffer.Write(p)
}

var _ io.Writer = (*bounded)(nil)

// plain is text of a host as it may stand in a ledger.
func plain(text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }), "; ")
	if len(text) > 1000 {
		text = text[:1000] + "…"
	}
	return strings.ToValidUTF8(strings.TrimSpace(text), "\uFFFD")
}

// answer is the lines of a host's answer, each cut into its words.
type answer [][]string

// parse reads an answer; whole is false where its last line is missing.
func parse(text string) (a answer, whole bool) {
	for line := range strings.Lines(text) {
		line, ended := strings.CutSuffix(line, "\n")
		if !ended {
			return a, false
		}
		if line == "end" {
			return a, true
		}
		a = append(a, strings.Split(line, "\t"))
	}
	return a, false
}

// all are the lines that begin with a word and have at least n more, without it.
func (a answer) all(word string, n int) [][]string {
	var list [][]string
	for _, line := range a {
		if line[0] == word && len(line) > n {
			list = append(list, line[1:])
		}
	}
	return list
}

// first is what follows a word, "" where nothing does.
func (a answer) first(word string) string {
	if list := a.all(word, 1); len(list) > 0 {
		return list[0][0]
	}
	return ""
}

func (a answer) has(word string) bool { return len(a.all(word, 0)) > 0 }

// seconds is a time of the host's clock; zero where there is none.
func (a answer) seconds(word string) time.Time {
	n, err := strconv.ParseInt(a.first(word), 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}

// pkg is a package as a host has it. Version is "-" where it is not installed.
type pkg struct{ name, version, status string }

// whole says that the package manager finished with it.
func (p pkg) whole() bool { return p.status == "ok" || p.status == "held" }

// bare is the version, "" where it is not installed.
func (p pkg) bare() string {
	if p.version == "-" {
		return ""
	}
	return p.version
}

func (a answer) packages() []pkg {
	var list []pkg
	for _, w := range a.all("version", 3) {
		list = append(list, pkg{w[0], w[1], w[2]})
	}
	return list
}

// job is what a host says of a job.
func (a answer) job(id string) fleet.Job {
	j := fleet.Job{ID: id, State: fleet.Unknown}
	switch a.first("state") {
	case "running":
		j.State = fleet.Running
	case "succeeded":
		j.State = fleet.Succeeded
	case "failed":
		j.State = fleet.Failed
	}
	j.Started, j.Finished = a.seconds("at"), a.seconds("finished")
	j.Rebooted = a.first("restarted") == "1"
	j.Detail = strings.TrimSuffix(strings.TrimSpace(plain(a.first("detail"))), ";")
	for _, p := range a.packages() {
		if j.Packages == nil {
			j.Packages = map[string]string{}
		}
		j.Packages[p.name] = p.bare()
	}
	return j
}

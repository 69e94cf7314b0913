package host

import (
	"strconv"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
)

// Answer is the lines of a host's answer, each cut into its words.
type Answer [][]string

// Parse reads an answer; whole is false where its last line is missing. One that has
// no other line is not nil: a host need not have anything to say.
func Parse(text string) (a Answer, whole bool) {
	a = Answer{}
	for line := range strings.Lines(text) {
		line, ended := strings.CutSuffix(line, "\n")
		if line == "end" {
			return a, true
		}
		if !ended {
			return a, false
		}
		a = append(a, strings.Split(line, "\t"))
	}
	return a, false
}

// all are the lines that begin with a word and have at least n more, without it.
func (a Answer) all(word string, n int) [][]string {
	var list [][]string
	for _, line := range a {
		if line[0] == word && len(line) > n {
			list = append(list, line[1:])
		}
	}
	return list
}

// First is what follows a word, "" where nothing does.
func (a Answer) First(word string) string {
	if list := a.all(word, 1); len(list) > 0 {
		return list[0][0]
	}
	return ""
}

// Values are what follows a word, of each line that begins with it.
func (a Answer) Values(word string) []string {
	var list []string
	for _, w := range a.all(word, 1) {
		list = append(list, w[0])
	}
	return list
}

// says says whether there is a line that begins with a word.
func (a Answer) says(word string) bool { return len(a.all(word, 0)) > 0 }

// pending says that the host waits for a restart.
func (a Answer) pending() bool { return a.says("pending") }

// Known says that the host has the job that it was asked for.
func (a Answer) Known() bool { return a.First("state") != "none" && a.First("state") != "" }

// Denied is why a job was not begun, nil where it was.
func (a Answer) Denied() error {
	if why := a.First("busy"); why != "" {
		return &fleet.Error{Code: "busy", Message: Plain(why), Retryable: true}
	}
	if why := a.First("refused"); why != "" {
		return Refuse("%s", strings.TrimRight(Plain(why), "; "))
	}
	return nil
}

// seconds is a time of the host's clock; zero where there is none.
func (a Answer) seconds(word string) time.Time {
	n, err := strconv.ParseInt(a.First(word), 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}

// installed is a package as a host has it. Version is "-" where there is none;
// status is ok, held, unreadable where nobody can say, or the package manager's word for
// what it left half done.
type installed struct{ name, version, status string }

func (p installed) whole() bool { return p.status == "ok" || p.status == "held" }

// bare is the version, "" where it is not installed.
func (p installed) bare() string {
	if p.version == "-" {
		return ""
	}
	return p.version
}

func (a Answer) installed() []installed {
	var list []installed
	for _, w := range a.all("version", 3) {
		list = append(list, installed{w[0], w[1], w[2]})
	}
	return list
}

// Versions are those of packages that the host can say something of: what is half
// done, or moved by a job that is not over, is left out.
func (a Answer) Versions() map[string]string {
	versions := map[string]string{}
	for _, p := range a.installed() {
		if p.whole() {
			versions[p.name] = p.bare()
		}
	}
	return versions
}

// Job is what a host says of a job; Unknown where it has none.
func (a Answer) Job(id string) fleet.Job {
	j := fleet.Job{ID: id, State: fleet.Unknown}
	switch a.First("state") {
	case "running":
		j.State = fleet.Running
	case "succeeded":
		j.State = fleet.Succeeded
	case "failed":
		j.State = fleet.Failed
	}
	j.Started, j.Finished = a.seconds("at"), a.seconds("finished")
	j.Rebooted = a.First("restarted") == "1"
	j.Detail = strings.TrimSuffix(Plain(a.First("detail")), ";")
	for _, p := range a.installed() {
		if p.status == "unreadable" {
			continue
		}
		if j.Packages == nil {
			j.Packages = map[string]string{}
		}
		j.Packages[p.name] = p.bare()
	}
	return j
}

// Package host is a fleet of hosts that are reached by a shell, whatever carries the
// words there (Door): what is promised of a step (Carrier), the program that asks a
// host and keeps its jobs (job.sh, check.sh, holds.sh, hooks.sh, and a file for each package
// manager), its answers, and what is decided from them (Weigh).
//
// A step is one job on its host, and the host is what remembers it: a folder of
// /var/lib/ringmaster, named by the step's key, says what was asked before
// anything is done, and what came of it afterwards. So a run that is killed, or
// cut off, leaves a job that ends by itself or is settled by whoever asks next,
// and the same key gets the same answer, by whatever fleet it is asked.
//
// Whether a step may begin is decided here (Weigh), from facts that the host
// reports; the program asks and carries out.
package host

import (
	"embed"
	"fmt"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
)

//go:embed job.sh check.sh holds.sh hooks.sh deb.sh rpm.sh dnf.sh zypper.sh apk.sh
var parts embed.FS

// Program is given to a POSIX shell on its standard input, with a verb and its
// words as arguments: "check" and the words of Question, "start", a job and its
// Request, "look" and a job, "installed" and names of packages. It is read whole
// before it runs, and what it starts reads nothing of it.
var Program = program("deb", "rpm", "dnf", "zypper", "apk")

func program(managers ...string) string {
	text := func(name string) string {
		data, err := parts.ReadFile(name + ".sh")
		if err != nil {
			panic(err)
		}
		return string(data)
	}
	var p strings.Builder
	for _, name := range managers {
		fmt.Fprintf(&p, "manager_%s() {\n%s}\n", name, text(name))
	}
	return p.String() + text("check") + text("holds") + text("hooks") + text("job") + "main \"$@\" </dev/null\nexit\n"
}

// Quote makes words of any text for a POSIX shell.
func Quote(words []string) string {
	list := make([]string, len(words))
	for i, w := range words {
		list[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
	}
	return strings.Join(list, " ")
}

// Plain is text of a host as it may stand in a ledger: bounded, on one line.
func Plain(text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }), "; ")
	if len(text) > 1000 {
		text = text[:1000] + "…"
	}
	return strings.ToValidUTF8(strings.TrimSpace(text), "\uFFFD")
}

// Cut is a host's answer that has no end. Noise is what it said besides.
func Cut(verb, noise string) error {
	why := Plain(noise)
	if why == "" {
		why = "the answer to " + verb + " is cut off"
	}
	return &fleet.Error{Code: "refused", Message: "the host cannot be worked on: " + why}
}

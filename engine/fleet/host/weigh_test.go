package host

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// facts writes an answer with spaces for tabs.
func facts(lines string) Answer {
	var a Answer
	for line := range strings.Lines(lines) {
		if f := strings.Fields(line); len(f) > 0 {
			a = append(a, f)
		}
	}
	return a
}

func TestWeigh(t *testing.T) {
	const good = `state none
		uid 0
		version openssl 3.0.11 ok
		free 900 /
		free 500 /var/cache/apt/archives
		known openssl 3.0.15
		need openssl
		need libssl3
		need libc6
		size 2048
		inst openssl 3.0.11 3.0.15
		inst libssl3 3.0.11 3.0.15
		`
	for _, tc := range []struct {
		name          string
		facts, change string // "old => new" in facts
		want          []Move
		why           string
	}{
		{name: "a dependency comes along", facts: good, want: []Move{{"libssl3", "3.0.11", "3.0.15"}}},
		{name: "one it does not depend on", facts: good + "inst nginx 1.22 1.24", why: "would also move nginx from 1.22 to 1.24"},
		{name: "a new one that is no dependency", facts: good + "inst exim4 - 4.96", why: "would also install exim4 4.96"},
		{name: "a removal", facts: good + "remv nginx\nremv curl", why: "would also remove nginx, remove curl"},
		{name: "another version than asked", facts: good, change: "inst openssl 3.0.11 3.0.15 => inst openssl 3.0.11 3.0.16", why: "would also move openssl to 3.0.16"},
		{name: "nothing would happen", facts: good, change: "inst openssl 3.0.11 3.0.15 => ", why: "would leave openssl as it is"},
		{name: "apt would not", facts: strings.ReplaceAll(good, "inst", "x") + "failed E:broken", why: "the package manager would not: E:broken"},
		{name: "somewhere else", facts: good, change: "openssl 3.0.11 ok => openssl 3.0.13 ok", why: "openssl is at 3.0.13, not at 3.0.11"},
		{name: "not installed", facts: good, change: "openssl 3.0.11 ok => openssl - ok", why: "openssl is at no version (not installed), not at 3.0.11"},
		{name: "no word of it", facts: good, change: "version => x", why: "does not say at which version openssl is"},
		{name: "held", facts: good, change: "openssl 3.0.11 ok => openssl 3.0.11 held", why: "openssl is held at 3.0.11"},
		{name: "what comes along is held", facts: good + "held libssl3", why: "libssl3 would move to 3.0.15 with it, and is held on the host by its administrators"},
		{name: "another is held, and one is ringmaster's own", facts: good + "held nginx\nours libssl3", want: []Move{{"libssl3", "3.0.11", "3.0.15"}}},
		{name: "a full disk", facts: good, change: "free 500 => free 101", why: "101 MB are free in /var/cache/apt/archives, and 102 are needed"},
		{name: "no word of the disk", facts: good, change: "free => x", why: "does not say how much of its disk is free"},
		{name: "mounted read-only", facts: good + "readonly /usr", why: "the host cannot write to /usr, which is mounted read-only"},
		{name: "half done", facts: good + "broken nginx iF", why: "packages are left half done: nginx (iF)"},
		{name: "not root", facts: good, change: "uid 0 => uid 1000", why: "uid 1000; declare become = true"},
		{name: "no word of the user", facts: good, change: "uid 0 => ", why: "declare become = true"},
		{name: "unknown version", facts: good, change: "known openssl 3.0.15 => known openssl 3.0.14", why: "no repository of the host has openssl 3.0.15"},
		{name: "locked", facts: good + "locked apt", why: "busy: somebody else is installing: apt"},
		{name: "at work", facts: good + "busy ringmaster", why: "busy: ringmaster"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text := tc.facts
			if old, now, ok := strings.Cut(tc.change, " => "); ok {
				if !strings.Contains(text, old) {
					t.Fatalf("the facts do not have %q", old)
				}
				text = strings.ReplaceAll(text, old, now)
			}
			got, err := Weigh(facts(text), []Move{{"openssl", "3.0.11", "3.0.15"}}, false, 100)
			if tc.why == "" && err != nil || tc.why != "" && (err == nil || !strings.Contains(err.Error(), tc.why)) {
				t.Errorf("Weigh() = %v, want %q", err, tc.why)
			}
			if diff := cmp.Diff(tc.want, got.Along); diff != "" {
				t.Errorf("along (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWeighBack(t *testing.T) {
	const good = `state none
		uid 0
		version openssl 3.0.15 iF
		broken openssl iF
		free 900 /
		known openssl 3.0.11
		undoes apply-1
		with libssl3 3.0.11 3.0.15
		version libssl3 3.0.15 ok
		with libnew - 1.0
		version libnew 1.0 ok
		inst openssl 3.0.15 3.0.11
		inst libssl3 3.0.15 3.0.11
		remv libnew
		`
	along := []Move{{"libssl3", "3.0.15", "3.0.11"}, {"libnew", "1.0", "-"}}
	for _, tc := range []struct {
		name, facts string
		want        []Move
		why         string
	}{
		{name: "with all that came along, though it is half done", facts: good, want: along},
		{name: "others need what came along now", facts: good + "remv nginx\nwithout\ninst openssl 3.0.15 3.0.11"},
		{name: "others move either way", facts: good + "remv nginx\nwithout\ninst openssl 3.0.15 3.0.11\nremv nginx", why: "would also remove nginx"},
		{name: "what came along is held", facts: good + "held libssl3\nwithout\ninst openssl 3.0.15 3.0.11"},
		{name: "what came along is held, and needed", facts: good + "held libssl3\nwithout\ninst openssl 3.0.15 3.0.11\nremv nginx", why: "libssl3 would move to 3.0.11 with it, and is held"},
		{name: "what came along has moved on", facts: strings.Replace(good, "version libssl3 3.0.15", "version libssl3 3.0.16", 1) + "without\ninst openssl 3.0.15 3.0.11"},
		{name: "it is back already", facts: strings.Replace(good, "version openssl 3.0.15 iF", "version openssl 3.0.11 ok", 1), why: "openssl is at 3.0.11 already"},
		{name: "it is back, half done", facts: strings.Replace(good, "version openssl 3.0.15 iF", "version openssl 3.0.11 iF", 1), want: along},
		{name: "gone from the repositories", facts: strings.Replace(good, "known openssl 3.0.11", "", 1), why: "no repository of the host has openssl 3.0.11"},
		{name: "a kernel stands beside its former one", facts: good + "beside openssl", why: "openssl is installed beside its former version"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := Weigh(facts(tc.facts), []Move{{"openssl", "3.0.15", "3.0.11"}}, true, 100)
			if tc.why == "" && err != nil || tc.why != "" && (err == nil || !strings.Contains(err.Error(), tc.why)) {
				t.Errorf("Weigh() = %v, want %q", err, tc.why)
			}
			if diff := cmp.Diff(tc.want, got.Along); err == nil && diff != "" {
				t.Errorf("along (-want +got):\n%s", diff)
			}
		})
	}
}

// A shell reads quoted words as they were.
func TestQuoted(t *testing.T) {
	words := []string{"", "a b", "it's", `"$(id)"`, "`id`", `\`, "\n", "*", "~", "-n", "$HOME", "'''"}
	out, err := exec.Command("sh", "-c", "for w in "+Quote(words)+`; do printf '%s\0' "$w"; done`).Output()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Join(words, "\x00")+"\x00", string(out)); diff != "" {
		t.Errorf("words (-want +got):\n%s", diff)
	}
}

// The program is one that POSIX shells understand, those that are here.
func TestProgram(t *testing.T) {
	for _, shell := range []string{"sh", "dash", "bash", "busybox sh"} {
		words := strings.Fields(shell + " -n")
		if _, err := exec.LookPath(words[0]); err != nil && shell != "sh" {
			continue
		}
		cmd := exec.Command(words[0], words[1:]...)
		cmd.Stdin = strings.NewReader(Program)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s -n: %v\n%s", shell, err, out)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add("state\tsucceeded\nat\t1\nfinished\t2\nversion\ta\t1\tok\ndetail\tx\nend\n", "web-1/apply-00112233445566778899aabbccddeeff")
	f.Add("inst\ta\t1\t2\nwithout\nremv\nfree\tx\t/\nend", "x")
	f.Fuzz(func(t *testing.T, text, id string) {
		a, whole := Parse(text)
		if whole && !strings.Contains("\n"+text+"\n", "\nend\n") {
			t.Errorf("Parse(%q) is whole", text)
		}
		if d := a.Job("x").Detail; strings.ContainsAny(d, "\n\t\x00") || len(d) > 1010 {
			t.Errorf("detail %q goes into a ledger", d)
		}
		Weigh(a, []Move{{"a", "1", "2"}}, len(text)%2 == 0, 1)
		if host, name, ok := Split(id); ok && (ID(host, name) != id || !inventory.HostID(host).Valid()) {
			t.Errorf("Split(%q) = %q, %q", id, host, name)
		}
	})
}

package risk

import (
	"slices"
	"strings"
	"unicode"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
)

// What a bulletin may ask for, the least first.
var restarts = []string{"", "none", "service", "reboot"}

// restartOf is the most that the bulletins ask for, "" where none says anything.
func restartOf(list []*advisory.Advisory) string {
	most := 0
	for _, a := range list {
		most = max(most, slices.Index(restarts, restartIn(a.Bulletin)))
	}
	return restarts[most]
}

// bulletinLimit is how much of a bulletin is read.
const bulletinLimit = 20_000

// restartIn is what a text asks for: none, service, reboot, or "" where it does
// not say. A sentence counts that speaks of a restart as something to be done or
// not; one about attacks and crashes does not, for there a reboot is what the
// update prevents. Of several sentences the one that asks for most counts.
func restartIn(text string) string {
	text = text[:min(len(text), bulletinLimit)]
	most := 0
	for sentence := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '.' || r == ';' || r == '!' || r == '\n' }) {
		sentence = strings.ReplaceAll(strings.ToLower(sentence), "system update", "update") // Ubuntu's "standard system update"
		words := strings.FieldsFunc(sentence, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		most = max(most, slices.Index(restarts, asked(words)))
	}
	return restarts[most]
}

// asked is what the words of one sentence ask for.
func asked(words []string) string {
	has := func(list ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(list, w) })
	}
	begins := func(stems ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool {
			return slices.ContainsFunc(stems, func(stem string) bool { return strings.HasPrefix(w, stem) })
		})
	}
	reboot, restart := begins("reboot"), begins("restart")
	switch {
	case !reboot && !restart:
		return ""
	case begins("attack", "crash", "exploit", "vulnerab", "denial", "cause", "causing", "issue", "bug", "fail", "loop"):
		return ""
	case has("no", "not", "without", "neither", "never"):
		return "none"
	case !begins("must", "need", "requir", "necessary", "should", "take", "will", "please", "after", "recommend"):
		return ""
	case reboot && !restart:
		return "reboot"
	case !reboot && has("computer", "computers", "system", "systems", "machine", "machines", "host", "hosts", "device", "node") && !begins("service", "daemon", "application", "process"):
		return "reboot"
	}
	return "service"
}

package outcome

// ReasonType is a kind of reason for which people disagree. Teaches says that it
// speaks of what deploying the patch breaks, so that a model may learn from it; the
// others speak of circumstances, which say nothing of the patch.
type ReasonType struct {
	Word, Means string
	Teaches     bool
}

// ReasonTypes are the words of Override.ReasonType.
var ReasonTypes = []ReasonType{
	{"known-issue", "others report that it breaks", true},
	{"failed-before", "it, or one like it, broke here", true},
	{"untested", "nobody has tried it here yet", true},
	{"not-affected", "what it breaks, or fixes, is not in use here", true},
	{"wrong-score", "the score is wrong", true},
	{"dependency", "something else has to come first", false},
	{"business", "the time is wrong for the business", false},
	{"capacity", "nobody is there to do it, or to watch it", false},
	{"mitigated", "what it fixes is warded off otherwise", false},
	{"other", "none of these", true},
}

// ReasonWords are the words of ReasonTypes.
func ReasonWords() []string {
	words := make([]string, len(ReasonTypes))
	for i, t := range ReasonTypes {
		words[i] = t.Word
	}
	return words
}

// Teaches says whether a model may learn from the override: unless it was typed
// as a reason that says nothing of the patch.
func (o Override) Teaches() bool {
	for _, t := range ReasonTypes {
		if t.Word == o.ReasonType {
			return t.Teaches
		}
	}
	return true
}

package evidence

// MoreOften is the probability that as many of all failures, or more, fall on own by
// chance where own and other fail alike: Fisher's exact test (1935), one-sided. It is
// for a comparison that is looked at once; 1 where nothing failed on own.
func MoreOften(own, other Count) float64 {
	if own.Bad == 0 {
		return 1
	}
	return hypergeometric{all: own.N + other.N, marked: own.Bad + other.Bad, drawn: own.N}.atLeast(own.Bad)
}

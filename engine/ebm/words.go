package ebm

import "math/bits"

// wordTable finds the bin of a word by open addressing. Its keys are what a word
// begins and ends with, eight bytes each: those of up to 16 bytes are known by
// them and their length alone, and no string is compared.
type wordTable struct {
	slot   []uint8 // the bin of a word, 0 where free; a power of two of them
	factor uint64
	key    []wordKey // by bin
	words  []string  // of bin k+1
}

// wordKey is a word's first and last bytes, and how many it has.
type wordKey struct {
	head, tail uint64
	size       int
}

// whole is the longest word that head and tail hold all of.
const whole = 16

// factors is how many ways of hashing are tried for one under which no two words
// fall on the same slot.
const factors = 32

func newWordTable(words []string) wordTable {
	t := wordTable{words: words, key: make([]wordKey, 1, len(words)+1)}
	for _, w := range words {
		t.key = append(t.key, keyOf(w))
	}
	fewest := len(words) + 1
	for k := range uint64(factors) {
		try := wordTable{slot: make([]uint8, 8<<bits.Len(uint(len(words)))), factor: mix(k) | 1, key: t.key}
		if clashes := try.fill(); clashes < fewest {
			fewest, t.slot, t.factor = clashes, try.slot, try.factor
		}
		if fewest == 0 {
			break
		}
	}
	return t
}

// fill puts every word into its slot or the next that is free, and says how many
// did not find theirs so.
func (t *wordTable) fill() (clashes int) {
	for k := 1; k < len(t.key); k++ {
		at := t.place(t.key[k])
		if t.slot[at] != 0 {
			clashes++
		}
		for t.slot[at] != 0 {
			at = (at + 1) & (len(t.slot) - 1)
		}
		t.slot[at] = uint8(k)
	}
	return clashes
}

// find is a word's bin, 0 for one that is not there.
func (t *wordTable) find(w string) int {
	key := keyOf(w)
	for at := t.place(key); ; at++ {
		bin := int(t.slot[at&(len(t.slot)-1)])
		if bin == 0 || t.key[bin] == key && (key.size <= whole || t.words[bin-1] == w) {
			return bin
		}
	}
}

// place is where a word is looked for first.
func (t *wordTable) place(k wordKey) int {
	h := (k.head ^ bits.RotateLeft64(k.tail, 29) ^ uint64(k.size)) * t.factor
	return int(h>>32) & (len(t.slot) - 1)
}

func keyOf(w string) wordKey {
	n := len(w)
	switch {
	case n >= 8:
		return wordKey{eight(w), eight(w[n-8:]), n}
	case n >= 4:
		return wordKey{four(w), four(w[n-4:]), n}
	case n > 0:
		return wordKey{uint64(w[0]) | uint64(w[n/2])<<8 | uint64(w[n-1])<<16, 0, n}
	}
	return wordKey{}
}

func eight(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 | uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

func four(s string) uint64 {
	_ = s[3]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24
}

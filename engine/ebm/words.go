package ebm

import "math/bits"

// wordTable finds the bin of a word: open addressing by length, first and last
// bytes, which is faster than a map for the few words of a column.
type wordTable struct {
	slot []wordSlot
	mask uint32
}

type wordSlot struct {
	word string
	bin  int // 0 where free
}

func newWordTable(words []string) wordTable {
	size := 4 << bits.Len(uint(len(words)))
	t := wordTable{slot: make([]wordSlot, size), mask: uint32(size - 1)}
	for k, w := range words {
		at := wordHash(w) & t.mask
		for t.slot[at].bin != 0 {
			at = (at + 1) & t.mask
		}
		t.slot[at] = wordSlot{w, k + 1}
	}
	return t
}

// find is a word's bin, 0 for one that is not there.
func (t *wordTable) find(w string) int {
	for at := wordHash(w) & t.mask; ; at = (at + 1) & t.mask {
		if s := &t.slot[at]; s.bin == 0 || s.word == w {
			return s.bin
		}
	}
}

func wordHash(w string) uint32 {
	n := len(w)
	if n == 0 {
		return 0
	}
	h := uint32(n)*0x9e3779b1 ^ uint32(w[0]) ^ uint32(w[n/2])<<8 ^ uint32(w[n-1])<<16 ^ uint32(w[n/4])<<24 ^ uint32(w[n*3/4])<<4
	h *= 0x85ebca6b
	return h ^ h>>15
}

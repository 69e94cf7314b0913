package ebm

import "math/bits"

// wordTable finds the bin of a word: open addressing by length, first and last
// bytes, which is faster than a map for the few words of a column.
type wordTable struct {
	words []string
	slot  []uint16 // bin, 0 where free
	mask  uint32
}

func newWordTable(words []string) wordTable {
	size := 4 << bits.Len(uint(len(words)))
	t := wordTable{words: words, slot: make([]uint16, size), mask: uint32(size - 1)}
	for k, w := range words {
		at := wordHash(w) & t.mask
		for t.slot[at] != 0 {
			at = (at + 1) & t.mask
		}
		t.slot[at] = uint16(k + 1)
	}
	return t
}

// find is a word's bin, 0 for one that is not there.
func (t *wordTable) find(w string) int {
	for at := wordHash(w) & t.mask; ; at = (at + 1) & t.mask {
		k := int(t.slot[at])
		if k == 0 || t.words[k-1] == w {
			return k
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

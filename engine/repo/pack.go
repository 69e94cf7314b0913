package repo

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
)

// batch is objects on their way into the store.
type batch struct {
	s    *store
	seen map[plumbing.Hash]bool
	objs []packed
}

type packed struct {
	hash plumbing.Hash
	kind plumbing.ObjectType
	data []byte
	at   uint64 // offset in the pack
	crc  uint32
}

func (s *store) batch() *batch { return &batch{s: s, seen: map[plumbing.Hash]bool{}} }

// add puts an object into the batch, unless the store has it already.
func (b *batch) add(kind plumbing.ObjectType, data []byte) plumbing.Hash {
	h := hashOf(kind, data)
	if !b.seen[h] {
		b.seen[h] = true
		if !b.s.has(h) {
			b.objs = append(b.objs, packed{hash: h, kind: kind, data: data})
		}
	}
	return h
}

func hashOf(kind plumbing.ObjectType, data []byte) plumbing.Hash {
	d := sha1.New()
	d.Write(header(kind, len(data)))
	d.Write(data)
	var h plumbing.Hash
	d.Sum(h[:0])
	return h
}

func header(kind plumbing.ObjectType, size int) []byte {
	return append(kind.Bytes(), " "+strconv.Itoa(size)+"\x00"...)
}

// looseMost is the largest batch that is written as loose objects. A run that
// commits one ledger line makes about five; as packs, ten thousand of those
// would make every later lookup ask ten thousand indexes.
const looseMost = 12

// flush makes the batch durable. A kill at any moment leaves either all that
// readers can see or nothing that they can.
func (b *batch) flush() error {
	if len(b.objs) == 0 {
		return nil
	}
	if len(b.objs) <= looseMost {
		for _, o := range b.objs {
			if err := b.s.writeLoose(o); err != nil {
				return fmt.Errorf("writing object %s: %w", o.hash, err)
			}
		}
		return nil
	}
	if err := b.s.writePack(b.objs); err != nil {
		return fmt.Errorf("writing a pack: %w", err)
	}
	return nil
}

func (s *store) writeLoose(o packed) error {
	var z bytes.Buffer
	w := deflater(&z)
	defer deflaters.Put(w)
	w.Write(header(o.kind, len(o.data)))
	w.Write(o.data)
	w.Close()
	path := s.loosePath(o.hash)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return writeDurably(path, z.Bytes(), 0o444)
}

// deflaters are writers to use again: each takes more than a megabyte, and a
// commit writes five small objects.
var deflaters = sync.Pool{New: func() any {
	w, _ := zlib.NewWriterLevel(nil, zlib.BestSpeed)
	return w
}}

// deflater is one of them that writes to b; it goes back when it was closed.
func deflater(b *bytes.Buffer) *zlib.Writer {
	w := deflaters.Get().(*zlib.Writer)
	w.Reset(b)
	return w
}

// writeDurably makes a file appear whole and synced, or not at all.
func writeDurably(path string, data []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), "tmp_obj_")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone already where the rename was done
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// encodePack writes objects whole, without deltas, as gitformat-pack(5) version
// 2, and fills in their offsets and checksums. The last 20 bytes are its hash.
func encodePack(objs []packed) []byte {
	var b bytes.Buffer
	b.WriteString("PACK\x00\x00\x00\x02")
	b.Write(binary.BigEndian.AppendUint32(nil, uint32(len(objs))))
	w := deflater(&b)
	defer deflaters.Put(w)
	for i := range objs {
		o := &objs[i]
		o.at = uint64(b.Len())
		size := uint64(len(o.data))
		first := byte(o.kind)<<4 | byte(size&15)
		for size >>= 4; size > 0; size >>= 7 {
			b.WriteByte(first | 0x80)
			first = byte(size & 0x7f)
		}
		b.WriteByte(first)
		w.Reset(&b)
		w.Write(o.data)
		w.Close()
		o.crc = crc32.ChecksumIEEE(b.Bytes()[o.at:])
	}
	sum := sha1.Sum(b.Bytes())
	b.Write(sum[:])
	return b.Bytes()
}

// encodeIndex writes the version 2 index of a pack; objs are sorted by hash.
func encodeIndex(objs []packed, packSum []byte) []byte {
	var fan [256]uint32
	for _, o := range objs {
		fan[o.hash[0]]++
	}
	b := []byte("\xfftOc\x00\x00\x00\x02")
	total := uint32(0)
	for _, n := range fan {
		total += n
		b = binary.BigEndian.AppendUint32(b, total)
	}
	for _, o := range objs {
		b = append(b, o.hash[:]...)
	}
	for _, o := range objs {
		b = binary.BigEndian.AppendUint32(b, o.crc)
	}
	var large []byte
	for _, o := range objs {
		if o.at < 1<<31 {
			b = binary.BigEndian.AppendUint32(b, uint32(o.at))
			continue
		}
		b = binary.BigEndian.AppendUint32(b, 1<<31|uint32(len(large)/8))
		large = binary.BigEndian.AppendUint64(large, o.at)
	}
	b = append(append(b, large...), packSum...)
	sum := sha1.Sum(b)
	return append(b, sum[:]...)
}

// writePack writes one pack and its index. The index goes first: the git
// program ignores an index without its pack, go-git trips over the contrary.
func (s *store) writePack(objs []packed) error {
	pack := encodePack(objs)
	sum := pack[len(pack)-20:]
	slices.SortFunc(objs, func(a, b packed) int { return bytes.Compare(a.hash[:], b.hash[:]) })
	dir := filepath.Join(s.dir, "objects", "pack")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	base := filepath.Join(dir, fmt.Sprintf("pack-%x", sum))
	if err := writeDurably(base+".idx", encodeIndex(objs, sum), 0o444); err != nil {
		return err
	}
	if err := writeDurably(base+".pack", pack, 0o444); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes renames in a folder survive a power cut, where folders can be
// synced at all.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	d.Sync()
	return d.Close()
}

// Package archive opens a file of advisories, however it is packed: plain, gz,
// bz2, tar, tar.gz, tar.bz2 or zip, told by its first bytes and not by its name.
//
// What comes out is the name and the bytes of each member. Names serve messages
// only and are never used as paths; links and special files are passed over.
// What a packed file may unpack to is limited, because it may be hostile: a few
// kilobytes can hold gigabytes.
package archive

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Limits is how much a file may unpack to. A zero field takes its default.
type Limits struct {
	Total   int64 // bytes of all members, default 4 GiB
	Member  int64 // bytes of one member, default 512 MiB
	Members int   // default 1,000,000
}

func (l Limits) withDefaults() Limits {
	if l.Total == 0 {
		l.Total = 4 << 30
	}
	if l.Member == 0 {
		l.Member = 512 << 20
	}
	if l.Members == 0 {
		l.Members = 1_000_000
	}
	return l
}

// Member is one document. Name is the one inside the archive, or where a file is
// compressed alone the one in gzip's header; it may be "" and it may be hostile.
type Member struct {
	Name string
	Data []byte
}

// ErrLimit is wrapped by the errors of files that unpack to too much.
var ErrLimit = errors.New("it may be a decompression bomb")

// Packing names how data is packed: "", "gz", "bz2", "zip" or "tar", and "xz"
// and "zstd", which Walk refuses.
func Packing(data []byte) string {
	for _, m := range []struct{ packing, magic string }{
		{"gz", "\x1f\x8b"}, {"bz2", "BZh"}, {"zip", "PK\x03\x04"}, {"zip", "PK\x05\x06"},
		{"xz", "\xfd7zXZ\x00"}, {"zstd", "\x28\xb5\x2f\xfd"},
	} {
		if bytes.HasPrefix(data, []byte(m.magic)) {
			return m.packing
		}
	}
	if len(data) >= 512 && string(data[257:262]) == "ustar" {
		return "tar"
	}
	return ""
}

// Walk calls visit with every member, in the archive's order; a file that is not
// packed is its own only member. It stops at the first error, its own or that of
// visit. Everything is read to its end, so that checksums have been compared
// when it returns nil. The bytes handed to visit are its own.
func Walk(data []byte, l Limits, visit func(Member) error) error {
	w := walk{limits: l.withDefaults(), visit: visit}
	switch packing := Packing(data); packing {
	case "":
		return w.member("", int64(len(data)), bytes.NewReader(data))
	case "zip":
		return w.zip(data)
	case "tar":
		return w.tar(bytes.NewReader(data))
	case "gz":
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return fmt.Errorf("opening gzip: %w", err)
		}
		return w.stream(z, z.Name, claim(data))
	case "bz2":
		return w.stream(bzip2.NewReader(bytes.NewReader(data)), "", 0)
	default:
		return fmt.Errorf("packed with %s, which is not read; expected one of zip, tar, tar.gz, tar.bz2, gz, bz2 or plain", packing)
	}
}

// walk is one run of Walk: what is left of the limits.
type walk struct {
	limits Limits
	visit  func(Member) error
	seen   int
	total  int64
}

// stream reads what one compressed stream holds: a tar archive or one document.
func (w *walk) stream(r io.Reader, name string, size int64) error {
	b := bufio.NewReaderSize(r, 64<<10)
	head, err := b.Peek(512)
	if err != nil && err != io.EOF {
		return fmt.Errorf("decompressing: %w", cut(err))
	}
	if Packing(head) == "tar" {
		if err := w.tar(b); err != nil {
			return err
		}
		return w.rest(b)
	}
	return w.member(name, size, b)
}

// claim is what a gzip file says that it unpacks to (its last four bytes), as far
// as its length can bear that out: deflate makes at best 1 byte of 1,032.
func claim(data []byte) int64 {
	size := int64(binary.LittleEndian.Uint32(data[len(data)-4:]))
	return min(size, int64(len(data))*1032)
}

// rest reads what follows the end of a tar archive, so that the checksum of the
// stream around it is compared.
func (w *walk) rest(r io.Reader) error {
	n, err := io.Copy(io.Discard, io.LimitReader(r, w.limits.Total-w.total+1))
	if err != nil {
		return fmt.Errorf("decompressing: %w", cut(err))
	}
	if n > w.limits.Total-w.total {
		return w.tooMuch()
	}
	return nil
}

func (w *walk) tar(r io.Reader) error {
	t := tar.NewReader(r)
	for {
		h, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading tar: %w", cut(err))
		}
		if h.Typeflag != tar.TypeReg {
			if err := w.count(); err != nil {
				return err
			}
			continue
		}
		if err := w.member(h.Name, h.Size, t); err != nil {
			return err
		}
	}
}

func (w *walk) zip(data []byte) error {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return fmt.Errorf("reading zip: %w", err)
	}
	for _, f := range z.File {
		if !f.Mode().IsRegular() || strings.HasSuffix(f.Name, "/") {
			if err := w.count(); err != nil {
				return err
			}
			continue
		}
		r, err := f.Open()
		if err != nil {
			return fmt.Errorf("member %q: %w", f.Name, err)
		}
		err = w.member(f.Name, int64(min(f.UncompressedSize64, f.CompressedSize64*1032, 1<<40)), r)
		r.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) count() error {
	if w.seen++; w.seen > w.limits.Members {
		return fmt.Errorf("more than %d members: %w", w.limits.Members, ErrLimit)
	}
	return nil
}

// member reads one document. The size is what the archive claims, which is
// believed as far as the first buffer.
func (w *walk) member(name string, size int64, r io.Reader) error {
	if err := w.count(); err != nil {
		return err
	}
	most := min(w.limits.Member, w.limits.Total-w.total)
	var b bytes.Buffer
	b.Grow(int(min(max(size, 0), most, 32<<20)) + bytes.MinRead)
	n, err := b.ReadFrom(io.LimitReader(r, most+1))
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", title(name), cut(err))
	case n > most && most < w.limits.Member:
		return w.tooMuch()
	case n > most:
		return fmt.Errorf("%s unpacks to more than %d bytes: %w", title(name), w.limits.Member, ErrLimit)
	}
	w.total += n
	return w.visit(Member{Name: name, Data: b.Bytes()})
}

func (w *walk) tooMuch() error {
	return fmt.Errorf("unpacks to more than %d bytes: %w", w.limits.Total, ErrLimit)
}

func title(name string) string {
	if name == "" {
		return "the document"
	}
	return fmt.Sprintf("member %q", name)
}

// cut says what an early end means.
func cut(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("it ends early: %w", err)
	}
	return err
}

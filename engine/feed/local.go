package feed

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/advisory/archive"
	"github.com/ringmaster-dev/ringmaster/engine/advisory/snapshot"
)

// local reads a path. People wrote it, so it may lead out of the estate.
func (s *run) local(ctx context.Context, src source) (got, error) {
	name := filepath.FromSlash(src.from)
	if !filepath.IsAbs(name) {
		name = filepath.Join(s.Root, name)
	}
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return got{}, causeOf(err)
	case info.IsDir():
		return s.folder(ctx, src, name)
	case !info.Mode().IsRegular():
		return got{}, errors.New("neither a file nor a folder")
	}
	data, err := readFile(name, s.MaxSize)
	if err != nil {
		return got{}, err
	}
	return gotOf(data), nil
}

// readFile reads a file that may be too long.
func readFile(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, causeOf(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, causeOf(err)
	}
	if int64(len(data)) > most {
		return nil, fmt.Errorf("more than the limit of %d bytes", most)
	}
	return data, nil
}

// causeOf strips the operation and path that the message around it tells.
func causeOf(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// lines unpacks JSON lines, which are read plain.
func (s *run) lines(g got) (data []byte, sum string, err error) {
	if archive.Packing(g.data) == "" {
		return g.data, g.sha256, nil
	}
	err = archive.Walk(g.data, s.Limits, func(m archive.Member) error {
		data = appendLines(data, m.Data)
		return nil
	})
	plain := gotOf(data)
	return plain.data, plain.sha256, err
}

func appendLines(all, lines []byte) []byte {
	all = append(all, lines...)
	if len(all) > 0 && all[len(all)-1] != '\n' {
		all = append(all, '\n')
	}
	return all
}

// folder gathers the documents of the source's kind that lie in a folder, at any
// depth and however packed, in the order of their names. Hidden files are passed
// over, links are not followed, and what is of another kind is left out and
// noted.
func (s *run) folder(ctx context.Context, src source, dir string) (got, error) {
	p := newPack(src.kind, s.Limits, s.MaxSize)
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return causeOf(err)
		case name != dir && strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir():
			return nil
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		if !d.Type().IsRegular() {
			p.leave(rel, "it is not a regular file")
			return nil
		}
		data, err := readFile(name, s.MaxSize)
		if err != nil {
			return fmt.Errorf("%s: %w", rel, err)
		}
		return p.file(filepath.ToSlash(rel), data)
	})
	if err != nil {
		return got{}, err
	}
	return p.finish()
}

// pack is the documents of a folder, on their way into one file.
type pack struct {
	kind   string
	limits snapshot.Limits
	most   int64  // bytes of the packed file
	plain  []byte // of patches: the lines
	buf    bytes.Buffer
	gz     *gzip.Writer
	tar    *tar.Writer
	sum    hash.Hash // over "<name>\0<hex sha256>\n" of each document
	count  int
	left   []string
}

func newPack(kind string, limits snapshot.Limits, most int64) *pack {
	p := &pack{kind: kind, limits: limits, most: most, sum: sha256.New()}
	p.gz = gzip.NewWriter(&p.buf)
	p.tar = tar.NewWriter(p.gz)
	return p
}

func (p *pack) leave(name, why string) { p.left = append(p.left, fmt.Sprintf("%q (%s)", name, why)) }

// file takes in one file of the folder. One that cannot be unpacked is left out;
// one that unpacks to too much stops the whole.
func (p *pack) file(name string, data []byte) error {
	packed := archive.Packing(data) != ""
	type document struct {
		name string
		data []byte
	}
	var found []document
	other := map[snapshot.Kind]int{}
	err := archive.Walk(data, p.limits, func(m archive.Member) error {
		kind := snapshot.Recognise(m.Data)
		if !slices.Contains(snapshot.Holds(p.kind), kind) {
			other[kind]++
			return nil
		}
		d := document{name, m.Data}
		if packed && m.Name != "" {
			d.name = name + "/" + inside(m.Name)
		}
		found = append(found, d)
		return nil
	})
	if errors.Is(err, archive.ErrLimit) {
		return fmt.Errorf("%q: %w", name, err)
	}
	if err != nil {
		p.leave(name, err.Error())
		return nil
	}
	for kind, n := range other {
		if len(found) == 0 && n == 1 {
			p.leave(name, kind.String())
		} else {
			p.leave(name, fmt.Sprintf("%d documents: %s", n, kind))
		}
	}
	slices.Sort(p.left)
	for _, d := range found {
		if err := p.add(d.name, d.data); err != nil {
			return err
		}
	}
	return nil
}

// inside makes a harmless relative name of one that an archive gave.
func inside(name string) string {
	return strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(name, `\`, "/")), "/")
}

func (p *pack) add(name string, data []byte) error {
	p.count++
	if int64(p.buf.Len()) > p.most {
		return fmt.Errorf("its documents are more than the limit of %d bytes when packed", p.most)
	}
	sum := sha256.Sum256(data)
	fmt.Fprintf(p.sum, "%s\x00%x\n", name, sum)
	if p.kind == string(snapshot.Patches) {
		p.plain = appendLines(p.plain, data)
		return nil
	}
	// no times, owners or modes: the same documents give the same bytes
	err := p.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(data)), Mode: 0o644, Format: tar.FormatPAX})
	if err != nil {
		return err
	}
	_, err = p.tar.Write(data)
	return err
}

func (p *pack) finish() (got, error) {
	if p.count == 0 {
		return got{}, fmt.Errorf("the folder holds nothing of the kind %q%s", p.kind, p.leftOut(": "))
	}
	if err := errors.Join(p.tar.Close(), p.gz.Close()); err != nil {
		return got{}, err
	}
	g := gotOf(p.buf.Bytes())
	if p.kind == string(snapshot.Patches) {
		g = gotOf(p.plain)
	}
	g.content = hex.EncodeToString(p.sum.Sum(nil))
	if len(p.left) > 0 {
		g.notes = []string{strings.TrimPrefix(p.leftOut(""), "; ")}
	}
	return g, nil
}

// leftOut names what was left out, the first few of many.
func (p *pack) leftOut(before string) string {
	if len(p.left) == 0 {
		return ""
	}
	shown := p.left[:min(len(p.left), 5)]
	text := fmt.Sprintf("%sleft out of the folder: %s", before, strings.Join(shown, ", "))
	if more := len(p.left) - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

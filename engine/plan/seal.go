package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Seal sets the plan's digest and returns the file's bytes: canonical JSON and
// one newline.
func Seal(p *Plan) ([]byte, error) {
	p.Schema, p.Digest = Schema, blank
	data, digest, err := document(p)
	if err != nil {
		p.Digest = ""
		return nil, fmt.Errorf("sealing plan %s: %w", p.ID, err)
	}
	p.Digest = sumWithout(data, digest)
	copy(data[digest.from+len(`"digest":"`):], p.Digest)
	return append(data, '\n'), nil
}

// Sum is "sha256:" and the hex digest of data.
func Sum(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Errors of Parse that callers tell apart.
var (
	ErrNotCanonical = errors.New("the bytes are not canonical JSON and one newline")
	ErrDigest       = errors.New("the digest is not that of the bytes")
)

// Parse reads plan.json and checks that it is what was sealed: canonical bytes
// and the digest they say. Unknown members are passed over, and covered by the
// digest all the same.
func Parse(data []byte) (*Plan, error) {
	if p := read(data); p != nil && sealed(p, data) {
		return p, nil
	}
	p, err := Decode(data)
	if err != nil {
		return nil, err
	}
	if sealed(p, data) {
		return p, nil
	}
	if err := Verify(data); err != nil {
		return nil, fmt.Errorf("plan %s: %w", p.ID, err)
	}
	return p, nil
}

// Decode reads plan.json without looking at how its bytes are written.
func Decode(data []byte) (*Plan, error) {
	var p Plan
	if err := json.Unmarshal(data, &p); err != nil {
		return nil, fmt.Errorf("reading a plan: %w", err)
	}
	if p.Schema != Schema {
		return nil, fmt.Errorf("reading a plan: schema %q; expected %q", p.Schema, Schema)
	}
	return &p, nil
}

// Verify says whether the bytes of plan.json are canonical and have the digest
// that they name.
func Verify(data []byte) error {
	v, err := generic(data)
	if err != nil {
		return fmt.Errorf("reading a plan: %w", err)
	}
	doc, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("reading a plan: not an object")
	}
	canonical, err := Canonical(doc)
	if err != nil {
		return err
	}
	if !bytes.Equal(append(canonical, '\n'), data) {
		return ErrNotCanonical
	}
	digest, _ := doc["digest"].(string)
	delete(doc, "digest")
	without, err := Canonical(doc)
	if err != nil {
		return err
	}
	if Sum(without) != digest {
		return ErrDigest
	}
	return nil
}

// ID is the name of the n-th plan of a class and a group.
func ID(class Class, group string, n int) string {
	return string(class) + "-" + group + "-" + strconv.Itoa(n)
}

// ParseID takes an id apart; ok is false where it is none.
func ParseID(id string) (class Class, group string, n int, ok bool) {
	head, rest, found := strings.Cut(id, "-")
	i := strings.LastIndexByte(rest, '-')
	if !found || i < 1 {
		return "", "", 0, false
	}
	n, err := strconv.Atoi(rest[i+1:])
	class, group = Class(head), rest[:i]
	if err != nil || n < 1 || strconv.Itoa(n) != rest[i+1:] || Rank(class) == len(Classes) || !groupName(group) {
		return "", "", 0, false
	}
	return class, group, n, true
}

func groupName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return len(s) > 0 && len(s) <= 40
}

// Classes are the four, most urgent first.
var Classes = []Class{Critical, High, Standard, Low}

// Rank is a class's place among Classes, len(Classes) for what is none.
func Rank(c Class) int {
	for i, k := range Classes {
		if k == c {
			return i
		}
	}
	return len(Classes)
}

// Path is where a plan's document lies in an estate.
func Path(id string) string { return "plans/" + id + "/plan.json" }

// PatchOf makes a patch's id.
func PatchOf(typ, name, version string) PatchID {
	return PatchID(typ + ":" + name + "@" + version)
}

// Parts takes a patch id apart; ok is false where it is none.
func (p PatchID) Parts() (typ, name, version string, ok bool) {
	typ, rest, found := strings.Cut(string(p), ":")
	i := strings.LastIndexByte(rest, '@')
	if !found || typ == "" || i < 1 || i == len(rest)-1 {
		return "", "", "", false
	}
	return typ, rest[:i], rest[i+1:], true
}

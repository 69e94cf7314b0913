// Package hclfile reads HCL with faults as file:line:column.
//
// A file becomes a small neutral tree: blocks with labels, attributes with
// literal values, and the place of each. There are no functions, no variables
// and no arithmetic: what a person reads in the file is what holds. A Decoder
// then walks one block: whatever it is asked for is a legal word, and Done
// reports every word that nobody asked for. No fault hides another one.
//
// This package is the door to the HCL library: nothing else imports it.
package hclfile

import (
	"fmt"
	"io/fs"
)

// MaxSize is the longest file that is read, in bytes: people write these files.
const MaxSize = 4 << 20

// Place is where something stands. Lines and columns count from 1; a column
// counts characters as a reader sees them, not bytes. Line 0 means the file as
// a whole.
type Place struct {
	File   string
	Line   int
	Column int
}

func (p Place) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Fault is something wrong in a file, at its place.
type Fault struct {
	Place
	Message string
}

func (f Fault) String() string { return f.Place.String() + ": " + f.Message }

// Kind is the type of a literal value.
type Kind string

// The kinds, as messages name them.
const (
	String Kind = "string"
	Number Kind = "number"
	Bool   Kind = "bool"
	List   Kind = "list"
	Map    Kind = "map"
)

// Value is a literal. Only the field of its Kind is set; Kind "" stands for a
// value that was not a literal and has been reported.
type Value struct {
	Place
	Kind   Kind
	Text   string  // String
	Number float64 // Number
	Bool   bool    // Bool
	Items  []Value // List, and Map in the order written
	Keys   []Key   // Map: the key of each item
}

// Key is a key of a map.
type Key struct {
	Place
	Name string
}

// Attr is name = value; its place is the name's.
type Attr struct {
	Place
	Name  string
	Value Value
}

// Label is one of a block's quoted words.
type Label struct {
	Place
	Name string
}

// Block is type "label" { … }; its place is the type's. The root of a file is a
// block without type or label.
type Block struct {
	Place
	Type   string
	Labels []Label
	Broken bool     // a syntax fault stands in it: there may be more than could be made out
	Attrs  []Attr   // in the order written
	Blocks []*Block // in the order written
}

// Name returns the first label, "" when there is none.
func (b *Block) Name() string {
	if len(b.Labels) == 0 {
		return ""
	}
	return b.Labels[0].Name
}

// NamePlace returns the first label's place, the block's own when there is none.
func (b *Block) NamePlace() Place {
	if len(b.Labels) == 0 {
		return b.Place
	}
	return b.Labels[0].Place
}

// File is one file read. Where the text is broken, Root holds what could still
// be made out, and Mentions every `type "name" {` that stands anywhere, so that
// a reference to a block in a broken file is not a second fault.
type File struct {
	Root     *Block
	Broken   bool
	Mentions []Mention
}

// Mention is the header of a block in a file that does not parse.
type Mention struct{ Type, Name string }

// Read reads and parses one file. A file that cannot be read or is longer than
// MaxSize is one fault.
func Read(fsys fs.FS, name string) (*File, []Fault) {
	src, err := fs.ReadFile(fsys, name)
	if err != nil {
		return broken(name), []Fault{{Place{File: name}, err.Error()}}
	}
	return Parse(name, src)
}

func broken(name string) *File {
	return &File{Root: &Block{Place: Place{File: name}}, Broken: true}
}

package hclfile

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// maxDepth bounds nesting. The deepest block of an estate needs 4; the parser
// below is recursive, and a file of brackets alone must not exhaust its stack.
const maxDepth = 32

// Parse parses the text of one file. All faults are returned, sorted by place;
// what could be made out is in the file all the same.
func Parse(name string, src []byte) (*File, []Fault) {
	if len(src) > MaxSize {
		f := broken(name)
		return f, []Fault{{f.Root.Place, fmt.Sprintf("file has %d bytes; at most %d are read", len(src), MaxSize)}}
	}
	tokens, _ := hclsyntax.LexConfig(src, name, hcl.InitialPos) // the parser repeats its diagnostics
	if at, deep := tooDeep(tokens); deep {
		f := broken(name)
		f.Mentions = mentions(tokens)
		return f, []Fault{{place(at), fmt.Sprintf("nested deeper than %d levels", maxDepth)}}
	}
	parsed, diags := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	c := converter{src: src}
	for _, d := range diags {
		c.diagnostic(name, d)
	}
	f := &File{Root: &Block{Place: Place{File: name, Line: 1, Column: 1}}, Broken: c.broken}
	if body, ok := parsed.Body.(*hclsyntax.Body); ok && body != nil {
		c.body(f.Root, body)
	}
	for _, p := range c.syntax {
		f.Root.breakAt(p)
	}
	if f.Broken {
		f.Mentions = mentions(tokens)
	}
	Sort(c.faults)
	return f, slices.Compact(c.faults)
}

// Sort sorts faults by file, line, column and message.
func Sort(faults []Fault) {
	slices.SortStableFunc(faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column), cmp.Compare(a.Message, b.Message))
	})
}

// tooDeep reports the first place where brackets, prefix operators and
// conditionals nest deeper than maxDepth.
func tooDeep(tokens hclsyntax.Tokens) (hcl.Range, bool) {
	depth, prefix, questions := 0, 0, 0
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOQuote,
			hclsyntax.TokenOHeredoc, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			depth++
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote,
			hclsyntax.TokenCHeredoc, hclsyntax.TokenTemplateSeqEnd:
			depth = max(depth-1, 0)
		case hclsyntax.TokenQuestion:
			questions++
		}
		switch t.Type {
		case hclsyntax.TokenMinus, hclsyntax.TokenBang:
			prefix++
		case hclsyntax.TokenNewline:
			prefix, questions = 0, 0
			continue
		default:
			prefix = 0
		}
		if depth > maxDepth || prefix > maxDepth || questions > maxDepth {
			return t.Range, true
		}
	}
	return hcl.Range{}, false
}

// mentions finds block headers without parsing: a word, a quoted name, a brace.
func mentions(tokens hclsyntax.Tokens) []Mention {
	var found []Mention
	for i := 0; i+4 < len(tokens); i++ {
		if tokens[i].Type == hclsyntax.TokenIdent &&
			tokens[i+1].Type == hclsyntax.TokenOQuote &&
			tokens[i+2].Type == hclsyntax.TokenQuotedLit &&
			tokens[i+3].Type == hclsyntax.TokenCQuote &&
			tokens[i+4].Type == hclsyntax.TokenOBrace {
			found = append(found, Mention{string(tokens[i].Bytes), string(tokens[i+2].Bytes)})
		}
	}
	return found
}

// converter turns the library's tree into ours and collects faults.
type converter struct {
	src      []byte
	faults   []Fault
	syntax   []Place // where the text does not parse
	broken   bool
	unclosed bool // a quote is missing
}

func (c *converter) fault(r hcl.Range, format string, args ...any) {
	c.faults = append(c.faults, Fault{place(r), fmt.Sprintf(format, args...)})
}

func (c *converter) body(to *Block, body *hclsyntax.Body) {
	for _, a := range body.Attributes {
		to.Attrs = append(to.Attrs, Attr{place(a.NameRange), a.Name, c.value(a.Name, a.Expr)})
	}
	slices.SortFunc(to.Attrs, func(a, b Attr) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	for _, b := range body.Blocks {
		child := &Block{Place: place(b.TypeRange), Type: b.Type}
		for i, l := range b.Labels {
			child.Labels = append(child.Labels, Label{place(b.LabelRanges[i]), l})
		}
		c.body(child, b.Body)
		to.Blocks = append(to.Blocks, child)
	}
}

// diagnostic turns one of the library's diagnostics into a fault in the house's
// words: the first sentence of the detail, lower case, without a full stop.
func (c *converter) diagnostic(name string, d *hcl.Diagnostic) {
	if d.Severity != hcl.DiagError {
		return
	}
	r := hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}
	if d.Subject != nil {
		r = *d.Subject
	}
	if d.Summary == "Attribute redefined" {
		word := c.text(r)
		c.fault(r, "attribute %q is set twice; it was first set on line %d", word, c.firstSet(d.Detail))
		return
	}
	c.broken = true
	if unclosed[d.Summary] {
		// From an open quote on every later one is misread.
		if c.unclosed {
			return
		}
		c.unclosed = true
	}
	c.syntax = append(c.syntax, place(r))
	if words, ok := wording[d.Summary]; ok {
		c.fault(r, "%s", words)
		return
	}
	detail, _, _ := strings.Cut(d.Detail, ". ")
	detail, _, _ = strings.Cut(detail, "\n")
	c.fault(r, "%s: %s", lower(d.Summary), lower(strings.TrimSuffix(detail, ".")))
}

// breakAt marks the block in which a syntax fault stands, and those inside it:
// the last one that begins before the fault.
func (b *Block) breakAt(p Place) {
	b.Broken = true
	for _, inner := range slices.Backward(b.Blocks) {
		if inner.Line < p.Line || inner.Line == p.Line && inner.Column <= p.Column {
			inner.breakAt(p)
			return
		}
	}
}

// unclosed are the library's summaries for a quote that is missing.
var unclosed = map[string]bool{"Invalid multi-line string": true, "Unterminated template string": true, "Unterminated string literal": true}

// wording is our own text for what people meet most often.
var wording = map[string]string{
	"Invalid single-argument block definition": "a block on one line holds one attribute; put each attribute on a line of its own",
	"Missing newline after argument":           "one attribute a line; a new line is expected here",
	"Missing newline after block definition":   "a new line is expected after a block",
	"Unclosed configuration block":             `block is not closed; "}" is missing before the end of the file`,
	"Unterminated string literal":              "string is not closed; a quote is missing before the end of the file",
	"Unterminated template string":             "string is not closed; a quote is missing before the end of the line or file",
	"Invalid multi-line string":                `string runs over the end of the line; close the quote or write \n`,
	"Invalid character encoding":               "file is not UTF-8",
}

// firstSet reads the line out of `… already set at file:3,3-7. …`.
func (c *converter) firstSet(detail string) int {
	_, rest, _ := strings.Cut(detail, " was already set at ")
	rest, _, _ = strings.Cut(rest, ". Each")
	rest = rest[strings.LastIndexByte(rest, ':')+1:]
	line := 0
	for i := 0; i < len(rest) && rest[i] >= '0' && rest[i] <= '9'; i++ {
		line = line*10 + int(rest[i]-'0')
	}
	return line
}

func (c *converter) text(r hcl.Range) string {
	if r.Start.Byte < 0 || r.End.Byte > len(c.src) || r.Start.Byte > r.End.Byte {
		return ""
	}
	return string(bytes.TrimSpace(c.src[r.Start.Byte:r.End.Byte]))
}

func lower(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

func place(r hcl.Range) Place {
	return Place{File: r.Filename, Line: r.Start.Line, Column: r.Start.Column}
}

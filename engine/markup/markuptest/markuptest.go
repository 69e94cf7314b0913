// Package markuptest holds pages of Markdown to what markup promises: texts from
// outside stay texts, as GitHub's dialect is rendered and a browser reads it.
package markuptest

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"
	nethtml "golang.org/x/net/html"
)

// Pages holds pages that are made of a text to one made of a plain word: whatever
// the text says, they have the same headings, tables, lists, links and pictures,
// and a forge finds nothing in them to make more of.
func Pages(t *testing.T, of func(text string) map[string]string) {
	t.Helper()
	want := map[string][]string{}
	for name, text := range of("word") {
		want[name], _ = Read(t, text)
	}
	for _, s := range Hostile {
		for name, text := range of(s) {
			got, texts := Read(t, text)
			if diff := cmp.Diff(want[name], got); diff != "" {
				t.Errorf("%s of %q is built otherwise (-want +got):\n%s", name, s, diff)
			}
			Dead(t, fmt.Sprintf("%s of %q", name, s), texts)
		}
	}
}

// Parse is Markdown as a browser gets it from a forge: GitHub's dialect, its
// footnotes, and no HTML taken out, since what would be taken out has no
// business there.
func Parse(t testing.TB, markdown string) *nethtml.Node {
	t.Helper()
	md := goldmark.New(goldmark.WithExtensions(extension.GFM, extension.Footnote), goldmark.WithRendererOptions(html.WithUnsafe()))
	var b bytes.Buffer
	if err := md.Convert([]byte(markdown), &b); err != nil {
		t.Fatal(err)
	}
	n, err := nethtml.Parse(&b)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Read is what a page consists of: its elements with their attributes, one
// a line by depth, and the texts in which a forge looks for more. Spans of code
// are left out of the elements: whether a name is empty depends on the name.
func Read(t testing.TB, markdown string) (elements, texts []string) {
	t.Helper()
	var walk func(n *nethtml.Node, depth int)
	walk = func(n *nethtml.Node, depth int) {
		for c := range n.ChildNodes() {
			switch {
			case c.Type == nethtml.TextNode:
				if n := len(texts); n > 0 && texts[n-1] != "" && c.PrevSibling != nil {
					texts[n-1] += c.Data // a forge reads a line on, past its emphasis
				} else {
					texts = append(texts, c.Data)
				}
			case c.Type == nethtml.CommentNode:
				elements = append(elements, "a comment")
			case c.Data == "code" && c.Parent.Data != "pre" || c.Data == "span":
				texts = append(texts, "") // what stands in it is not looked at
				if c.Data == "span" {
					walk(c, depth)
				}
			case c.Data == "pre":
				elements = append(elements, fmt.Sprint(strings.Repeat(" ", depth), "pre of ", c.FirstChild.Attr))
			default:
				elements = append(elements, fmt.Sprint(strings.Repeat(" ", depth), c.Data, c.Attr))
				walk(c, depth+1)
			}
		}
	}
	walk(Parse(t, markdown), 0)
	return elements, texts
}

// alive is what a forge makes more of in the text that it shows: mentions,
// issues and commits of this and other repositories, addresses, pictures by
// name, formulas. See GitHub's "Autolinked references and URLs".
var alive = map[string]*regexp.Regexp{
	"a mention":         regexp.MustCompile(`@[A-Za-z0-9]`),
	"an issue":          regexp.MustCompile(`(?i)#[0-9]|\bgh-[0-9]`),
	"an address":        regexp.MustCompile(`(?i)[a-z]://|\bwww\.|(mailto|xmpp):\S*@[a-z0-9]`),
	"a commit":          regexp.MustCompile(`\b[0-9a-f]{40}\b|\b([0-9]+[a-f]|[a-f]+[0-9])[0-9a-f]{5,}\b`),
	"a picture by name": regexp.MustCompile(`:[0-9]*[a-z+-][a-z0-9_+-]*:|:100:|:1234:`),
	"a formula":         regexp.MustCompile(`\$[^$]+\$`),
	"a control":         regexp.MustCompile("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ufeff]"),
}

// Dead reports what a forge would make more of, once for each kind.
func Dead(t testing.TB, name string, texts []string) {
	t.Helper()
	for what, r := range alive {
		for _, x := range texts {
			if m := r.FindString(x); m != "" {
				t.Errorf("%s has %s, %q, in %q", name, what, m, x)
				break
			}
		}
	}
}

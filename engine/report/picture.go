package report

import (
	"fmt"
	"html"
	"strings"
	"unicode/utf8"
)

// picture is an SVG drawing on whole pixels, so that it has the same bytes
// everywhere. It brings its own background: what shows it may be light or dark
// by the reader's choice or by its own.
type picture struct {
	b          strings.Builder
	wide, high int
}

// pictureWide is every picture's width: what a phone shows without making its
// letters too small to read.
const pictureWide = 520

// look is what every picture is drawn with. The colours are far enough apart in
// lightness to be told apart without hue.
const look = `<style>
text{font:12px system-ui,sans-serif;fill:#1f2328}
.back{fill:#ffffff}.dim{fill:#59636e}.grid{stroke:#d1d9e0}.axis{stroke:#818b98}
.work{fill:#0969da}.soak{fill:#b6d7ff}.due{stroke:#d1242f;fill:none}.duetext{fill:#d1242f}
.dot{fill:#0969da}.hot{fill:#d1242f}.span{stroke:#818b98}.up{fill:#d1242f}.down{fill:#1a7f37}
@media (prefers-color-scheme:dark){
text{fill:#f0f6fc}
.back{fill:#0d1117}.dim{fill:#9198a1}.grid{stroke:#3d444d}.axis{stroke:#656c76}
.work{fill:#4493f8}.soak{fill:#1f3d63}.due{stroke:#f85149}.duetext{fill:#f85149}
.dot{fill:#4493f8}.hot{fill:#f85149}.span{stroke:#656c76}.up{fill:#f85149}.down{fill:#3fb950}
}
</style>
`

// draw begins a picture; says is what it shows, for those who hear it.
func draw(wide, high int, says string) *picture {
	p := &picture{wide: wide, high: high}
	fmt.Fprintf(&p.b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" aria-label="%s">`+"\n", wide, high, wide, high, inXML(says, 300))
	p.b.WriteString(look)
	p.box(0, 0, wide, high, "back", "")
	return p
}

func (p *picture) bytes() []byte { return []byte(p.b.String() + "</svg>\n") }

// box is a rectangle; title, where it is not empty, shows when it is pointed at.
func (p *picture) box(x, y, wide, high int, class, title string) {
	fmt.Fprintf(&p.b, `<rect class="%s" x="%d" y="%d" width="%d" height="%d"`, class, x, y, max(wide, 1), max(high, 1))
	p.close("rect", title)
}

func (p *picture) dot(x, y, r int, class, title string) {
	fmt.Fprintf(&p.b, `<circle class="%s" cx="%d" cy="%d" r="%d"`, class, x, y, r)
	p.close("circle", title)
}

func (p *picture) close(element, title string) {
	if title == "" {
		p.b.WriteString("/>\n")
		return
	}
	fmt.Fprintf(&p.b, "><title>%s</title></%s>\n", inXML(title, 200), element)
}

func (p *picture) line(x1, y1, x2, y2 int, class string) {
	fmt.Fprintf(&p.b, `<line class="%s" x1="%d" y1="%d" x2="%d" y2="%d"/>`+"\n", class, x1, y1, x2, y2)
}

// text is written from x to the right, around it or to its left: start, middle
// or end. most is how many characters there is room for.
func (p *picture) text(x, y int, anchor, class, s string, most int) {
	fmt.Fprintf(&p.b, `<text x="%d" y="%d" text-anchor="%s" class="%s">%s</text>`+"\n", x, y, anchor, class, inXML(s, most))
}

// inXML makes text from outside safe inside an element or an attribute.
func inXML(s string, most int) string {
	return html.EscapeString(clip(strings.Map(printable, oneLine(s)), most))
}

// printable leaves out what XML 1.0 does not allow.
func printable(r rune) rune {
	if r == utf8.RuneError || r == 0xfffe || r == 0xffff || r < ' ' {
		return -1
	}
	return r
}

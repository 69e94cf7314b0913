package main

import (
	"fmt"
	"html"
	"math"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/ebm"
)

const (
	svgWide, svgHigh = 640, 320
	svgLeft, svgTop  = 60, 40
)

// termSVG draws one term as SVG: steps of a number, bars of words, a table of a
// pair. It is the same bytes for the same term.
func termSVG(t ebm.Term) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif" font-size="11">`+"\n", svgWide, svgHigh, svgWide, svgHigh)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="white"/><text x="%d" y="20" font-size="14">%s (importance %.4f)</text>`+"\n", svgLeft, svgText(t.Name), t.Importance)
	if len(t.Columns) == 2 {
		svgHeat(&b, t)
	} else {
		svgBars(&b, t)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// svgText is text from outside in SVG.
func svgText(s string) string { return html.EscapeString(line(s)) }

// svgBars draws a bar for every bin, as wide as its rows, from 0 to its effect.
func svgBars(b *strings.Builder, t ebm.Term) {
	rows, low, top := 0, 0.0, 0.0
	for k, e := range t.Effects {
		rows += t.Rows[k][0]
		low, top = min(low, e[0]), max(top, e[0])
	}
	if rows == 0 || top == low {
		return
	}
	const wide, high = svgWide - svgLeft - 20, svgHigh - svgTop - 40
	y := func(x float64) float64 { return svgTop + (top-x)/(top-low)*high }
	x := float64(svgLeft)
	for k, e := range t.Effects {
		w := float64(t.Rows[k][0]) / float64(rows) * wide
		fmt.Fprintf(b, `<rect x="%.2f" y="%.2f" width="%.2f" height="%.2f" fill="%s"><title>%s: %+.5f, %d rows</title></rect>`+"\n",
			x, min(y(0), y(e[0])), max(w, 0.5), math.Abs(y(0)-y(e[0])), svgColour(e[0], math.Max(top, -low)), svgText(t.Bins[0][k].Label), e[0], t.Rows[k][0])
		if w > 60 {
			fmt.Fprintf(b, `<text x="%.2f" y="%d">%s</text>`+"\n", x+2, svgHigh-20, svgText(pad(t.Bins[0][k].Label, int(w/6))))
		}
		x += w
	}
	for _, v := range []float64{low, 0, top} {
		fmt.Fprintf(b, `<line x1="%d" x2="%d" y1="%.2f" y2="%.2f" stroke="#888" stroke-dasharray="2"/><text x="6" y="%.2f">%+.3f</text>`+"\n", svgLeft, svgWide-20, y(v), y(v), y(v)+4, v)
	}
}

// svgHeat draws a cell for every two bins.
func svgHeat(b *strings.Builder, t ebm.Term) {
	most := 0.0
	for _, e := range t.Effects {
		for _, x := range e {
			most = max(most, math.Abs(x))
		}
	}
	w := float64(svgWide-svgLeft-20) / float64(len(t.Effects[0]))
	h := float64(svgHigh-svgTop-30) / float64(len(t.Effects))
	for i, e := range t.Effects {
		for k, x := range e {
			fill := svgColour(x, most)
			if t.Rows[i][k] == 0 {
				fill = "#eee"
			}
			fmt.Fprintf(b, `<rect x="%.2f" y="%.2f" width="%.2f" height="%.2f" fill="%s"><title>%s, %s: %+.5f, %d rows</title></rect>`+"\n",
				svgLeft+float64(k)*w, svgTop+float64(i)*h, w, h, fill, svgText(t.Bins[0][i].Label), svgText(t.Bins[1][k].Label), x, t.Rows[i][k])
		}
	}
	fmt.Fprintf(b, `<text x="%d" y="%d">across: %s; down: %s</text>`+"\n", svgLeft, svgHigh-10, svgText(t.Columns[1]), svgText(t.Columns[0]))
}

// svgColour is red for what raises a score, blue for what lowers it, the paler
// the less.
func svgColour(x, most float64) string {
	if most == 0 {
		return "#fff"
	}
	pale := int(235 * (1 - math.Min(1, math.Abs(x)/most)))
	if x > 0 {
		return fmt.Sprintf("#d0%02x%02x", pale, pale)
	}
	return fmt.Sprintf("#%02x%02xd0", pale, pale)
}

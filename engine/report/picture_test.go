package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/markup/markuptest"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// drawn are the elements of an SVG; it fails where the text is no XML, or where
// something in it could fetch or run anything.
func drawn(t *testing.T, name string, data []byte) []xml.StartElement {
	t.Helper()
	var list []xml.StartElement
	for d := xml.NewDecoder(bytes.NewReader(data)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatalf("%s is no XML: %v", name, err)
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch e.Name.Local {
		case "svg", "style", "rect", "circle", "line", "text", "title":
		default:
			t.Errorf("%s has an element %q", name, e.Name.Local)
		}
		for _, a := range e.Attr {
			if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "href" || a.Name.Local == "style" {
				t.Errorf("%s has an attribute %q", name, a.Name.Local)
			}
		}
		list = append(list, e.Copy())
	}
}

func TestHostileTextsInPictures(t *testing.T) {
	for _, s := range append(slices.Clone(markuptest.Hostile), `"><script>alert(1)</script>`, "]]><!--", "\x00\x0b\ufffe", `' onload='x`) {
		p := poison(s)
		for i := range p.Rings {
			p.Rings[i].Name = s
		}
		for name, data := range read(p).pictures() {
			drawn(t, name, data)
		}
	}
}

// TestPicturesOfLargePlans: whatever a plan holds, a picture stays small and
// everything in it lies within its frame.
func TestPicturesOfLargePlans(t *testing.T) {
	p := sample()
	p.Patches, p.Rings = nil, nil
	for i := range 900 {
		x := patchOf(fmt.Sprintf("package-%03d", i), "1.0-2")
		x.Deadline = at.Add(time.Duration(i-100) * 7 * time.Hour)
		x.DeployRisk = plan.Risk{P: float64(i) / 900, Low: float64(i) / 1800, High: min(1, float64(i)/800)}
		p.Patches = append(p.Patches, x)
	}
	for i := range 4 {
		r := ringOf(fmt.Sprintf("ring-%d", i))
		for k := range 2000 {
			r.Waves = append(r.Waves, wave(at.Add(time.Duration(i*2000+k)*20*time.Minute), k, k, p.Patches[k%900]))
		}
		p.Rings = append(p.Rings, r)
	}
	for name, data := range read(p).pictures() {
		if len(data) > 64<<10 {
			t.Errorf("%s has %d bytes", name, len(data))
		}
		list := drawn(t, name, data)
		wide, high := number64(t, list[0], "width"), number64(t, list[0], "height")
		for _, e := range list[1:] {
			for _, a := range e.Attr {
				n, err := strconv.ParseInt(a.Value, 10, 64)
				if err != nil {
					continue
				}
				end := wide
				if strings.HasPrefix(a.Name.Local, "y") || a.Name.Local == "cy" || a.Name.Local == "height" {
					end = high
				}
				if n < 0 || n > end {
					t.Errorf("%s: %s of %s is %d, beyond %d", name, a.Name.Local, e.Name.Local, n, end)
				}
			}
		}
	}
}

func number64(t *testing.T, e xml.StartElement, name string) int64 {
	t.Helper()
	for _, a := range e.Attr {
		if a.Name.Local == name {
			n, err := strconv.ParseInt(a.Value, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("no %s", name)
	return 0
}

// TestMermaidIsInert: a ring's name cannot become syntax.
func TestMermaidIsInert(t *testing.T) {
	p := sample()
	for _, s := range []string{"x\n```\n# heading", "a: b; c %% d", "<b>", "click x call y()"} {
		p.Rings[0].Name = s
		text := read(p).mermaid(20)
		if got := strings.Count(text, "```"); got != 2 {
			t.Errorf("mermaid of %q has %d fences", s, got)
		}
		for _, l := range strings.Split(text, "\n") {
			if name, ok := strings.CutPrefix(l, "    section "); ok && strings.ContainsAny(name, ":;%<>`#()") {
				t.Errorf("mermaid of %q: section %q", s, name)
			}
		}
	}
}

// TestTimesAreOfTheEstate: the same plan, told by other clocks.
func TestTimesAreOfTheEstate(t *testing.T) {
	p := sample()
	p.Timezone = "Europe/Berlin"
	text := string(Markdown(p))
	for _, want := range []string{"**When** from Mon 2 Mar 2026 10:00 to Tue 3 Mar 2026 11:00 (Europe/Berlin)", "Times are of Europe/Berlin (UTC+01:00).", "| canary | 1 | Mon 2 Mar 10:00 |"} {
		if !strings.Contains(text, want) {
			t.Errorf("Markdown does not say %q", want)
		}
	}
	p.Rings[1].Waves[0].Start, p.Rings[1].Waves[0].End = at.AddDate(0, 1, 0), at.AddDate(0, 1, 0).Add(time.Hour)
	if want := "(UTC+01:00 at the first wave, UTC+02:00 at the last)"; !strings.Contains(string(Markdown(p)), want) {
		t.Errorf("Markdown across the change of clocks does not say %q", want)
	}
}

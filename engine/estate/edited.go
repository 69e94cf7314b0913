package estate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
)

// EditedExceptions says what differs between two versions of a file that people
// write, nil for one that is not there: exceptions, and anything else. Comments and
// layout do not count. Of a text that does not parse both may differ.
func EditedExceptions(name string, before, after []byte) (exceptions, others bool) {
	a, b := written(name, before), written(name, after)
	if a == nil || b == nil {
		return true, true
	}
	return !slices.Equal(a.exceptions, b.exceptions), !slices.Equal(a.others, b.others)
}

// writing is what a file says, a text for each block and attribute at its top.
type writing struct{ exceptions, others []string }

// written is nil where a text does not parse.
func written(name string, text []byte) *writing {
	f, faults := hclfile.Parse(name, text)
	if f.Broken || len(faults) > 0 {
		return nil
	}
	w := &writing{}
	for _, b := range f.Root.Blocks {
		if b.Type == "exception" {
			w.exceptions = append(w.exceptions, blockText(b))
		} else {
			w.others = append(w.others, blockText(b))
		}
	}
	for _, a := range f.Root.Attrs {
		w.others = append(w.others, a.Name+"="+valueText(a.Value))
	}
	return w
}

func blockText(b *hclfile.Block) string {
	var t strings.Builder
	t.WriteString(b.Type)
	for _, l := range b.Labels {
		fmt.Fprintf(&t, " %q", l.Name)
	}
	t.WriteByte('{')
	for _, a := range b.Attrs {
		t.WriteString(a.Name + "=" + valueText(a.Value) + ";")
	}
	for _, inner := range b.Blocks {
		t.WriteString(blockText(inner))
	}
	t.WriteByte('}')
	return t.String()
}

func valueText(v hclfile.Value) string {
	var items strings.Builder
	for i, item := range v.Items {
		if i < len(v.Keys) {
			fmt.Fprintf(&items, "%q:", v.Keys[i].Name)
		}
		items.WriteString(valueText(item) + ",")
	}
	return fmt.Sprintf("%s(%q %v %v [%s])", v.Kind, v.Text, v.Number, v.Bool, items.String())
}

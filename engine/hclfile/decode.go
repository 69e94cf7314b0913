package hclfile

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Decoder reads one block. Each getter makes its word legal, marks it as seen
// and returns the value, or the zero value when the attribute is absent or
// faulty; Has tells the two apart. Faults collect in the slice it was given.
//
// Call Done last: it reports the words that no getter asked for.
type Decoder struct {
	block  *Block
	faults *[]Fault
	attrs  []string // legal attribute names
	blocks []string // legal block types
	bad    map[string]bool
	absent []string // attributes that are needed, reported by Done
}

// Decode starts reading a block that has the given number of labels.
func Decode(b *Block, labels int, faults *[]Fault) *Decoder {
	d := &Decoder{block: b, faults: faults, bad: map[string]bool{}}
	switch {
	case len(b.Labels) == labels:
	case len(b.Labels) < labels:
		d.At(b.Place, "%s block needs a name, as in %s \"name\" { … }", b.Type, b.Type)
	case labels == 0:
		d.At(b.Labels[0].Place, "%s block takes no name", b.Type)
	default:
		d.At(b.Labels[labels].Place, "%s block takes one name", b.Type)
	}
	return d
}

// Title is how messages name the block: `service "shop"`.
func (d *Decoder) Title() string {
	if len(d.block.Labels) == 0 {
		return d.block.Type
	}
	return fmt.Sprintf("%s %q", d.block.Type, d.block.Name())
}

// At reports a fault at a place.
func (d *Decoder) At(p Place, format string, args ...any) {
	*d.faults = append(*d.faults, Fault{p, fmt.Sprintf(format, args...)})
}

// Fault reports a fault of an attribute's value, led by the block's title. The
// place is the value's, or the block's when the attribute is absent.
func (d *Decoder) Fault(attr, format string, args ...any) {
	d.bad[attr] = true
	d.At(d.Place(attr), "%s: %s", d.Title(), fmt.Sprintf(format, args...))
}

// Place returns the place of an attribute's value, the block's when it is absent.
func (d *Decoder) Place(attr string) Place {
	if a := d.find(attr); a != nil {
		return a.Value.Place
	}
	return d.block.Place
}

// Has reports whether an attribute is there and has had no fault so far.
func (d *Decoder) Has(attr string) bool {
	a := d.find(attr)
	return a != nil && a.Value.Kind != "" && !d.bad[attr]
}

// There reports whether an attribute is written, whatever is wrong with it.
func (d *Decoder) There(attr string) bool { return d.find(attr) != nil }

// Need asks for attributes that must be there; Done reports each that is absent,
// unless a word that nobody knows is probably meant for it. In a block whose text
// does not parse, what is absent may only not have been made out: nothing is said.
func (d *Decoder) Need(attrs ...string) {
	for _, name := range attrs {
		d.legal(name)
		if d.find(name) == nil {
			d.bad[name] = true
			if !d.block.Broken {
				d.absent = append(d.absent, name)
			}
		}
	}
}

func (d *Decoder) find(attr string) *Attr {
	for i := range d.block.Attrs {
		if d.block.Attrs[i].Name == attr {
			return &d.block.Attrs[i]
		}
	}
	return nil
}

func (d *Decoder) legal(attr string) {
	if !slices.Contains(d.attrs, attr) {
		d.attrs = append(d.attrs, attr)
	}
}

// get returns the attribute's value if it is there and of the kind.
func (d *Decoder) get(attr string, want Kind, example string) (Value, bool) {
	d.legal(attr)
	a := d.find(attr)
	if a == nil || a.Value.Kind == "" {
		return Value{}, false
	}
	if a.Value.Kind != want {
		d.Fault(attr, "attribute %q must be a %s%s, got a %s", attr, want, example, a.Value.Kind)
		return Value{}, false
	}
	return a.Value, true
}

// String returns a string.
func (d *Decoder) String(attr string) string {
	v, _ := d.get(attr, String, "")
	return v.Text
}

// StringSuch returns a string; example, as in `"60%" or "2"`, is what a person
// reads who wrote something else.
func (d *Decoder) StringSuch(attr, example string) string {
	v, _ := d.get(attr, String, " such as "+example)
	return v.Text
}

// Word returns a string that is one of the words.
func (d *Decoder) Word(attr string, words ...string) string {
	v, ok := d.get(attr, String, "")
	if ok && !slices.Contains(words, v.Text) {
		d.Fault(attr, "attribute %q is %q; %s", attr, v.Text, Expected(v.Text, words))
		return ""
	}
	return v.Text
}

// Number returns a number from min to max; pass infinities for no bound.
func (d *Decoder) Number(attr string, min, max float64) float64 {
	v, ok := d.get(attr, Number, "")
	switch {
	case !ok:
		return 0
	case v.Number < min:
		d.Fault(attr, "attribute %q is %v; it must be at least %v", attr, v.Number, min)
		return 0
	case v.Number > max:
		d.Fault(attr, "attribute %q is %v; it must be at most %v", attr, v.Number, max)
		return 0
	}
	return v.Number
}

// Int returns a whole number of at least min; the bound above is 2^31-1.
func (d *Decoder) Int(attr string, min int) int {
	v, ok := d.get(attr, Number, "")
	if ok && v.Number != math.Trunc(v.Number) {
		d.Fault(attr, "attribute %q is %v; it must be a whole number", attr, v.Number)
		return 0
	}
	return int(d.Number(attr, float64(min), math.MaxInt32))
}

// Bool returns true or false.
func (d *Decoder) Bool(attr string) bool {
	v, _ := d.get(attr, Bool, "")
	return v.Bool
}

// Duration returns a duration of at least min; see ParseDuration.
func (d *Decoder) Duration(attr string, min time.Duration) time.Duration {
	v, ok := d.get(attr, String, ` such as "90m", "4h" or "7d"`)
	if !ok {
		return 0
	}
	span, err := ParseDuration(v.Text)
	if err != nil {
		d.Fault(attr, "attribute %q: %v", attr, err)
		return 0
	}
	if span < min {
		d.Fault(attr, "attribute %q is %q; it must be at least %q", attr, v.Text, FormatDuration(min))
		return 0
	}
	return span
}

// Share returns a share as a number above 0, up to 1; see ParseShare.
func (d *Decoder) Share(attr string) float64 {
	v, ok := d.get(attr, String, ` such as "5%"`)
	if !ok {
		return 0
	}
	share, err := ParseShare(v.Text)
	if err != nil {
		d.Fault(attr, "attribute %q: %v", attr, err)
		return 0
	}
	if share <= 0 {
		d.Fault(attr, "attribute %q is %q; a share is above 0%% and at most 100%%", attr, v.Text)
		return 0
	}
	return share
}

// Time returns an RFC 3339 time in UTC.
func (d *Decoder) Time(attr string) time.Time {
	v, ok := d.get(attr, String, ` such as "2026-03-05T00:00:00Z"`)
	if !ok {
		return time.Time{}
	}
	t, err := ParseTime(v.Text)
	if err != nil {
		d.Fault(attr, "attribute %q: %v", attr, err)
	}
	return t
}

// Item is one string of a list, with its place.
type Item struct {
	Place
	Text string
}

// Items returns a list of strings with their places. Empty strings are faults.
func (d *Decoder) Items(attr string) []Item {
	v, ok := d.get(attr, List, " of strings")
	if !ok {
		return nil
	}
	return d.items(attr, v)
}

func (d *Decoder) items(attr string, list Value) []Item {
	items := make([]Item, 0, len(list.Items))
	for i, v := range list.Items {
		switch {
		case v.Kind == "":
		case v.Kind != String:
			d.bad[attr] = true
			d.At(v.Place, "%s: attribute %q must be a list of strings; item %d is a %s", d.Title(), attr, i+1, v.Kind)
		case v.Text == "":
			d.bad[attr] = true
			d.At(v.Place, "%s: attribute %q: item %d is empty", d.Title(), attr, i+1)
		default:
			items = append(items, Item{v.Place, v.Text})
		}
	}
	return items
}

// Strings returns a list of strings, nil when the attribute is absent.
func (d *Decoder) Strings(attr string) []string {
	items := d.Items(attr)
	if items == nil {
		return nil
	}
	list := make([]string, len(items))
	for i, it := range items {
		list[i] = it.Text
	}
	return list
}

// Map returns a map of strings, nil when the attribute is absent.
func (d *Decoder) Map(attr string) map[string]string {
	v, ok := d.get(attr, Map, " of strings")
	if !ok {
		return nil
	}
	m := make(map[string]string, len(v.Keys))
	for i, k := range v.Keys {
		switch v.Items[i].Kind {
		case "":
		case String:
			m[k.Name] = v.Items[i].Text
		default:
			d.bad[attr] = true
			d.At(v.Items[i].Place, "%s: attribute %q: %q must be a string, got a %s", d.Title(), attr, k.Name, v.Items[i].Kind)
		}
	}
	return m
}

// MapOfLists returns a map of lists of strings, nil when the attribute is absent.
func (d *Decoder) MapOfLists(attr string) map[string][]string {
	v, ok := d.get(attr, Map, " of lists")
	if !ok {
		return nil
	}
	m := make(map[string][]string, len(v.Keys))
	for i, k := range v.Keys {
		if v.Items[i].Kind == "" {
			continue
		}
		if v.Items[i].Kind != List {
			d.bad[attr] = true
			d.At(v.Items[i].Place, "%s: attribute %q: %q must be a list of strings, got a %s", d.Title(), attr, k.Name, v.Items[i].Kind)
			continue
		}
		list := []string{}
		for _, it := range d.items(attr, v.Items[i]) {
			list = append(list, it.Text)
		}
		m[k.Name] = list
	}
	return m
}

// Blocks returns the inner blocks of a type, in the order written.
func (d *Decoder) Blocks(typ string) []*Block {
	if !slices.Contains(d.blocks, typ) {
		d.blocks = append(d.blocks, typ)
	}
	var found []*Block
	for _, b := range d.block.Blocks {
		if b.Type == typ {
			found = append(found, b)
		}
	}
	return found
}

// Block returns the one inner block of a type, nil when there is none. A second
// one is a fault.
func (d *Decoder) Block(typ string) *Block {
	found := d.Blocks(typ)
	if len(found) == 0 {
		return nil
	}
	for _, b := range found[1:] {
		d.At(b.Place, "%s: block %q is declared twice; it was first declared on line %d", d.Title(), typ, found[0].Line)
	}
	return found[0]
}

// Done reports the attributes and blocks that no getter asked for, and the
// attributes that are missing.
func (d *Decoder) Done() {
	slices.Sort(d.attrs)
	slices.Sort(d.blocks)
	var meant []string
	for _, a := range d.block.Attrs {
		if !slices.Contains(d.attrs, a.Name) {
			d.unknownAttr(a)
			meant = append(meant, Nearest(a.Name, d.attrs))
		}
	}
	for _, name := range d.absent {
		if !slices.Contains(meant, name) {
			d.At(d.block.Place, "%s: attribute %q is missing", d.Title(), name)
		}
	}
	for _, b := range d.block.Blocks {
		if !slices.Contains(d.blocks, b.Type) {
			d.unknownBlock(b)
		}
	}
}

func (d *Decoder) where() string {
	if d.block.Type == "" {
		return "at the top of a file"
	}
	return "in " + d.Title()
}

func (d *Decoder) unknownAttr(a Attr) {
	switch {
	case slices.Contains(d.blocks, a.Name):
		d.At(a.Place, "%q %s is a block; write %s { … } without the equals sign", a.Name, d.where(), a.Name)
	case len(d.attrs) == 0:
		d.At(a.Place, "unknown attribute %q %s; expected a block: %s", a.Name, d.where(), quoted(d.blocks))
	default:
		d.At(a.Place, "unknown attribute %q %s; %s", a.Name, d.where(), Expected(a.Name, d.attrs))
	}
}

func (d *Decoder) unknownBlock(b *Block) {
	switch {
	case slices.Contains(d.attrs, b.Type):
		d.At(b.Place, "%q %s is an attribute; write %s = …", b.Type, d.where(), b.Type)
	case len(d.blocks) == 0:
		d.At(b.Place, "unknown block %q %s, which holds no blocks", b.Type, d.where())
	default:
		d.At(b.Place, "unknown block %q %s; %s", b.Type, d.where(), Expected(b.Type, d.blocks))
	}
}

func quoted(words []string) string {
	list := make([]string, len(words))
	for i, w := range words {
		list[i] = fmt.Sprintf("%q", w)
	}
	return strings.Join(list, ", ")
}

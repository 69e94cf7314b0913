package main

import (
	"cmp"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"slices"
)

// small writes a PNG again with the 256 colours that it has most of: a page has
// few, and many shades between them where letters end.
func small(name string) error {
	in, err := os.Open(name)
	if err != nil {
		return err
	}
	from, err := png.Decode(in)
	in.Close()
	if err != nil {
		return err
	}
	to := image.NewPaletted(from.Bounds(), mostOf(from))
	for y := from.Bounds().Min.Y; y < from.Bounds().Max.Y; y++ {
		for x := from.Bounds().Min.X; x < from.Bounds().Max.X; x++ {
			to.Set(x, y, from.At(x, y))
		}
	}
	out, err := os.Create(name)
	if err != nil {
		return err
	}
	defer out.Close()
	e := png.Encoder{CompressionLevel: png.BestCompression}
	if err := e.Encode(out, to); err != nil {
		return err
	}
	return out.Close()
}

func mostOf(m image.Image) color.Palette {
	count := map[color.RGBA]int{}
	for y := m.Bounds().Min.Y; y < m.Bounds().Max.Y; y++ {
		for x := m.Bounds().Min.X; x < m.Bounds().Max.X; x++ {
			count[color.RGBAModel.Convert(m.At(x, y)).(color.RGBA)]++
		}
	}
	list := slices.SortedFunc(maps.Keys(count), func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
	})
	var p color.Palette
	for _, c := range list[:min(len(list), 256)] {
		p = append(p, c)
	}
	return p
}

package ansible

import (
	"fmt"
	"strings"
	"testing"
)

// Whatever Ansible writes, in whatever pieces, its beginning and end are kept and
// no more than that.
func TestExcerpt(t *testing.T) {
	for _, piece := range []int{1, 7, most, 3 * most} {
		for _, size := range []int{0, 10, most, 2 * most, 2*most + 1, 5 * most} {
			text := strings.Repeat("0123456789abcdef", size/16+1)[:size]
			e := &excerpt{}
			for rest := text; rest != ""; {
				n, err := e.Write([]byte(rest[:min(piece, len(rest))]))
				if err != nil {
					t.Fatal(err)
				}
				rest = rest[n:]
			}
			want := text
			if left := size - 2*most; left > 0 {
				want = fmt.Sprintf("%s\n… %d bytes are left out …\n%s", text[:most], left, text[size-most:])
			}
			if got := e.String(); got != want {
				t.Errorf("of %d bytes in pieces of %d it keeps %d, want %d", size, piece, len(got), len(want))
			}
			if got := e.end(); !strings.HasSuffix(text, got) || len(got) != min(800, size) {
				t.Errorf("of %d bytes the end is %d", size, len(got))
			}
			if len(e.head)+len(e.tail) > 2*most {
				t.Errorf("of %d bytes %d are held", size, len(e.head)+len(e.tail))
			}
		}
	}
}

package feed

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/advisory/snapshot"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// source is one place that a feed names, and where its snapshot goes.
type source struct {
	kind  string
	from  string   // as declared
	url   *url.URL // nil for a path
	shown string   // as declared, without secrets
	file  string   // from the estate's root, with slashes
}

// sourcesOf lists the sources. All that cannot be understood are told at once.
func sourcesOf(feeds []inventory.Feed) ([]source, error) {
	var list []source
	var errs []error
	count := map[string]int{}
	for _, f := range feeds {
		if snapshot.Holds(f.Kind) == nil {
			errs = append(errs, fmt.Errorf("unknown feed %q", f.Kind))
			continue
		}
		for _, from := range f.From {
			count[f.Kind]++
			src, err := sourceOf(f.Kind, from, count[f.Kind])
			if err != nil {
				errs = append(errs, fmt.Errorf("feed %q: %s: %w", f.Kind, src.shown, err))
				continue
			}
			list = append(list, src)
		}
	}
	return list, errors.Join(errs...)
}

func sourceOf(kind, from string, n int) (source, error) {
	src := source{kind: kind, from: from, shown: fmt.Sprintf("%q", from)}
	base := path.Base(filepath.ToSlash(filepath.Clean(from)))
	if scheme, _, ok := strings.Cut(from, "://"); ok {
		src.shown = "source " + fmt.Sprint(n) // until it is known to hold no secret
		u, err := url.Parse(from)
		if err != nil {
			return src, errors.New("not a URL")
		}
		src.shown = redacted(u)
		if scheme = strings.ToLower(scheme); scheme != "http" && scheme != "https" || u.Host == "" {
			return src, fmt.Errorf("%q is not fetched; expected a path, http:// or https://", scheme)
		}
		src.url, base = u, path.Base(u.Path)
	} else {
		src.shown = from
	}
	if strings.TrimSpace(from) == "" {
		return src, errors.New("an empty path")
	}
	src.file = target(kind, n, base)
	return src, nil
}

// target names the snapshot of the n-th source of a kind.
func target(kind string, n int, base string) string {
	name := plain(base)
	if kind == string(snapshot.Patches) {
		for _, ext := range []string{".gz", ".bz2", ".zip", ".tar", ".tgz", ".jsonl", ".json"} {
			name = strings.TrimSuffix(name, ext)
		}
		return fmt.Sprintf("inventory/patches/%d-%s.jsonl", n, name)
	}
	if strings.EqualFold(path.Ext(name), ".md") { // readers pass over what is for people
		name += ".txt"
	}
	return fmt.Sprintf("inventory/advisories/%s/%d-%s", kind, n, name)
}

// plain keeps of a name what is harmless in any file system.
func plain(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < 0x80 && (r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("._-", r)) {
			return r
		}
		return '-'
	}, name)
	name = strings.Trim(name, ".-")
	if len(name) > 80 {
		name = strings.Trim(name[len(name)-80:], ".-") // the end holds the extension
	}
	if name == "" {
		return "feed"
	}
	return name
}

// redacted is a URL without what may be secret: user, password, fragment, and
// the values of its query.
func redacted(u *url.URL) string {
	shown := *u
	shown.User, shown.Fragment, shown.RawFragment = nil, "", ""
	if shown.RawQuery != "" {
		var names []string
		for name := range u.Query() {
			names = append(names, url.QueryEscape(name)+"=…")
		}
		slices.Sort(names)
		shown.RawQuery = ""
		return shown.String() + "?" + strings.Join(names, "&")
	}
	return shown.String()
}

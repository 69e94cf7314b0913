package engine

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/inventory/ansible"
	"github.com/ringmaster-dev/ringmaster/engine/inventory/cyclonedx"
	"github.com/ringmaster-dev/ringmaster/engine/inventory/grype"
	"github.com/ringmaster-dev/ringmaster/engine/inventory/osquery"
	"github.com/ringmaster-dev/ringmaster/engine/inventory/osvscanner"
	"github.com/ringmaster-dev/ringmaster/engine/inventory/spdx"
	"github.com/ringmaster-dev/ringmaster/engine/inventory/trivy"
	"github.com/ringmaster-dev/ringmaster/engine/inventory/vuls"
)

// ImportOptions says what to import, and where to.
type ImportOptions struct {
	Dir    string           // the estate's folder
	Format string           // one of ImportFormats
	Files  []string         // files; a folder is walked; "-" is Stdin
	Stdin  io.Reader        // what "-" reads, nil: it is refused
	Host   inventory.HostID // the host that a file is about which does not name it; with one file only
	At     time.Time        // the time of facts whose file has none
}

// ImportReport says what an import found and did. Files that could be read are
// taken although others could not.
type ImportReport struct {
	Format   string              `json:"format"`
	Files    []ImportFile        `json:"files"`   // in the order they were read
	Written  []string            `json:"written"` // paths in the estate that were changed or removed, sorted
	Problems []inventory.Problem `json:"problems"`

	Added   int `json:"added"`   // hosts or rows that were not there
	Updated int `json:"updated"` // hosts whose facts changed
	Same    int `json:"same"`    // hosts or rows known before, as they are
}

// ImportFile is what one file held.
type ImportFile struct {
	Name     string `json:"name"`
	Hosts    int    `json:"hosts"`
	Packages int    `json:"packages"`
	Findings int    `json:"findings"`
	Rows     int    `json:"rows"`
	Problems int    `json:"problems"` // notes not counted
}

// Lost reports whether something that a file held was not taken.
func (r ImportReport) Lost() bool {
	return slices.ContainsFunc(r.Problems, func(p inventory.Problem) bool { return !p.Note })
}

// importMost is the largest file that is read.
const importMost = 1 << 30

// importReader reads facts from one file.
type importReader func(o ImportOptions, name string, data []byte) ([]inventory.Facts, []inventory.Problem)

// importReaders are the formats of facts.
var importReaders = map[string]importReader{
	"vuls": func(_ ImportOptions, name string, data []byte) ([]inventory.Facts, []inventory.Problem) {
		return vuls.Parse(name, data)
	},
	"trivy": func(o ImportOptions, name string, data []byte) ([]inventory.Facts, []inventory.Problem) {
		return trivy.Options{Host: o.Host, At: o.At}.Parse(name, data)
	},
	"ansible": func(o ImportOptions, name string, data []byte) ([]inventory.Facts, []inventory.Problem) {
		return ansible.Options{Host: o.Host, At: o.At}.Parse(name, data)
	},
	"grype": func(o ImportOptions, name string, data []byte) ([]inventory.Facts, []inventory.Problem) {
		return grype.Options{Host: o.Host, At: o.At}.Parse(name, data)
	},
	"cyclonedx": func(o ImportOptions, name string, data []byte) ([]inventory.Facts, []inventory.Problem) {
		return cyclonedx.Options{Host: o.Host, At: o.At}.Parse(name, data)
	},
	"spdx": func(o ImportOptions, name string, data []byte) ([]inventory.Facts, []inventory.Problem) {
		return spdx.Options{Host: o.Host, At: o.At}.Parse(name, data)
	},
	"osquery": func(o ImportOptions, name string, data []byte) ([]inventory.Facts, []inventory.Problem) {
		return osquery.Options{Host: o.Host, At: o.At}.Parse(name, data)
	},
	"osv-scanner": func(o ImportOptions, name string, data []byte) ([]inventory.Facts, []inventory.Problem) {
		return osvscanner.Options{Host: o.Host, At: o.At}.Parse(name, data)
	},
}

// ImportFormats are the words that Import knows, facts first.
var ImportFormats = []string{"vuls", "trivy", "grype", "cyclonedx", "spdx", "osquery", "ansible", "osv-scanner", "outcomes", "incidents"}

// Import reads files of other programs into an estate's folder: facts into
// inventory/facts, history into inventory/history. It writes files and commits
// nothing; importing the same again changes no byte, and neither does the order
// of the files. The error is about the estate, the options or the disk: then
// nothing, or only whole files, were written. What is wrong with the files that
// were to be read stands in the report.
func Import(o ImportOptions) (ImportReport, error) {
	report := ImportReport{Format: o.Format}
	if err := o.check(); err != nil {
		return report, err
	}
	names, err := o.names()
	if err != nil {
		return report, err
	}
	root, err := os.OpenRoot(o.Dir)
	if err != nil {
		return report, fmt.Errorf("opening the estate: %w", err)
	}
	defer root.Close()
	switch o.Format {
	case "outcomes", "incidents":
		err = importHistory(o, names, root, &report)
	default:
		err = importFacts(o, names, root, &report)
	}
	slices.Sort(report.Written)
	return report, err
}

func (o ImportOptions) check() error {
	switch {
	case !slices.Contains(ImportFormats, o.Format):
		return fmt.Errorf("unknown format %q; %s", o.Format, hclfile.Expected(o.Format, ImportFormats))
	case len(o.Files) == 0:
		return errors.New("no files to import")
	case o.Host != "" && !o.Host.Valid():
		return fmt.Errorf("%q is not a host name; %s", o.Host, inventory.HostGrammar)
	case o.Host != "" && slices.Contains([]string{"vuls", "outcomes", "incidents"}, o.Format):
		return fmt.Errorf("a file of %q names its hosts itself; the host %q cannot be given to it", o.Format, o.Host)
	case slices.Contains(o.Files, "-") && o.Stdin == nil:
		return errors.New(`"-" stands for the standard input, which is not there`)
	}
	return nil
}

// names are the files to read: folders walked, each file once, in the order
// given and by name within a folder.
func (o ImportOptions) names() ([]string, error) {
	var names []string
	for _, given := range o.Files {
		if given == "-" {
			names = append(names, given)
			continue
		}
		info, err := os.Stat(given)
		if err != nil || !info.IsDir() {
			names = append(names, given) // reading it says what is wrong
			continue
		}
		found, err := o.walk(given)
		if err != nil {
			return nil, fmt.Errorf("reading the folder %s: %w", given, err)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("the folder %s holds no file to import as %s", given, o.Format)
		}
		names = append(names, found...)
	}
	seen := map[string]bool{}
	names = slices.DeleteFunc(names, func(n string) bool {
		before := seen[filepath.Clean(n)]
		seen[filepath.Clean(n)] = true
		return before
	})
	if o.Host != "" && len(names) > 1 {
		return nil, fmt.Errorf("the host %q is given for %d files, of which the newest alone would count; import them one by one", o.Host, len(names))
	}
	return names, nil
}

// walk lists the files of a folder that may be of the format. Ansible's own files
// have no ending and osquery's end with .log, so every one counts there.
func (o ImportOptions) walk(dir string) ([]string, error) {
	ending, ok := map[string]string{"ansible": "", "osquery": "", "outcomes": ".csv", "incidents": ".csv"}[o.Format]
	if !ok {
		ending = ".json"
	}
	var names []string
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git":
			return fs.SkipDir
		case d.Type().IsRegular() && strings.HasSuffix(strings.ToLower(name), ending):
			names = append(names, name)
		}
		return nil
	})
	return names, err
}

// read returns a file's bytes; what keeps it from being read is a problem.
func (o ImportOptions) read(name string) ([]byte, *inventory.Problem) {
	data, err := o.bytes(name)
	if err != nil {
		if e, ok := errors.AsType[*fs.PathError](err); ok {
			err = e.Err
		}
		return nil, &inventory.Problem{File: name, Message: fmt.Sprintf("not read: %v", err)}
	}
	return data, nil
}

func (o ImportOptions) bytes(name string) ([]byte, error) {
	in := o.Stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		if info, err := f.Stat(); err == nil && !info.Mode().IsRegular() && info.Mode()&fs.ModeNamedPipe == 0 {
			return nil, errors.New("not a regular file")
		}
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, importMost+1))
	if err == nil && len(data) > importMost {
		return nil, errors.New("larger than 1 GiB")
	}
	return data, err
}

// importEach reads every file by parse and adds what it says to the report.
func importEach[T any](o ImportOptions, names []string, report *ImportReport, parse func(name string, data []byte) ([]T, []inventory.Problem), count func(*ImportFile, T)) []T {
	var all []T
	for _, name := range names {
		file := ImportFile{Name: name}
		var problems []inventory.Problem
		data, unread := o.read(name)
		if unread != nil {
			problems = append(problems, *unread)
		} else {
			var list []T
			list, problems = parse(name, data)
			for _, v := range list {
				count(&file, v)
			}
			all = append(all, list...)
		}
		for _, p := range problems {
			if !p.Note {
				file.Problems++
			}
		}
		report.Problems = append(report.Problems, problems...)
		report.Files = append(report.Files, file)
	}
	return all
}

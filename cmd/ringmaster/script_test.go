package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"flag"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	starter "github.com/ringmaster-dev/ringmaster"
	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
	"github.com/ringmaster-dev/ringmaster/testdata/plugin/reference"
)

var update = flag.Bool("update", false, "rewrite the expected output of scripts")

func TestMain(m *testing.M) {
	inMemory()
	testscript.Main(m, map[string]func(){
		"ringmaster": func() {
			self = os.Args[0] // of that name, the test binary is ringmaster
			if exe, err := os.Executable(); err == nil {
				self = exe
			}
			os.Exit(run(context.Background(), os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}, os.Getenv, time.Now()))
		},
		"refplugin":   func() { os.Exit(reference.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
		"quickplugin": func() { quickPlugin(os.Stdin, os.Stdout) },
		"git":         func() { os.Exit(smallGit(os.Args[1:])) },
	})
}

// TestScript runs testdata/script: a session at a terminal each. $FILES are
// facts and updates of a few hosts that go with the starter estate, $ROOT is
// this repository.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("..", "..", "testdata", "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup:               setUp,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"shown": shown, "starter": starterEstate, "commit": commitFolder, "here": here, "bundled": bundled},
	})
}

// here is `exec ringmaster …` in this process: starting one is a third of what
// a short run costs, and policy test and replay start a second. RINGMASTER_LONG=1
// starts them. What names files relative to its folder, and what is about
// processes, scripts exec.
func here(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || args[0] != "ringmaster" {
		ts.Fatalf("usage: here ringmaster ARGS")
	}
	failed := false
	if os.Getenv("RINGMASTER_LONG") != "" {
		failed = ts.Exec(args[0], args[1:]...) != nil
	} else {
		s := streams{strings.NewReader(""), ts.Stdout(), ts.Stderr()}
		failed = run(context.Background(), append([]string{"-C", ts.MkAbs(".")}, args[1:]...), s, ts.Getenv, time.Now()) != exitDone
	}
	if failed != neg {
		ts.Fatalf("%s ends with 0: %t, want %t", strings.Join(args, " "), !failed, neg)
	}
}

// identity is what names a commit or a plan's bytes: it changes with every file
// of the starter, and no reader compares it by eye.
var identity = regexp.MustCompile("sha256:[0-9a-f]{64}|main at [0-9a-f]{10}|commit `[0-9a-f]{10,11}…?`|commit [0-9a-f]{10}")

// shown writes what the last command printed into a file, with digests and
// commits blanked, for cmp.
func shown(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: shown FILE")
	}
	text := identity.ReplaceAllStringFunc(ts.ReadFile("stdout"), func(s string) string {
		return strings.TrimRight(s, "0123456789abcdef…`") + "…"
	})
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o644))
}

// scriptAt is when a script's estate begins.
var scriptAt = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// starterEstate is `exec ringmaster --at 2026-03-02T09:00:00Z init DIR`, without
// a process for what nearly every script begins with. Unless WHOLE is said, or
// RINGMASTER_LONG=1, the compliance policies, which only report, are left out.
func starterEstate(ts *testscript.TestScript, neg bool, args []string) {
	whole := len(args) == 2 && args[1] == "WHOLE"
	if neg || len(args) != 1 && !whole {
		ts.Fatalf("usage: starter DIR [WHOLE]")
	}
	files := fs.FS(starter.Files)
	if !whole && os.Getenv("RINGMASTER_LONG") == "" {
		files = lean()
	}
	_, err := engine.Init(ts.MkAbs(args[0]), files, scriptAt)
	ts.Check(err)
}

// lean is the starter without the policies that only report.
var lean = sync.OnceValue(func() fs.FS {
	files := fstest.MapFS{}
	err := fs.WalkDir(starter.Files, ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case !e.IsDir():
			data, err := fs.ReadFile(starter.Files, name)
			files[name] = &fstest.MapFile{Data: data, Mode: 0o644}
			return err
		case slices.Contains(reporting, path.Base(name)) && path.Base(path.Dir(name)) == "policies":
			return fs.SkipDir
		}
		return nil
	})
	if err != nil {
		panic(err) // the files are in this binary
	}
	return files
})

// reporting are the starter's policies that only report, a third of what there
// is to compile.
var reporting = []string{"cis", "compliance", "dora", "iso_27001", "nis2", "nist_800_53", "pci_dss"}

// commitFolder is `exec git add -A` and `exec git commit -m MESSAGE`, without
// their processes.
func commitFolder(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: commit MESSAGE")
	}
	r, err := repo.Open(ts.MkAbs("."))
	ts.Check(err)
	defer r.Close()
	ts.Check(gitCommit(r, args[0]))
}

// bundled is `tar -czf FILE -C DIR .` with the same bytes everywhere, so that a
// script may declare their digest.
func bundled(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: bundled FILE DIR")
	}
	f, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	z, err := gzip.NewWriterLevel(f, gzip.NoCompression)
	ts.Check(err)
	w := tar.NewWriter(z)
	ts.Check(fs.WalkDir(os.DirFS(ts.MkAbs(args[1])), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(ts.MkAbs(args[1]), name))
		if err != nil {
			return err
		}
		if err := w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(data))}); err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	}))
	ts.Check(w.Close())
	ts.Check(z.Close())
	ts.Check(f.Close())
}

// setUp makes a run see nothing of the machine that it is on.
func setUp(e *testscript.Env) error {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		return err
	}
	for name, value := range map[string]string{
		"GITHUB_TOKEN": "", "GITHUB_REPOSITORY": "", "USER": "", "ROOT": root,
		"FILES": filepath.Join(root, "testdata", "script", "files"),
	} {
		e.Setenv(name, value)
	}
	return nil
}

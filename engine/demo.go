package engine

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/ringmaster-dev/ringmaster/engine/forge/local"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
	"github.com/ringmaster-dev/ringmaster/engine/report"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

// DemoOptions say where the demo happens and with what.
type DemoOptions struct {
	Dir      string // an empty or new folder
	Starter  fs.FS
	At       time.Time // the Monday morning on which it begins
	Executor func(*Env) *Executor
	Log      logrus.FieldLogger
	Out      io.Writer
	Color    bool
	Width    int
}

// DemoAt is when the demo begins unless somebody says otherwise.
var DemoAt = time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)

// Demo goes through the whole loop on a starter estate with simulated hosts,
// and tells what happens: an estate with history, plans opened, approved,
// merged and carried out ring by ring, a bad patch caught and rolled back, its
// outcome learnt from, and the next plan the wiser for it.
func Demo(ctx context.Context, o DemoOptions) error {
	d := &demo{DemoOptions: o, ctx: ctx, at: o.At}
	for _, step := range []func() error{d.estate, d.firstPlans, d.review, d.rollout, d.learn, d.wiser, d.proof} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// demo is the story as far as it has been told.
type demo struct {
	DemoOptions
	ctx   context.Context
	at    time.Time
	repo  *repo.Repo
	teams map[string][]string
	step  int
	sets  policySets
	zone  *time.Location       // the estate's: what is told is told by its clocks
	first map[string]plan.Risk // package → deploy risk before anything was learnt
}

func (d *demo) env() *Env {
	return &Env{Repo: d.repo, Forge: local.New(d.repo, "main", d.teams), At: d.at, Clock: d.at, Version: Version,
		Run: fmt.Sprintf("demo-%d", d.at.Unix()), Log: d.Log, sets: &d.sets}
}

// estate writes the starter with hosts, history and two updates, as one commit.
func (d *demo) estate() error {
	content, err := starterFiles(d.Starter)
	if err != nil {
		return err
	}
	delete(content, "inventory/feeds.hcl") // the demo brings what it needs, and contacts nobody
	names, err := writeStarter(d.Dir, content)
	if err != nil {
		return err
	}
	d.title("An estate in Git: inventory, rings, policies")
	files, err := demoFiles(d.Dir, d.at)
	if err != nil {
		return err
	}
	for name, data := range files {
		if err := writeNew(d.Dir, name, data); err != nil {
			return err
		}
	}
	imported, err := Import(ImportOptions{Dir: d.Dir, Format: "outcomes", Files: []string{"-"}, Stdin: bytes.NewReader(demoHistory(d.at)), At: d.at})
	if err != nil {
		return err
	}
	if content, err = filesOf(d.Dir); err != nil {
		return err
	}
	if err := firstCommit(d.Dir, content, "A starter estate with the demo's hosts, history and updates", d.at); err != nil {
		return err
	}
	if d.repo, err = repo.Open(d.Dir); err != nil {
		return err
	}
	est, err := d.env().readHead()
	if err != nil {
		return err
	}
	d.teams = est.Settings.Teams
	if d.zone, err = ring.Zone(est.Settings.Timezone); err != nil {
		return err
	}
	d.say("%d files of the starter, %d simulated hosts, %d changes from the eight months before", len(names), len(est.Hosts), imported.Added)
	d.say("today is %s", d.at.In(d.zone).Format("Monday, 2 January 2006, 15:04 MST"))
	return nil
}

// filesOf reads a folder's files by their path in it, leaving out .git.
func filesOf(dir string) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && e.Name() == ".git":
			return fs.SkipDir
		case e.IsDir():
			return nil
		}
		files[name], err = os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		return err
	})
	return files, err
}

// firstPlans decides what to do about the two updates.
func (d *demo) firstPlans() error {
	d.title("ringmaster plan --open: what is needed, what it risks, what policy allows")
	r, err := d.env().Plan(d.ctx, PlanOptions{Open: true})
	if err != nil {
		return err
	}
	d.first = map[string]plan.Risk{}
	for _, p := range r.Plans {
		for _, x := range p.Plan.Patches {
			d.first[x.Package] = x.DeployRisk
		}
		fmt.Fprintln(d.Out)
		if err := report.Text(d.Out, p.Plan, report.TextOptions{Color: d.Color, Width: d.Width}); err != nil {
			return err
		}
	}
	return nil
}

// review approves every open pull request as its plan asks, and merges it.
func (d *demo) review() error {
	d.title("People review: whoever the policies name approves, then it is merged")
	return d.mergeAll()
}

func (d *demo) mergeAll() error {
	e := d.env()
	open, err := e.Forge.List(d.ctx, "open")
	if err != nil {
		return err
	}
	for _, pr := range open {
		id := strings.TrimPrefix(pr.Branch, prefix)
		p, err := e.planOf(d.ctx, pr)
		if err != nil {
			return err
		}
		needs := []plan.Approval{{From: "owners", Count: 1}}
		if p != nil {
			needs = p.Approvals
		}
		for _, n := range needs {
			for _, who := range d.members(n.From, n.Count) {
				if err := e.Forge.Approve(d.ctx, pr.Branch, who, d.at); err != nil {
					return err
				}
				d.say("%s: %s approves for %s", id, who, n.From)
			}
		}
		merged, err := e.Merge(d.ctx, id, "olivia")
		if err != nil {
			return err
		}
		d.say("%s: merged as %.10s", id, merged.Merge)
	}
	return nil
}

func (d *demo) members(team string, n int) []string {
	list := d.teams[team]
	return list[:min(n, len(list))]
}

// most is how many runs the demo makes before it says that something is wrong.
const most = 200

// rollout lets time pass, from one due step to the next, until every plan is over.
func (d *demo) rollout() error {
	d.title("ringmaster execute, again and again: ring by ring, watched, rolled back by itself")
	return d.runOut()
}

func (d *demo) runOut() error {
	for range most {
		x := d.Executor(d.env())
		done, err := x.Execute(d.ctx)
		if err != nil {
			return err
		}
		d.tell(done.Lines)
		if done.Wake.IsZero() {
			return nil
		}
		d.at = done.Wake
	}
	return fmt.Errorf("the demo's plans were not over after %d runs", most)
}

// learn makes the outcomes into a model, by pull request.
func (d *demo) learn() error {
	d.title("ringmaster learn: outcomes become a model, which is reviewed like anything else")
	l, err := d.env().Learn(d.ctx)
	if err != nil {
		return err
	}
	for _, line := range strings.Split(strings.TrimSpace(l.Review), "\n") {
		d.say("%s", line)
	}
	return d.mergeAll()
}

// wiser plans again: the bad build stays away, and the vendor's next one meets
// what was learnt.
func (d *demo) wiser() error {
	d.title("The next plan is wiser: the bad build stays away, the vendor's next one is met with more caution")
	if err := d.freshFacts(); err != nil {
		return err
	}
	r, err := d.env().Plan(d.ctx, PlanOptions{})
	if err != nil {
		return err
	}
	for _, p := range r.Plans {
		d.notPlanned(p.Plan)
	}
	if err := d.addPatch([]byte(demoPatch(d.at, "HER-1318", "heron-web", "4.2.2", "4.2.3", `"supersedes":["HER-1312"],`))); err != nil {
		return err
	}
	d.say("three days later heron-web 4.2.3 is out:")
	d.at = d.at.Add(3*24*time.Hour + time.Hour)
	if r, err = d.env().Plan(d.ctx, PlanOptions{Open: true}); err != nil {
		return err
	}
	for _, p := range r.Plans {
		for _, x := range p.Plan.Patches {
			if was, ok := d.first[x.Package]; ok {
				d.compare(x, was)
			}
		}
		d.notPlanned(p.Plan)
	}
	return nil
}

// freshFacts is what an import of the hosts' facts would bring now.
func (d *demo) freshFacts() error {
	facts, err := demoFacts(d.at, "2.3.1")
	if err != nil {
		return err
	}
	return d.commit("inventory/facts/demo.jsonl", facts, "facts: as the hosts report them today")
}

// addPatch commits a vendor's new update, as `feeds sync` and a push would.
func (d *demo) addPatch(line []byte) error {
	const path = "inventory/patches/demo.jsonl"
	e := d.env()
	_, base, err := e.base(d.ctx)
	if err != nil {
		return err
	}
	old, err := e.readOrEmpty(base, path)
	if err != nil {
		return err
	}
	return d.commit(path, append(old, line...), "feeds: a new update")
}

// commit puts one file on the protected branch.
func (d *demo) commit(path string, data []byte, message string) error {
	e := d.env()
	branch, base, err := e.base(d.ctx)
	if err != nil {
		return err
	}
	_, err = e.advance(d.ctx, branch, repo.Next{Base: base, Message: message, Changes: map[string][]byte{path: data}})
	return err
}

// proof recomputes every decision, and ends.
func (d *demo) proof() error {
	d.title("ringmaster audit verify: every decision recomputed from its commit")
	a, err := d.env().AuditVerify(d.ctx, "")
	if err != nil {
		return err
	}
	d.say("%d commits, %d plans the same byte for byte, %d outcome lines chained, %d findings", a.Commits, a.Plans, a.Lines, len(a.Findings))
	for _, f := range a.Findings {
		d.say("%s", f)
	}
	fmt.Fprintf(d.Out, "\nThe estate is in %s. Try there:\n", d.Dir)
	at := d.at.Format(time.RFC3339)
	for _, c := range []string{
		"ringmaster -C " + d.Dir + " pr list",
		"ringmaster -C " + d.Dir + " --at " + at + " plan",
		"ringmaster -C " + d.Dir + " --at " + at + " audit verify",
	} {
		fmt.Fprintln(d.Out, "  "+c)
	}
	return nil
}

func writeNew(dir, name string, data []byte) error {
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

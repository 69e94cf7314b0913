package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/ringmaster-dev/ringmaster/engine/forge/local"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
	"github.com/ringmaster-dev/ringmaster/engine/risk"
)

// estateWith is an environment whose repository holds the smallest estate and some
// more files.
func estateWith(t testing.TB, at time.Time, more map[string][]byte) *Env {
	t.Helper()
	files := map[string][]byte{
		"inventory/estate.hcl": []byte("estate \"acme\" {\n  timezone = \"UTC\"\n  clock = \"given\"\n  review = \"none\"\n}\n"),
		"rings/rings.hcl":      []byte("ring \"all\" {\n  order = 1\n  share = \"100%\"\n}\n"),
	}
	for path, data := range more {
		files[path] = data
	}
	r, err := repo.Init(t.TempDir(), "main")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	if _, err := r.Advance("refs/heads/main", repo.Next{Changes: files, Message: "an estate", Author: bot, At: at}); err != nil {
		t.Fatal(err)
	}
	log := logrus.New()
	log.SetOutput(io.Discard)
	return &Env{Repo: r, Forge: local.New(r, "main", nil), At: at, Clock: at, Version: Version, Run: "test", Log: log}
}

// quietHistory is what twelve hosts did in the first months of a year: five updates each
// of one package, all of them healthy.
func quietHistory() string {
	var b strings.Builder
	for i := range 60 {
		row(&b, time.Date(2026, 1, 2+i, 8, 0, 0, 0, time.UTC), fmt.Sprintf("web-%02d", i%12), i, "healthy")
	}
	return b.String()
}

func row(b *strings.Builder, at time.Time, host string, release int, event string) {
	fmt.Fprintf(b, `{"at":%q,"host":%q,"patch":"generic:heron-web@4.2.%d","package":"heron-web","vendor":"Heron","role":"web","event":%q}`+"\n",
		at.Format(time.RFC3339), host, release, event)
}

func learn(t testing.TB, history string) *Learned {
	t.Helper()
	at := time.Date(2026, 3, 20, 9, 0, 0, 0, time.UTC)
	l, err := estateWith(t, at, map[string][]byte{"inventory/history/outcomes.jsonl": []byte(history)}).Learn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Sixty failures that one host brings within a day make a fifth of its package's
// record and no more, are no incompatibility, and the pull request says whose they
// are.
func TestLearnFromAPoisonedHost(t *testing.T) {
	clean := learn(t, quietHistory())
	if !strings.Contains(clean.Review, "No alarm, no drift, no source that stands out.") {
		t.Errorf("of a quiet history: %s", clean.Review)
	}
	var b strings.Builder
	b.WriteString(quietHistory())
	for i := range 60 {
		row(&b, time.Date(2026, 3, 3, 9, i, 0, 0, time.UTC), "web-99", 100+i, "failed")
		row(&b, time.Date(2026, 3, 3, 9, i, 30, 0, time.UTC), fmt.Sprintf("web-%02d", i%12), 100+i, "healthy")
	}
	l := learn(t, b.String())
	r := l.Record.Packages["heron-web"]
	if r.N != 150 || r.Bad != 30 {
		t.Errorf("the package's record is %v of %v, want a fifth: 30 of 150", r.Bad, r.N)
	}
	if len(l.Deployment.Pairs) != 0 {
		t.Errorf("one host makes incompatibilities: %v", l.Deployment.Pairs)
	}
	for _, want := range []string{"**host web-99**: 60 of its 60 outcomes since 2026-01-01 failed", "look at it before models learn from it", "**the day 2026-03-03**: 60 of its 120 outcomes failed"} {
		if !strings.Contains(l.Review, want) {
			t.Errorf("the review does not say %q:\n%s", want, l.Review)
		}
	}
	if strings.Contains(l.Review, "**host web-0") {
		t.Errorf("others are blamed as well:\n%s", l.Review)
	}
	if l.Pull == nil {
		t.Error("nothing was proposed")
	}
}

// Too little and broken ledgers are refused, and the message says what is wrong.
func TestLearnRefuses(t *testing.T) {
	at := time.Date(2026, 3, 20, 9, 0, 0, 0, time.UTC)
	little := strings.Join(strings.SplitAfter(quietHistory(), "\n")[:19], "")
	_, err := estateWith(t, at, map[string][]byte{"inventory/history/outcomes.jsonl": []byte(little)}).Learn(context.Background())
	if few, ok := errors.AsType[*risk.TooFew](err); !ok || few.Known != 19 || few.Needed != 20 {
		t.Errorf("Learn() of 19 changes = %v, want *TooFew", err)
	}
	for _, c := range []struct{ name, path, data, want string }{
		{"a row that is none", "inventory/history/outcomes.jsonl", quietHistory() + "{\n", "inventory/history/outcomes.jsonl:61: "},
		{"a ledger without a plan", "outcomes/high-main-1.jsonl", "{}\n", "outcomes/high-main-1.jsonl"},
		{"a ledger that is cut", "outcomes/high-main-1.jsonl", `{"schema":"ringmaster/outcome/v1","prev":"sha256:`, "outcomes/high-main-1.jsonl"},
		{"a model that is none", "models/deployment.json", `{"schema":"x"}`, "models/deployment.json"},
	} {
		files := map[string][]byte{"inventory/history/outcomes.jsonl": []byte(quietHistory())}
		files[c.path] = []byte(c.data)
		_, err := estateWith(t, at, files).Learn(context.Background())
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Learn() = %v, want an error about %q", c.name, err, c.want)
		}
	}
}

// What people said of scores trains with a weight that the pull request states.
func TestLearnStatesTheWeightOfOpinions(t *testing.T) {
	at := time.Date(2026, 3, 20, 9, 0, 0, 0, time.UTC)
	e := estateWith(t, at, map[string][]byte{"inventory/history/outcomes.jsonl": []byte(quietHistory())})
	est, err := e.readHead()
	if err != nil {
		t.Fatal(err)
	}
	said := []risk.Said{{Trial: risk.Trial{At: at, Host: "web-01", Patch: "generic:heron-web@4.3", Package: "heron-web"}, High: true}}
	l, err := fit(est, nil, said, basis{at: at}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := "People disagreed with a score 1 times: each trains the learnt correction with a weight of 0.3"; !strings.Contains(l.Review, want) {
		t.Errorf("the review does not say %q:\n%s", want, l.Review)
	}
	if l.Deployment.Data["disagreements"] != 1.0 || l.Deployment.Data["override_weight"] != risk.SaidWeight {
		t.Errorf("the data card says %v", l.Deployment.Data)
	}
}

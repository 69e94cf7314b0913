package risk

import (
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/metric"
)

// A new model is compared on outcomes that are new to it and to the old one, and
// one that learnt from poisoned outcomes is told to be worse.
func TestCompare(t *testing.T) {
	trials := randomTrials(8, 1600)
	last := trials[len(trials)-1].At
	old, err := FitDeployment(trials, trials[799].At, DeploymentOptions{})
	if err != nil {
		t.Fatal(err)
	}
	honest, err := Compare(trials, last, old, 0.05, DeploymentOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if honest.KeepOld || honest.Held < 330 || honest.Held > 470 || len(honest.Standings) != 4 {
		t.Errorf("%s\nwant the new model, tried on the newest quarter", honest.Markdown())
	}
	if !honest.From.After(old.At) {
		t.Errorf("held out from %v, which the old model of %v has seen", honest.From, old.At)
	}
	if m, rules := honest.Standings[0], honest.Standings[3]; *m.AUC < *rules.AUC || *m.LogLoss > *rules.LogLoss {
		t.Errorf("%s\nwant the model above the rules: there is something to learn", honest.Markdown())
	}
	poisoned := append([]Trial(nil), trials...)
	for i := 800; i < 1180; i++ {
		poisoned[i].Failed = i%2 == 0
	}
	worse, err := Compare(poisoned, last, old, 0.05, DeploymentOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !worse.KeepOld || !strings.Contains(worse.Markdown(), "keep the old model") {
		t.Errorf("%s\nwant the old model kept", worse.Markdown())
	}
}

func TestCompareWithLittle(t *testing.T) {
	trials := randomTrials(8, 100)
	first, err := Compare(trials, hours(1000), nil, 0.05, DeploymentOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if first.KeepOld || first.Held != 26 || len(first.Standings) != 3 || !strings.Contains(first.Why, "no model to compare") {
		t.Errorf("%s\nwant 26 changes held out of 100, and no verdict", first.Markdown())
	}
	old, err := FitDeployment(trials, trials[95].At, DeploymentOptions{})
	if err != nil {
		t.Fatal(err)
	}
	few, err := Compare(trials, hours(1000), old, 0.05, DeploymentOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if few.KeepOld || !strings.Contains(few.Why, "too few outcomes") {
		t.Errorf("%s\nwant no verdict on a handful", few.Markdown())
	}
	old.At = hours(5000)
	none, err := Compare(trials, hours(1000), old, 0.05, DeploymentOptions{})
	if err != nil || none.Held != 0 || none.KeepOld {
		t.Errorf("Compare() with nothing newer = %+v, %v", none, err)
	}
	if !strings.Contains(none.Markdown(), "| new model | – | – |") {
		t.Errorf("%s\nwant dashes where there is no answer", none.Markdown())
	}
	if none.From.Sub(old.At) != time.Second {
		t.Errorf("held out from %v", none.From)
	}
}

func TestCalibrationIsPlotted(t *testing.T) {
	for _, test := range []struct {
		bin  metric.Bin
		want string
	}{
		{metric.Bin{Predicted: 0.04, Low: 0.01, High: 0.09}, "···───O───····················"},
		{metric.Bin{Predicted: 0.5, Low: 0, High: 0.01}, "────·················o········"},
		{metric.Bin{Predicted: 1, Low: 1, High: 1}, "·····························O"},
	} {
		if got := plotted(test.bin); got != test.want {
			t.Errorf("plotted(%+v) = %q, want %q", test.bin, got, test.want)
		}
	}
}

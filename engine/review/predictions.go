package review

import (
	"fmt"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
	"github.com/ringmaster-dev/ringmaster/engine/metric"
)

// Predictions is how good the predicted risks were: each was in a merged plan
// before anything happened.
type Predictions struct {
	N           int            `json:"n"`
	Bad         int            `json:"bad"`
	Expected    float64        `json:"expected"` // failures that the predictions add up to
	BySource    map[string]int `json:"by_source"`
	LogLoss     *float64       `json:"log_loss"`
	Brier       *float64       `json:"brier"`
	AUC         *float64       `json:"auc"`
	AP          *float64       `json:"average_precision"`
	Calibration []Bin          `json:"calibration"`
	Tenth       Caught         `json:"riskiest_tenth"`
	Warnings    Caught         `json:"warnings"` // predicted at Threshold or above
	Threshold   float64        `json:"warned_from"`
}

// Bin is one point of the calibration plot.
type Bin struct {
	N         float64 `json:"n"`
	Predicted float64 `json:"predicted"`
	Observed  float64 `json:"observed"`
	Low       float64 `json:"low"` // 90 % interval of Observed
	High      float64 `json:"high"`
}

// Caught is what flagging some changes would have caught.
type Caught struct {
	Flagged     int      `json:"flagged"`
	Hits        int      `json:"hits"`
	FalseAlarms int      `json:"false_alarms"`
	Misses      int      `json:"misses"`
	Precision   *float64 `json:"precision"`
	Recall      *float64 `json:"recall"`
}

// bins of a calibration curve over one month: few, since failures are few.
const bins = 5

func predictions(done []change, threshold float64) (Predictions, error) {
	p := Predictions{N: len(done), BySource: map[string]int{}, Calibration: []Bin{}, Threshold: threshold}
	rows := make([]metric.Row, 0, len(done))
	for _, c := range done {
		rows = append(rows, metric.Row{Name: c.plan + " " + string(c.host) + " " + string(c.patch.ID), P: c.predicted.P, Bad: c.failed})
		p.BySource[c.predicted.Source]++
		p.Expected += c.predicted.P
		if c.failed {
			p.Bad++
		}
	}
	p.Expected = exact.Round5(p.Expected)
	set, err := metric.Of(rows)
	if err != nil {
		return p, fmt.Errorf("scoring predictions: %w", err)
	}
	p.LogLoss, p.Brier = known(set.LogLoss()), known(set.Brier())
	p.AUC, p.AP = known(set.AUC()), known(set.AveragePrecision())
	for _, b := range set.Curve(bins) {
		p.Calibration = append(p.Calibration, Bin{exact.Round5(b.N), exact.Round5(b.Predicted), exact.Round5(b.Observed), exact.Round5(b.Low), exact.Round5(b.High)})
	}
	p.Tenth, p.Warnings = caught(set.TopShare(0.1)), caught(set.At(threshold))
	return p, nil
}

func caught(f metric.Flagged) Caught {
	return Caught{
		Flagged: int(f.Hits + f.FalseAlarms), Hits: int(f.Hits), FalseAlarms: int(f.FalseAlarms), Misses: int(f.Misses),
		Precision: known(f.Precision()), Recall: known(f.Recall()),
	}
}

// known is a number with an answer, nil where there is none.
func known(x float64, ok bool) *float64 {
	if !ok {
		return nil
	}
	x = exact.Round5(x)
	return &x
}

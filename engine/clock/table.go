package clock

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

//go:embed tables/ssvc_deployer_patch_priority.csv
var ssvcCSV string

//go:embed tables/bod_26_04_decision_table.csv
var bodCSV string

// answer is one row of a decision table: its number and its outcome.
type answer struct{ row, outcome string }

var (
	ssvcTable = sync.OnceValue(func() map[[4]string]answer { return read(ssvcCSV) })
	bodTable  = sync.OnceValue(func() map[[4]string]answer { return read(bodCSV) })
)

// read takes a table whose columns are the row's number, four inputs and the
// outcome. The tables are part of this program, so that a broken one panics.
func read(text string) map[[4]string]answer {
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		panic(fmt.Sprintf("clock: a decision table: %v", err))
	}
	table := map[[4]string]answer{}
	for _, r := range rows[1:] {
		table[[4]string(r[1:5])] = answer{r[0], r[5]}
	}
	return table
}

// ask answers from a table; inputs come from closed sets, so that no row
// missing is a fault of this package.
func ask(table map[[4]string]answer, inputs [4]string) answer {
	a, ok := table[inputs]
	if !ok {
		panic(fmt.Sprintf("clock: no row for %q", inputs))
	}
	return a
}

// outcomes maps SSVC's words to classes.
var outcomes = map[string]plan.Class{
	"immediate":    plan.Critical,
	"out-of-cycle": plan.High,
	"scheduled":    plan.Standard,
	"defer":        plan.Low,
}

// timelines maps BOD 26-04's words to spans; "fix on system upgrade" sets none.
var timelines = map[string]time.Duration{
	"3 days":                          3 * day,
	"3 days & forensic investigation": 3 * day,
	"14 days":                         14 * day,
	"60 days":                         60 * day,
}

// exposures maps the estate's word to SSVC's.
var exposures = map[string]string{"internet": "open", "internal": "controlled", "isolated": "small"}

// worst orders SSVC's words, the worst first.
var worst = map[string][]string{
	"exploitation":     {"active", "public poc", "none"},
	"automatable":      {"yes", "no"},
	"technical impact": {"total", "partial"},
	"human impact":     {"very high", "high", "medium", "low"},
}

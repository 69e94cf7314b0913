package policy

import (
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/storage"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// set is what Compile makes.
type set struct {
	compiler *ast.Compiler
	store    storage.Store
	data     map[string]any // what the store holds
	clauses  []*clause      // sorted by rule, then place
	views    map[Point]*view
	settled  map[*ast.Rule]bool
	limits   Limits
}

// clause is one rule: one `effect contains …` with its body.
type clause struct {
	rule       string // <concern>.<effect>
	effect     plan.Effect
	file       string
	line       int
	title      string
	exceptable bool
	compiled   *ast.Rule
	body       ast.Body // compiled, with the answer captured at the end
	reads      []trail  // sorted, none a prefix of another
	lookups    *lookups
	points     []Point
}

// answerVar is bound to what a clause says.
const answerVar = ast.Var("__answer__")

// effects are those that a rule may have, strongest first.
var effects = []plan.Effect{plan.Deny, plan.Hold, plan.Require, plan.Warn}

func strength(e plan.Effect) int {
	for i, x := range effects {
		if x == e {
			return i
		}
	}
	return len(effects)
}

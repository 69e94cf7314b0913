package evidence

import "github.com/ringmaster-dev/ringmaster/engine/exact"

// Shown is the smallest share of hosts that fail of which, 19 times in 20, more than
// so many are among n: what n hosts that were watched let one rule out. With none
// allowed it is 1 − 0.05^(1/n), about 3/n (the rule of three). It is 1 where as many are
// allowed as there are.
func Shown(n, allowed int) float64 {
	if n <= allowed {
		return 1
	}
	return exact.Beta{A: float64(allowed + 1), B: float64(n - allowed)}.Quantile(1 - Alpha)
}

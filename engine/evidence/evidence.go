// Package evidence says when what was counted has changed by more than chance.
package evidence

import "math"

// Alarm is the verdict of a test on a stream of outcomes, in numbers that a
// report can put into words: "since outcome 40, 9 of 31 failed, 0.6 expected".
// Tests stop reading where they alarm: later outcomes do not change the verdict.
type Alarm struct {
	Fired    bool
	Since    int     // index of the first outcome that is counted
	At       int     // index of the last one read: where the alarm came, or the end; −1 where there is none
	N, Bad   int     // outcomes from Since to At, and the failures among them
	Expected float64 // failures expected among them had nothing changed
	E        float64 // strongest evidence so far: the test fires at 1/alpha; at most Most
	P        float64 // the same as a p-value, however often it was looked at: 1/E, at most 1
}

// Most is as much evidence as is ever reported.
const Most = 1e12

// Alpha is the probability of a false alarm where nothing else is asked for.
const Alpha = 0.05

// level is the probability of a false alarm that was asked for.
func level(alpha float64) float64 {
	if alpha > 0 && alpha < 1 {
		return alpha
	}
	return Alpha
}

// weigh sets what the strongest evidence so far amounts to, and says whether that
// is enough.
func (a *Alarm) weigh(e, enough float64) bool {
	if e > a.E {
		a.E = min(e, Most)
		a.P = min(1/a.E, 1)
	}
	a.Fired = e >= enough
	return a.Fired
}

// quiet is an alarm before the first outcome.
func quiet() Alarm { return Alarm{At: -1, E: 1, P: 1} }

// held keeps a probability off 0 and 1, which no prediction is: results have 5
// decimals.
func held(p float64) float64 { return min(max(p, 1e-5), 1-1e-5) }

func known(p float64) bool { return !math.IsNaN(p) }

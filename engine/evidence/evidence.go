// Package evidence says when what was counted has changed by more than chance.
//
// A rule of thumb ("three failures are too many") fires by chance the more often,
// the more often one looks. Every test here states how often it fires where
// nothing has changed, and keeps to it although a watch looks after every outcome:
// evidence is what a bettor would own who began with 1 and bet on a change at fair
// odds; it reaches 1/alpha by luck with a probability of at most alpha, ever (Ville
// 1939; Ramdas, Grünwald, Vovk and Shafer 2023). A value of 20 is thus an alarm at
// 5 %. Who watches m things at once gives each alpha/m.
//
//	OverRate    a rate that should be known           Watch    each outcome's own prediction,
//	OverPast    so many failures in a finite past               from the start or from any time on
//	OverPeers   others at the same time               Adwin    the mean residual, wherever it stood
//	Categories, Numbers, Judge   inputs against those a model was trained on
//	Bursts                       who brought the failures, or the successes
//
// Outcomes come in the order of time, as the caller sorted them; recomputing from
// history is the normal way. OverRate and OverPast, and the running forms of tests
// (Rate, Past, Peers, Detector), wait for verdicts on health that are pooled over
// waves and rings, which no process stays up for. Nothing depends on the machine.
//
// Measured, at alpha = 5 %, on 10,000 streams (4,000 for inputs, 1,000 for shares
// found), with a look after each of 1,000 outcomes (5,000 for Watch):
//
//	false alarms, goal ≤ 5 %
//	OverRate, 0.5 / 2 / 10 %                           2.0 / 2.7 / 3.4 %
//	OverPast, 2 %, past of 20 / 100 / 1,000            0.0 / 0.2 / 1.0 %
//	OverPast, 10 %, past of 20 / 100 / 1,000           0.2 / 0.8 / 1.2 %
//	OverPeers, 1 / 10 beside each                      3.5 / 2.8 %
//	Watch, from the start / worse / better / either    3.1 / 3.2 / 4.5 / 3.8 %
//	Watch, either, n = 30 / 100 / 300 / 1,000 / 5,000  0.5 / 1.3 / 2.5 / 3.8 / 4.2 %
//	Adwin, same n                                      0.0 / 0.0 / 0.0 / 0.1 / 1.6 %
//	Adwin, same n, a model that was always off         0.0 / 0.0 / 0.0 / 0.4 / 4.2 %
//	Judge, 20 inputs, 30 / 100 / 300 / 5,000 rows      2.2 / 3.3 / 3.1 / 0.8 % beside 1,000
//	Categories alone, 30 / 100 / 300 / 1,000 / 5,000   1.7 / 3.3 / 3.1 / 3.1 / 3.6 %
//	Numbers alone, same rows                           3.0 / 3.6 / 3.7 / 3.5 / 3.4 %
//	Bursts, 5 / 50 / 300 sources at 20 %               1.2 / 1.0 / 1.0 %
//
//	outcomes until 10 % instead of 2 % is seen: median (quartiles)
//	OverRate, goal ≤ 40                                35 (17–68)
//	OverPast, past of 200 / 1,000 / 5,000              93 / 49 / 48; of 50: 8 % ever
//	OverPeers, 1 / 5 / 20 beside each                  89 / 48 / 40
//	Watch, worse, after 0 / 200 / 1,000 quiet ones     39 / 92 / 128
//	Watch, one alarm in 5,000, the same                67 / 56 / 58
//
//	average run length where 400 was asked for         634
//	Judge, a number moved by one deviation, 30 rows    found in 93 %
//	Judge, a new category in one of five, 30 rows      found in 96 %
//	Bursts, 60 sources, 8 failures in 10 / 4 in 10     found in 100 / 4 %
//
// by RINGMASTER_LONG=1 go test -timeout 60m -v ./engine/evidence
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

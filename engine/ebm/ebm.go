// Package ebm fits and scores explainable boosting machines: additive models
// whose every part a person can look at.
//
// The log-odds of a row x are
//
//	F(x) = intercept + Σj fj(xj) + Σjk fjk(xj, xk)
//
// where each fj is a step function over bins of one column, and each fjk a table
// over bins of two (Lou, Caruana, Gehrke and Hooker 2013). Nothing else enters a
// score, so the reasons for it are its own summands.
//
// Fitting is cyclic boosting: round by round, each term in turn takes a small
// step towards what the gradient of the log loss asks for. It is done eight
// times, each time without another eighth of the rows (a bag), and the bags stop
// together where the rows they left out are foretold best. Up to 16,000 rows it is
// done in four ways (leaves coarse and fine, straight lines, and leaves on top of
// those), which are blended by weights that the rows left out decide. Those same
// scores of rows left out choose the pairs (up to 4,000 rows only what stands out
// of the noise of such a table), calibrate, and give the intervals. The tables
// of the bags are averaged, pairs are purified (Lengerich and others 2020: what
// either column says alone belongs to its own term), and everything is rounded to
// the 5 decimals that the file has, which are what scores are made of.
//
// What it cannot hold are effects of three or more columns together. The AI4I
// data set has such: a heat failure takes air temperature, process temperature
// and speed at once, an overstrain torque, wear and product type. Three pairs
// stand for the first, and boosted trees still foretell it better.
package ebm

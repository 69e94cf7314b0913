// Package engine is ringmaster's verbs: plan, check, execute, learn and the
// others, each a file here, each a short line through the packages below.
//
// # The tour, ground floor first
//
// At the ground are words and doors. [advisory] holds what is published about
// versions, and under it stand the readers of each public format. [version]
// orders the versions of package managers. [repo] is the door to Git: a commit
// as a file system, the next commit, references moved by compare-and-swap.
// [hclfile] is the door to HCL, with a place for every fault. [markup] keeps text
// from outside text, in pages and messages. cvss reads scoring vectors. exact is
// the mathematics that has the same bits everywhere, and on it stand ebm and linear (what can be learnt and still be read), metric (how
// good predictions were) and evidence (when what was counted has changed).
//
// On them stand the rest of the words: [inventory] (hosts, services, packages,
// and readers of what other tools report), [ring] (rings, windows in wall time,
// freezes), [plan] (the document, its canonical bytes and digest), [outcome]
// (what became of each change, chained line by line), [command] (what people ask
// for in comments).
//
// The stages turn words into words and never meet one another; what passes
// between them is plan.Change and what this package hands on:
//
//	match     which changes an inventory needs
//	clock     by when, and which clock says so
//	rollback  what cannot be rolled back, and what people do instead
//	risk      what deploying may break, what waiting may cost
//	policy    what Rego says may be done (the door to OPA)
//	schedule  admitted changes into waves, or the proof that they do not fit
//	rollout   the next step of a merged plan
//	health    a verdict on telemetry before and after
//	report    the plan as people read it
//	review    a month looked back at
//	replay    what other policies or models would have decided, as people read it
//
// Beside them are the ports and their adapters: [forge] (local, github),
// [fleet] (sim, exec, ssh, ansible), [telemetry] (prometheus, probe, and workload, which
// puts sandboxes under load), and feed, which fetches advisories.
// [estate] reads everything one commit declares.
//
// Here, plan is a straight line:
//
//	estate.Read → match.Changes → clock.Judge → risk.Outlook → policy.Batch → schedule.Waves → plan.Seal → report → forge.Propose
//
// and execute is one step a run, its only memory being Git:
//
//	estate.Read → confirm → rollout.Next → policy.Batch → commit(intents) → fleet.Apply → telemetry.Measure → health.Judge → commit(outcomes)
//
// learn closes the ring:
//
//	verified ledgers → what was known then (risk.Know) → risk.Fit, risk.FitDeployment → risk.Compare → forge.Propose
//
// The intent goes in first: a push that is refused means another runner has the
// step, and a run that dies leaves a trace that the next one reads. A decision is
// a pure function (decide) of one commit, a time and the engine's version, which
// is why check and audit can make it again, byte for byte.
//
// People stand between the two: propose.go opens what was planned, but for what
// somebody declined by closing it; approved counts reviews, worse
// decides which of them survive a plan that is written again, and verdict.go,
// aftermath.go and overdue.go tell the forge what was checked, what became of it
// (the words are tale.go's), and who is late. Nothing that happens to hosts waits
// for what is told.
//
// Because of that, history can be asked again: audit makes every merged plan once
// more, replay decides it under other policies or models, explain looks for the
// smallest change of facts that would have altered it. status says where the
// estate stands; comments does what people ask for below a plan, and answers.
// Files that belong together begin alike: audit*.go, comments*.go, edits*.go, explain*.go,
// import*.go, replay*.go; authors.go and bundle.go are for policy authors. trust.go
// walks the base branch, and edits*.go ask its policies who may loosen what.
//
// What holds this shape is floors_test.go.
package engine

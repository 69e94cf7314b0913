package engine

import (
	"strings"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/markup/markuptest"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/review"
	"github.com/ringmaster-dev/ringmaster/engine/risk"
)

// TestTextsStayTexts: what a check, a model's pull request and an override's say,
// whatever files, packages, vendors and people are called.
func TestTextsStayTexts(t *testing.T) {
	markuptest.Pages(t, func(s string) map[string]string {
		var watched strings.Builder
		observed(&watched, []review.Observation{{About: s, Says: s}})
		of := map[string]risk.Record{s: {N: 2, Bad: 1}}
		return map[string]string{
			"the record":   recordReview(&risk.TrackRecord{Vendors: of, Packages: of, Roles: of}, nil, []string{s}),
			"what watches": watched.String(),
			"a check":      summary(nil, []estate.Fault{{File: "policies/" + s, Line: 1, Message: s}}),
			"a plan":       summary([]string{"high-main-1" + s}, nil),
			"an override":  "x\n\n" + quoted(askedFor(outcome.Override{Kind: s, By: s, Patch: s, Service: s, Reason: s, ReasonType: s, Evidence: s}, []outcome.Override{{Kind: s, By: s, Plan: s, Reason: s}})) + "\n",
		}
	})
}

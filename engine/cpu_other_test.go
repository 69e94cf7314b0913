//go:build !unix

package engine

import "time"

var begun = time.Now()

// cpuTime is the time that has passed, where no better clock is at hand.
func cpuTime() time.Duration { return time.Since(begun) }

//go:build !unix

package ebm

import "time"

// cpu is the processor time that this process has used: unknown here.
func cpu() time.Duration { return 0 }

// Command ringmaster decides which patches go where and when, explains it in a
// pull request, carries out what was merged, and learns from what happened.
//
// This package turns flags into values, chooses adapters, and turns errors into
// exit codes. Everything else is in package engine and below.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	_ "time/tzdata" // the same zones on every machine
)

// memory is where the collector begins to work harder rather than let the heap
// grow to twice what is live: plans for 100,000 hosts then fit in 1 GB.
const memory = 850 << 20

func main() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memory)
	}
	if exe, err := os.Executable(); err == nil {
		self = exe
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}, os.Getenv, time.Now())
	stop()
	os.Exit(code)
}

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/exec"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry/probe"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry/prometheus"
)

// openHealth returns where health is measured. The simulated fleet and plugins
// measure their own hosts.
func (a *app) openHealth(_ context.Context, h ring.Health, f fleet.Fleet, w engine.World) (telemetry.Source, error) {
	timeout := cmp.Or(h.Timeout, probe.Timeout)
	address := addressOf(w)
	down := func(h inventory.HostID, why error) { a.log.WithField("host", h).Warn("not up: " + why.Error()) }
	switch h.Kind {
	case "sim", "exec":
		if prober, ok := f.(interface{ Probe() telemetry.Source }); ok {
			return prober.Probe(), nil
		}
		return nil, errors.New("the fleet of these hosts measures nothing")
	case "prometheus":
		token, err := a.token(h)
		if err != nil {
			return nil, err
		}
		return prometheus.Open(prometheus.Options{URL: h.URL, Signals: h.Signals, Step: h.Step, Token: token, Address: address})
	case "http":
		return probe.New(probe.Options{Look: probe.HTTP(h.URL, address, timeout, nil), Wait: a.pause, Down: down}), nil
	case "command":
		run := func(ctx context.Context, argv []string) error {
			return exec.Run(ctx, exec.Options{Command: argv, Dir: w.Dir, Env: h.Env}, nil, nil)
		}
		return probe.New(probe.Options{Look: probe.Command(h.Command, run, address, timeout), Wait: a.pause, Down: down}), nil
	}
	return nil, fmt.Errorf("health %q is none that this version knows", h.Kind)
}

// token is the bearer token of a health block, "" where it names none. One that
// is named and not set is an error: without it the server would say no, or
// nothing.
func (a *app) token(h ring.Health) (string, error) {
	if h.Token == "" {
		return "", nil
	}
	if err := exec.CheckEnv([]string{h.Token}); err != nil {
		return "", err
	}
	token := a.getenv(h.Token)
	if token == "" {
		return "", fmt.Errorf("the variable %q, which is to hold the token of %s, is not set", h.Token, h.URL)
	}
	return token, nil
}

// addressOf tells where a host is reached, "" where its facts do not say.
func addressOf(w engine.World) func(inventory.HostID) string {
	host := hostsOf(w)
	return func(id inventory.HostID) string {
		if h, ok := host(id); ok && h.Facts != nil {
			return h.Facts.Address
		}
		return ""
	}
}

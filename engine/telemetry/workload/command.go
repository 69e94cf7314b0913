package workload

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

// Ask is what a command reads, as one JSON line.
type Ask struct {
	Host    inventory.HostID `json:"host"`
	Address string           `json:"address"`
	Seconds float64          `json:"seconds"` // for all requests
	Timeout float64          `json:"timeout"` // seconds for one
	Due     []float64        `json:"due"`     // seconds from the start at which each request is to be made
}

// Answer is what it writes of each request that it made, as one JSON line. OK that
// is absent is false, and seconds that are absent belong to no request.
type Answer struct {
	OK      bool     `json:"ok"`
	Seconds *float64 `json:"seconds"`
	Why     string   `json:"why"` // what went wrong, for people
}

// mostLine is how long a line of a command may be.
const mostLine = 64 << 10

// Command is a workload by a program, which makes the requests of Ask and writes an
// Answer for each; run starts it, with what it reads, and waits. One that does not end
// with 0, or in time, or writes what is no answer, has said nothing.
func Command(o Options, run func(ctx context.Context, argv []string, in io.Reader, out io.Writer) error) telemetry.Workload {
	return func(ctx context.Context, h inventory.HostID, week [telemetry.Hours]float64) (telemetry.Load, error) {
		address := o.Address(h)
		argv := make([]string, len(o.Command))
		for i, a := range o.Command {
			var err error
			if argv[i], err = telemetry.Fill(a, h, address); err != nil {
				return telemetry.Load{}, err
			}
		}
		ask := Ask{Host: h, Address: address, Seconds: o.Duration.Seconds(), Timeout: o.Timeout.Seconds(), Due: seconds(o.due(week))}
		in, err := json.Marshal(ask)
		if err != nil {
			return telemetry.Load{}, err
		}
		limited, stop := context.WithTimeout(ctx, o.Duration+2*o.Timeout)
		defer stop()
		out := &answers{most: len(ask.Due)}
		if err := run(limited, argv, bytes.NewReader(append(in, '\n')), out); err != nil {
			return telemetry.Load{}, fmt.Errorf("putting %s under load with %q: %w", h, argv[0], err)
		}
		return out.load(o, h, argv[0])
	}
}

func seconds(due []time.Duration) []float64 {
	list := make([]float64, len(due))
	for i, d := range due {
		list[i] = math.Round(d.Seconds()*1e6) / 1e6
	}
	return list
}

// answers keeps what a command writes, up to as much as so many answers can be.
type answers struct {
	most int
	text bytes.Buffer
}

// Write refuses what is more, which ends the command.
func (a *answers) Write(p []byte) (int, error) {
	if a.text.Len()+len(p) > mostLine+a.most*1024 {
		return 0, fmt.Errorf("it writes more than %d answers can be", a.most)
	}
	return a.text.Write(p)
}

func (a *answers) load(o Options, h inventory.HostID, name string) (telemetry.Load, error) {
	var load telemetry.Load
	wrong := causes{}
	lines := bufio.NewScanner(&a.text)
	lines.Buffer(nil, mostLine)
	for n := 1; lines.Scan(); n++ {
		var one Answer
		err := json.Unmarshal(lines.Bytes(), &one)
		switch {
		case err != nil:
			return telemetry.Load{}, fmt.Errorf("putting %s under load with %q: line %d is no answer: %w", h, name, n, err)
		case one.Seconds == nil || *one.Seconds < 0:
			return telemetry.Load{}, fmt.Errorf(`putting %s under load with %q: line %d has no "seconds"`, h, name, n)
		case load.Requests == a.most:
			return telemetry.Load{}, fmt.Errorf("putting %s under load with %q: it answers for more than the %d requests that it was asked for", h, name, a.most)
		}
		load.Add(one.OK, *one.Seconds)
		if !one.OK {
			wrong[one.Why]++
		}
	}
	if err := lines.Err(); err != nil {
		return telemetry.Load{}, fmt.Errorf("putting %s under load with %q: %w", h, name, err)
	}
	wrong.tell(o, h)
	return load, nil
}

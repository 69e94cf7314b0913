package main

import (
	"bufio"
	"encoding/json"
	"io"
	"time"
)

// quickPlugin is a fleet plugin that answers at once and remembers nothing.
func quickPlugin(in io.Reader, out io.Writer) {
	lines, answers := bufio.NewReaderSize(in, 1<<20), bufio.NewWriter(out)
	defer answers.Flush()
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var r struct {
			ID       int
			Op, Key  string
			Now      time.Time
			Hosts    []string
			Jobs     []string
			From, To time.Time
		}
		if json.Unmarshal(line, &r) != nil {
			return
		}
		a := map[string]any{"id": r.ID, "ok": true}
		switch r.Op {
		case "hello":
			a["v"], a["plugin"], a["caps"] = 1, "quick", map[string]any{"ops": []string{"apply", "rollback", "status", "probe", "installed"}, "max_batch": 200}
		case "apply", "rollback":
			a["job"], a["state"] = r.Key, "succeeded"
		case "status":
			jobs := []any{}
			for _, j := range r.Jobs {
				jobs = append(jobs, map[string]any{"job": j, "state": "succeeded", "started": r.Now, "finished": r.Now, "packages": []any{map[string]any{"name": "heron-web", "version": "4.2.2"}}})
			}
			a["jobs"] = jobs
		case "installed":
			hosts := []any{}
			for _, h := range r.Hosts {
				hosts = append(hosts, map[string]any{"host": h, "packages": []any{map[string]any{"name": "heron-web", "version": "4.2.1"}}})
			}
			a["hosts"] = hosts
		case "probe":
			series := []any{}
			for _, h := range r.Hosts {
				points := [][2]float64{}
				for at := r.From; !at.After(r.To); at = at.Add(time.Minute) {
					points = append(points, [2]float64{float64(at.Unix()), 1})
				}
				series = append(series, map[string]any{"host": h, "signal": "up", "points": points})
			}
			a["series"] = series
		}
		data, err := json.Marshal(a)
		if err != nil {
			return
		}
		answers.Write(append(data, '\n'))
		if lines.Buffered() == 0 {
			answers.Flush()
		}
	}
}

package reference

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// move carries out apply and rollback. The order is the promise: first the key,
// then whether the step may be done, then the journal, then the answer.
func (p *plugin) move(r request) (object, error) {
	var moves []Move
	if err := json.Unmarshal(r.Packages, &moves); err != nil || len(moves) == 0 || r.Key == "" {
		return nil, &problem{"invalid", r.Op + " needs a key and packages with name, from and to", false}
	}
	var result object
	err := p.journal.locked(func() error {
		if e, ok := p.journal.answered(r.Op, r.Key); ok && !p.forget {
			result = p.journal.answer(e)
			return nil
		}
		if err := p.journal.may(r, moves); err != nil {
			return err
		}
		e := Entry{Event: "moved", Op: r.Op, Job: fmt.Sprintf("j-%d", len(p.journal.entries)+1), Key: r.Key,
			Host: r.Host, Packages: moves, At: r.Now, Due: r.Now.Add(p.journal.accept)}
		if p.bad.hits("fail", r.Host) {
			e.Event, e.Due = "failed", r.Now
		}
		if r.DryRun {
			result = object{"job": "dry-run", "state": "succeeded", "detail": "nothing was moved"}
			return nil
		}
		result = p.journal.answer(e)
		return p.journal.write(e)
	})
	return result, err
}

// answer is the first answer to a step: accepted where the job takes time.
func (j *journal) answer(e Entry) object {
	state := j.state(e, e.At)
	if state == "running" || state == "canceled" && e.Due.After(e.At) {
		state = "accepted"
	}
	return object{"job": e.Job, "state": state}
}

// may says why a step cannot be taken now.
func (j *journal) may(r request, moves []Move) error {
	switch {
	case !contains(j.hosts, r.Host) || j.bad.hits("unreachable", r.Host):
		return &problem{"unreachable", fmt.Sprintf("host %q does not answer", r.Host), true}
	case j.bad.hits("refuse", r.Host):
		return &problem{"refused", fmt.Sprintf("host %q takes no changes", r.Host), false}
	case !r.NotAfter.IsZero() && r.Now.After(r.NotAfter) && !j.bad.hits("late", r.Host):
		return &problem{"refused", "it is past not_after", false}
	case j.busy(r.Host, r.Now):
		return &problem{"busy", fmt.Sprintf("a job is under way on host %q", r.Host), true}
	}
	for _, m := range moves {
		if found := j.version(r.Host, m.Name, r.Now); found != m.From {
			return &problem{"refused", fmt.Sprintf("found %s at %q, not at %q", m.Name, found, m.From), false}
		}
	}
	return nil
}

func (j *journal) busy(host string, now time.Time) bool {
	for _, e := range j.entries {
		if e.Event == "moved" && e.Host == host && e.Due.After(now) && !j.canceled(e.Job) {
			return true
		}
	}
	return false
}

func (j *journal) status(r request) (object, error) {
	jobs := []object{}
	err := j.locked(func() error {
		for _, id := range r.Jobs {
			jobs = append(jobs, j.job(id, r.Now))
		}
		return nil
	})
	return object{"jobs": jobs}, err
}

func (j *journal) job(id string, now time.Time) object {
	for _, e := range j.entries {
		if e.Job != id || e.Op == "cancel" {
			continue
		}
		job := object{"job": id, "state": j.state(e, now), "started": e.At, "rebooted": false}
		if job["state"] == "running" {
			return job
		}
		job["finished"] = e.Due
		packages := []object{}
		for _, m := range e.Packages {
			packages = append(packages, object{"name": m.Name, "version": j.version(e.Host, m.Name, e.Due)})
		}
		job["packages"] = packages
		return job
	}
	return object{"job": id, "state": "unknown"}
}

func (j *journal) cancel(r request) (object, error) {
	jobs := []object{}
	err := j.locked(func() error {
		for _, id := range r.Jobs {
			if j.job(id, r.Now)["state"] == "running" {
				if err := j.write(Entry{Event: "canceled", Op: "cancel", Job: id, At: r.Now, Due: r.Now}); err != nil {
					return err
				}
			}
			jobs = append(jobs, j.job(id, r.Now))
		}
		return nil
	})
	return object{"jobs": jobs}, err
}

func (j *journal) installed(r request) (object, error) {
	var names []string
	if err := json.Unmarshal(r.Packages, &names); err != nil {
		return nil, &problem{"invalid", "installed needs packages, a list of names", false}
	}
	hosts := []object{}
	err := j.locked(func() error {
		for _, host := range r.Hosts {
			if !contains(j.hosts, host) || j.bad.hits("unreachable", host) {
				continue
			}
			packages := []object{}
			for _, name := range names {
				packages = append(packages, object{"name": name, "version": j.version(host, name, r.Now)})
			}
			hosts = append(hosts, object{"host": host, "packages": packages})
		}
		return nil
	})
	return object{"hosts": hosts}, err
}

// probe makes up a quiet host: a point a minute, the same for the same minute.
// A sick host's error ratio is 0.4 from an apply on until its rollback.
func (j *journal) probe(r request) (object, error) {
	series := []object{}
	err := j.locked(func() error {
		for _, host := range r.Hosts {
			if !contains(j.hosts, host) || j.bad.hits("unreachable", host) {
				continue
			}
			for _, signal := range r.Signals {
				if points := j.points(host, signal, r.From, r.To, r.Now); len(points) > 0 {
					series = append(series, object{"host": host, "signal": signal, "points": points})
				}
			}
		}
		return nil
	})
	return object{"series": series}, err
}

func (j *journal) points(host, signal string, from, to, now time.Time) [][2]float64 {
	points := [][2]float64{}
	if to.After(now) {
		to = now
	}
	for at := from.Add(59 * time.Second).Truncate(time.Minute); !at.After(to); at = at.Add(time.Minute) {
		wobble := float64((at.Unix()/60*7919+int64(len(host)))%11) / 10
		v := map[string]float64{"up": 1, "error_ratio": 0.002 + 0.002*wobble,
			"latency_seconds": 0.08 + 0.01*wobble, "load_ratio": 0.3 + 0.02*wobble}[signal]
		if signal == "error_ratio" && j.bad.hits("sick", host) && j.changed(host, at) {
			v = 0.4 + 0.02*wobble
		}
		points = append(points, [2]float64{float64(at.Unix()), math.Round(v*1e6) / 1e6})
	}
	return points
}

// changed says whether the host's last finished move by then was an apply.
func (j *journal) changed(host string, at time.Time) bool {
	changed := false
	for _, e := range j.entries {
		if e.Event == "moved" && e.Host == host && !e.Due.After(at) && !j.canceled(e.Job) {
			changed = e.Op == "apply"
		}
	}
	return changed
}

package schedule

// turns is how the hosts of a fleet that restart take turns.
type turns struct {
	hosts, lanes     int
	atOnce           int   // that may be restarting
	restart, install int64 // the longest restart, the shortest install
}

// readTurns finds them, by fleet.
func (p *planner) readTurns() map[string]turns {
	all := map[string]turns{}
	for i := range p.in.Hosts {
		h := &p.in.Hosts[i]
		if h.Restart <= 0 {
			continue
		}
		t, install := all[h.Fleet], max(1, seconds(h.Install))
		if t.hosts == 0 {
			t = turns{lanes: max(1, h.Lanes), atOnce: max(1, h.Turns), install: install}
		}
		t.hosts++
		t.lanes, t.atOnce = min(t.lanes, max(1, h.Lanes)), min(t.atOnce, max(1, h.Turns))
		t.restart, t.install = max(t.restart, seconds(h.Restart)), min(t.install, install)
		all[h.Fleet] = t
	}
	return all
}

// together is how many of them may be on their way at a time: as many as can restart, turn
// by turn, in what is planned for an install.
func (t turns) together() int {
	if t.hosts == 0 {
		return 0
	}
	return min(t.atOnce*int(1+t.install/t.restart), t.lanes, t.hosts)
}

// wait is how long the turns before a host's own may take.
func (t turns) wait() int64 { return int64((t.together()-1)/t.atOnce) * t.restart }

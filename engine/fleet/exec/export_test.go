package exec

import "time"

// SetTimeout changes how long later requests may take, so that a test of one
// that is never answered does not hurry those that are.
func (f *Fleet) SetTimeout(d time.Duration) {
	f.session.mu.Lock()
	defer f.session.mu.Unlock()
	f.session.timeout = d
}

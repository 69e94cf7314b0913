package reference

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// misdeeds are what -misbehave takes. The first six name a host or "*", the
// others the number of the request (hello is 1) that they strike, lose the
// number of the apply, and delay a duration.
//
//	fail=HOST         its jobs fail
//	unreachable=HOST  it does not answer
//	refuse=HOST       it takes no changes
//	late=HOST         it is changed past not_after
//	sick=HOST         its error ratio rises after an apply, until a rollback
//	die=N             the plugin ends before it handles request N
//	lose=N            it carries out apply N, then ends without answering
//	mute=N            it never answers request N
//	deaf=N            it reads nothing more from request N on
//	garbage=N         it writes something that is no reply instead
//	twice=N           it answers twice
//	stranger=N        it answers a request that nobody made
//	long=N            it writes a line of 17 MB instead
//	cut=N             it ends in the middle of its reply
//	swap=N            it keeps the reply to N until N+1 is answered
//	delay=DURATION    it takes that long over each request, in real time
var misdeeds = []string{"fail", "unreachable", "refuse", "late", "sick", "die", "lose", "mute", "deaf", "garbage", "twice",
	"stranger", "long", "cut", "swap", "delay"}

// misbehaviour is misdeeds with their values.
type misbehaviour map[string][]string

func (b *misbehaviour) add(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok || !contains(misdeeds, name) {
		return fmt.Errorf("%q is not a misdeed; expected one of %q with a value", text, misdeeds)
	}
	if *b == nil {
		*b = misbehaviour{}
	}
	(*b)[name] = append((*b)[name], value)
	return nil
}

func (b misbehaviour) hits(name, value string) bool {
	for _, v := range b[name] {
		if v == value || v == "*" {
			return true
		}
	}
	return false
}

// before does what goes wrong before a request is handled, and says whether it
// is done with.
func (p *plugin) before(r request) (stop bool, err error) {
	n := strconv.Itoa(p.seen)
	for _, text := range p.bad["delay"] {
		d, err := time.ParseDuration(text)
		if err != nil {
			return true, err
		}
		time.Sleep(d)
	}
	switch {
	case p.bad.hits("die", n):
		fmt.Fprintln(p.log, "plugin: dying as asked")
		p.exit = 3
		return true, errEnd
	case p.bad.hits("mute", n):
		return true, nil
	case p.bad.hits("deaf", n):
		for {
			time.Sleep(time.Hour)
		}
	case p.bad.hits("garbage", n):
		return true, p.out.write([]byte("Traceback (most recent call last):\n"))
	case p.bad.hits("long", n):
		return true, p.out.write(append(make([]byte, 17<<20), '\n'))
	}
	return false, nil
}

// send writes a reply, or does what goes wrong instead.
func (p *plugin) send(r request, line []byte) error {
	n := strconv.Itoa(p.seen)
	switch {
	case r.Op == "apply" && p.bad.hits("lose", strconv.Itoa(p.applies)):
		fmt.Fprintln(p.log, "plugin: dying before the answer")
		p.exit = 4
		return errEnd
	case p.bad.hits("cut", n):
		if err := p.out.write(line[:len(line)/2]); err != nil {
			return err
		}
		p.exit = 5
		return errEnd
	case p.bad.hits("stranger", n):
		line = append([]byte(`{"id":9999,"ok":true}`+"\n"), line...)
	case p.bad.hits("twice", n):
		line = append(line, line...)
	case p.bad.hits("swap", n):
		p.held = append(p.held, line...)
		return nil
	}
	if err := p.out.write(line); err != nil {
		return err
	}
	return p.flush()
}

// flush writes the replies that were kept back.
func (p *plugin) flush() error {
	held := p.held
	p.held = nil
	if len(held) == 0 {
		return nil
	}
	return p.out.write(held)
}

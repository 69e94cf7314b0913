package exec

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
)

// maxLine is the longest line read from a plugin.
const maxLine = 16 << 20

// session is one conversation with one process.
//
// A call holds one of the max_batch slots until its reply is here, even when
// nobody waits for it any more: only the reply says that the plugin is free
// again. Calls past their timeout are overdue; when every slot is held by one,
// nothing can be asked any more and the session breaks.
type session struct {
	process *process
	timeout time.Duration
	out     chan []byte   // requests on their way to the writer; never full
	dead    chan struct{} // closed once the session is broken or closed
	ended   chan struct{} // closed once the process is gone and all are told

	mu      sync.Mutex
	slots   chan struct{}
	next    int64
	pending map[int64]*call
	overdue int
	err     error // why the session is dead
}

// call is one request that was sent.
type call struct {
	op      string
	answer  chan answer // holds one; the first to come
	timer   *time.Timer
	overdue bool
}

type answer struct {
	reply *reply
	err   error
}

func start(o Options) (*session, error) {
	p, err := launch(o)
	if err != nil {
		return nil, err
	}
	s := &session{process: p, timeout: o.Timeout, out: make(chan []byte, maxBatch+1), slots: make(chan struct{}, 1),
		dead: make(chan struct{}), ended: make(chan struct{}), pending: map[int64]*call{}}
	go s.write()
	go s.read()
	return s, nil
}

// widen lets n requests be unanswered at once. It is called when none is.
func (s *session) widen(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slots = make(chan struct{}, n)
}

// ask sends a request and waits for its reply, the timeout, the end of ctx or
// of the session, whichever comes first.
func (s *session) ask(ctx context.Context, r request) (*reply, error) {
	if err := s.acquire(ctx, r.Op); err != nil {
		return nil, err
	}
	c, err := s.send(r)
	if err != nil {
		return nil, err
	}
	select {
	case a := <-c.answer:
		if a.err != nil {
			return nil, a.err
		}
		if err := a.reply.failure(); err != nil {
			return nil, err
		}
		return a.reply, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for the answer to %s: %w", r.Op, context.Cause(ctx))
	}
}

// acquire waits for a slot. Slots come free by replies or not at all, and then
// the session breaks, so this ends.
func (s *session) acquire(ctx context.Context, op string) error {
	s.mu.Lock()
	slots := s.slots
	s.mu.Unlock()
	select {
	case <-s.dead:
		return s.cause()
	default:
	}
	select {
	case slots <- struct{}{}:
		return nil
	case <-s.dead:
		return s.cause()
	case <-ctx.Done():
		return fmt.Errorf("waiting to ask for %s: %w", op, context.Cause(ctx))
	}
}

func (s *session) send(r request) (*call, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	s.next++
	r.ID = s.next
	line, err := r.line()
	if err != nil {
		<-s.slots
		return nil, err
	}
	c := &call{op: r.Op, answer: make(chan answer, 1)}
	c.timer = time.AfterFunc(s.timeout, func() { s.late(r.ID) })
	s.pending[r.ID] = c
	s.out <- line
	return c, nil
}

// late gives up on a call whose timeout has passed.
func (s *session) late(id int64) {
	s.mu.Lock()
	c, ok := s.pending[id]
	if !ok || s.err != nil {
		s.mu.Unlock()
		return
	}
	c.overdue = true
	s.overdue++
	c.answer <- answer{err: &fleet.Error{Code: "internal", Retryable: true,
		Message: fmt.Sprintf("the plugin gave no answer to %s within %s; whether it did it is unknown", c.op, s.timeout)}}
	stuck, timeout := s.overdue == cap(s.slots), s.timeout
	s.mu.Unlock()
	if stuck {
		s.break_(broken("the plugin left %d of %d requests unanswered for %s; it was ended", cap(s.slots), cap(s.slots), timeout))
	}
}

// settle hands a reply to its call, and says what is wrong when there is none.
func (s *session) settle(r *reply) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.pending[*r.ID]
	switch {
	case ok:
	case *r.ID > 0 && *r.ID <= s.next:
		return fmt.Errorf("answered request %d twice", *r.ID)
	default:
		return fmt.Errorf("answered request %d, which was never asked", *r.ID)
	}
	delete(s.pending, *r.ID)
	c.timer.Stop()
	<-s.slots
	if c.overdue {
		s.overdue--
		return nil
	}
	c.answer <- answer{reply: r}
	return nil
}

// break_ ends the session for a reason, which every call unanswered gets, and
// every later one. The process is killed. Only the first reason counts.
func (s *session) break_(why error) {
	if s.fail(why) {
		s.process.kill()
	}
}

func (s *session) fail(why error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return false
	}
	message := why.Error()
	if e := (*fleet.Error)(nil); errors.As(why, &e) {
		message = e.Message
	}
	s.err = &fleet.Error{Code: "internal", Message: message, Retryable: true}
	for _, c := range s.pending {
		c.timer.Stop()
		if !c.overdue {
			c.answer <- answer{err: s.err}
		}
	}
	clear(s.pending)
	close(s.dead)
	return true
}

func (s *session) cause() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// write sends requests until the session is dead, then closes the plugin's
// input. A plugin that does not read blocks only this goroutine; closing the
// pipe frees it.
func (s *session) write() {
	for {
		select {
		case line := <-s.out:
			if _, err := s.process.stdin.Write(line); err != nil {
				// The reader learns why: the plugin is gone, or closed its input.
				if !errors.Is(err, os.ErrClosed) {
					s.process.leave()
				}
				return
			}
		case <-s.dead:
			s.process.stdin.Close()
			return
		}
	}
}

// read takes replies until the plugin's output ends or stops making sense, and
// then sees the process off.
func (s *session) read() {
	defer close(s.ended)
	err := s.replies()
	if !errors.Is(err, io.EOF) && !errors.Is(err, os.ErrDeadlineExceeded) {
		s.break_(fmt.Errorf("the plugin broke the protocol: %w; it was ended", err))
		s.process.wait()
		return
	}
	s.process.leave()
	state := s.process.wait()
	s.mu.Lock()
	open := len(s.pending)
	s.mu.Unlock()
	s.fail(fmt.Errorf("the plugin ended (%s) with %d requests unanswered%s", state, open, s.process.lastWords()))
}

func (s *session) replies() error {
	lines := newLines(s.process.stdout, maxLine)
	for {
		line, err := lines.next()
		if err != nil {
			return err
		}
		r := new(reply)
		if err := json.Unmarshal(line, r); err != nil {
			return fmt.Errorf("%q is not a reply: %v", clip(string(line[:min(len(line), 200)])), err)
		}
		if r.ID == nil || r.OK == nil {
			return fmt.Errorf("%q has no id or no ok", clip(string(line[:min(len(line), 200)])))
		}
		if err := s.settle(r); err != nil {
			return err
		}
	}
}

// close ends the conversation and the process.
func (s *session) close() error {
	s.fail(errors.New("the fleet is closed"))
	s.process.stdin.Close()
	s.process.leave()
	<-s.ended
	return nil
}

package exec

import (
	"errors"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// process is the plugin's process with its three pipes.
type process struct {
	cmd    *osexec.Cmd
	stdin  *os.File
	stdout *os.File
	stderr *os.File
	grace  time.Duration

	gone    chan struct{} // closed once the process has ended
	state   string        // how, valid once it has
	leaving sync.Once
	heard   chan struct{} // closed once standard error has been read

	mu   sync.Mutex
	last string // last line of standard error
}

// drain is how long output may still come after the process has ended: what it
// wrote is in the pipe already, but a child that it left behind may hold the
// pipe open for ever.
const drain = time.Second

func launch(o Options) (*process, error) {
	name, err := program(o)
	if err != nil {
		return nil, err
	}
	env, err := Environment(o.Env, o.LookupEnv)
	if err != nil {
		return nil, err
	}
	p := &process{grace: o.Grace, gone: make(chan struct{}), heard: make(chan struct{})}
	p.cmd = osexec.Command(name, o.Command[1:]...)
	p.cmd.Dir, p.cmd.Env = o.Dir, env
	separate(p.cmd)
	theirs, err := p.pipes()
	if err != nil {
		return nil, fmt.Errorf("starting the plugin %q: %w", o.Command[0], err)
	}
	err = p.cmd.Start()
	for _, f := range theirs {
		f.Close()
	}
	if err != nil {
		p.stdin.Close()
		p.stdout.Close()
		p.stderr.Close()
		return nil, fmt.Errorf("starting the plugin %q: %w", o.Command[0], err)
	}
	go p.reap()
	go p.listen(o.Log)
	return p, nil
}

// program resolves the command against the estate's folder.
func program(o Options) (string, error) {
	if len(o.Command) == 0 || o.Command[0] == "" {
		return "", errors.New("the fleet names no command")
	}
	name := o.Command[0]
	if filepath.IsAbs(name) || !strings.ContainsRune(name, '/') && !strings.ContainsRune(name, filepath.Separator) {
		return name, nil
	}
	full, err := filepath.Abs(filepath.Join(o.Dir, name))
	if err != nil {
		return "", fmt.Errorf("starting the plugin %q: %w", name, err)
	}
	return full, nil
}

// pipes makes the three pipes and returns the plugin's ends, which are closed
// here once it has started.
func (p *process) pipes() ([]*os.File, error) {
	in, stdin, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	stdout, out, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, in.Close(), stdin.Close())
	}
	stderr, log, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, in.Close(), stdin.Close(), stdout.Close(), out.Close())
	}
	p.stdin, p.stdout, p.stderr = stdin, stdout, stderr
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = in, out, log
	return []*os.File{in, out, log}, nil
}

// reap waits for the process itself, not for its pipes: work that it left
// running in the background may keep them.
func (p *process) reap() {
	state, err := p.cmd.Process.Wait()
	if p.state = state.String(); err != nil {
		p.state = err.Error()
	}
	until := time.Now().Add(drain)
	p.stdout.SetReadDeadline(until)
	p.stderr.SetReadDeadline(until)
	close(p.gone)
}

// leave gives the process its grace to end, once; then its group is killed.
func (p *process) leave() {
	p.leaving.Do(func() {
		go func() {
			timer := time.NewTimer(p.grace)
			defer timer.Stop()
			select {
			case <-p.gone:
			case <-timer.C:
				p.kill()
			}
		}()
	})
}

// kill ends the process and what it started in its group.
func (p *process) kill() {
	select {
	case <-p.gone:
	default:
		slay(p.cmd)
	}
}

// wait returns how the process ended, once it has and its log is read.
func (p *process) wait() string {
	<-p.gone
	<-p.heard
	p.stdin.Close()
	p.stdout.Close()
	p.stderr.Close()
	return p.state
}

// listen hands on standard error line by line. A line too long is cut, and what
// is left of it is the next one.
func (p *process) listen(log func(string)) {
	defer close(p.heard)
	buf := make([]byte, 0, 32<<10)
	for {
		n, err := p.stderr.Read(buf[len(buf):cap(buf)])
		buf = p.say(buf[:len(buf)+n], err != nil, log)
		if err != nil {
			return
		}
	}
}

// say logs the whole lines of buf, at the end or when it is full the rest too,
// and returns what is left.
func (p *process) say(buf []byte, end bool, log func(string)) []byte {
	text := string(buf)
	for {
		line, rest, ok := strings.Cut(text, "\n")
		if !ok && !end && len(text) < cap(buf) || !ok && text == "" {
			return append(buf[:0], text...)
		}
		if line = strings.TrimRight(clip(line), "\r \t"); line != "" {
			p.mu.Lock()
			p.last = line
			p.mu.Unlock()
			if log != nil {
				log(line)
			}
		}
		if !ok {
			return buf[:0]
		}
		text = rest
	}
}

// lastWords is the end of the plugin's log, for the message about its end.
func (p *process) lastWords() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last == "" {
		return ""
	}
	return fmt.Sprintf("; its last words: %q", p.last)
}

package sshconfig

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// defaultTimeout is how long ssh may take to answer. It takes some milliseconds, unless Match exec or a resolver does more.
const defaultTimeout = 10 * time.Second

// Question is where somebody wants to get, in the words that he would give to ssh.
type Question struct {
	Name string // an IP address, a DNS name or an alias
	User string // "" where the configuration is to say
	Port int    // 0 where the configuration is to say
	Jump string // as -J takes it, "none" included; "" where the configuration is to say
}

// String is [user@]name[:port].
func (q Question) String() string {
	text := q.Name
	if q.Port != 0 {
		text = net.JoinHostPort(q.Name, strconv.Itoa(q.Port))
	}
	if q.User != "" {
		text = q.User + "@" + text
	}
	return text
}

// Options tune a Resolver. The zero value is ready for use.
type Options struct {
	// Log gets one debug record per question that ssh was asked; nil discards them.
	Log *slog.Logger
	// Program is ssh's path; empty means the ssh of $PATH, if there is one.
	Program string
	// Config is the file to read in place of ~/.ssh/config and /etc/ssh/ssh_config, as ssh's -F; empty means these.
	Config string
	// Timeout bounds each question; default 10 s.
	Timeout time.Duration
}

// Resolver answers the questions of one run. It is safe for concurrent use. Each question is asked once, when it comes: what
// changes in the configuration afterwards is not seen.
type Resolver struct {
	opts    Options
	asking  chan struct{} // holds a token for each ssh that runs
	answers memo[Question, Answer]
	uniform memo[struct{}, bool]
}

// New makes a Resolver, which asks nothing yet.
func New(o Options) *Resolver {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Program == "" {
		o.Program, _ = exec.LookPath("ssh") // that there is none is no error
	}
	o.Timeout = cmp.Or(o.Timeout, defaultTimeout)
	return &Resolver{opts: o, asking: make(chan struct{}, max(8, 2*runtime.GOMAXPROCS(0)))} // each keeps a processor busy, unless Match exec waits
}

// Resolve is ssh's answer. Where there is no ssh, it is the question itself. An error says that ssh would not connect either, or
// did not answer in time.
func (r *Resolver) Resolve(ctx context.Context, q Question) (Answer, error) {
	if r.opts.Program == "" {
		return unasked(q), nil
	}
	if isPlainAddress(q.Name) {
		same, err := r.uniform.get(ctx, struct{}{}, r.saysTheSame)
		if err != nil {
			return Answer{}, err
		}
		if same {
			return r.forAny(ctx, q)
		}
	}
	return r.answers.get(ctx, q, func(ctx context.Context) (Answer, error) { return r.ask(ctx, q) })
}

// unasked is the answer of a machine without ssh.
func unasked(q Question) Answer {
	return Answer{Name: q.Name, Hostname: q.Name, User: q.User, Port: q.Port}
}

// ask asks ssh.
func (r *Resolver) ask(ctx context.Context, q Question) (Answer, error) {
	start := time.Now()
	out, said, err := r.run(ctx, append(r.argv(q), "--", q.Name)...)
	r.opts.Log.Debug("ask ssh", "host", q.String(), "duration", time.Since(start), "error", err)
	var exit *exec.ExitError
	switch {
	case err == nil:
		return r.read(q, out)
	case ctx.Err() != nil:
		return Answer{}, context.Cause(ctx)
	case errors.As(err, &exit) && !r.isOpenSSH(ctx):
		return unasked(q), nil
	}
	return Answer{}, fmt.Errorf("ask ssh for its configuration of %s: %w: see for yourself with: ssh -G %s", q.Name, explained(err, said), q.Name)
}

// argv are the arguments of a question without its name.
func (r *Resolver) argv(q Question) []string {
	argv := []string{"-G"}
	if r.opts.Config != "" {
		argv = append(argv, "-F", r.opts.Config)
	}
	if q.User != "" {
		argv = append(argv, "-l", q.User)
	}
	if q.Port != 0 {
		argv = append(argv, "-p", strconv.Itoa(q.Port))
	}
	if q.Jump != "" {
		argv = append(argv, "-J", q.Jump)
	}
	return argv
}

// isOpenSSH tells OpenSSH, which has -G, from other programs of its name. Who cannot be asked is taken for it.
func (r *Resolver) isOpenSSH(ctx context.Context) bool {
	_, said, err := r.run(ctx, "-V")
	return err != nil && !errors.As(err, new(*exec.ExitError)) || strings.Contains(said, "OpenSSH")
}

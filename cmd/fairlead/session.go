package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"time"

	"fairlead/inventory"
	"fairlead/provision"
	"fairlead/provision/desired"
	"fairlead/provision/manifests"

	"github.com/urfave/cli/v2"
)

// errIncomplete says that a command ended well but what it found does not let up run.
var errIncomplete = errors.New("there are problems that up does not get past")

// invocation is one command at work on the hosts of a cluster.
type invocation struct {
	*program
	settings
	command string // as the user would type it
	cluster *inventory.Cluster
	session *provision.Session
	log     *debugLog
	view    *view
	stdout  io.Writer // for results

	following following // what to type next
}

// errChanges says that a plan is not empty.
var errChanges = errors.New("there are changes")

// needs is what a command needs of its session.
type needs struct {
	// withoutBundle lets a command work when the bundle is gone.
	withoutBundle bool
	// withoutRoot says that the command becomes root nowhere.
	withoutRoot bool
	// results says that the command prints findings and steps itself.
	results bool
	// document says that standard output gets a document, no events.
	document bool
	// leaving are hosts that are to be removed.
	leaving []string
	// another says that another program does the work, and has the terminal.
	another bool
}

// withSession loads the inventory, starts a session with its debug log and its view, and
// has do work with it. Then it says how that ended.
func (p *program) withSession(c *cli.Context, n needs, do func(context.Context, *invocation) error) error {
	s := p.settings(c)
	cluster, err := p.load(s.file)
	if err != nil {
		return err
	}
	log, err := openLog(c.Command.Name, time.Now())
	if err != nil {
		_, _ = fmt.Fprintf(p.stderr, "warning: debug log: %v\n", err)
	}
	r := &invocation{program: p, settings: s, command: c.Command.HelpName, cluster: cluster, log: log, following: followings()[c.Command.Name]}
	log.Info("begin", "command", c.Command.Name, "file", s.file, "cluster", cluster.Name, "build", readBuild())
	ctx, over := limited(c.Context, s.timeout)
	defer over()
	err = r.work(ctx, n, do)
	log.Info("end", "error", err)
	return errors.Join(r.conclude(ctx, err), log.Close())
}

// work opens the session and the view around do.
func (r *invocation) work(ctx context.Context, n needs, do func(context.Context, *invocation) error) error {
	shown := r.settings
	shown.json = shown.json && !n.document
	r.view = newView(r.newRenderer(shown, r.cluster.Hosts()), r.log.Logger, n.results && !shown.json)
	r.stdout = resultWriter{r.view, r.program.stdout}
	over := r.sayStopping(ctx, n)
	session, err := provision.Open(ctx, r.cluster, provision.Options{
		Log: r.log.Logger, Events: r.view.event, WithoutBundle: n.withoutBundle, WithoutRoot: n.withoutRoot,
		Concurrency: r.concurrency, Sources: r.sources(n), Holder: holder(), Wait: r.wait, Passphrase: r.passphrases(), Dial: r.dial, Leaving: n.leaving,
	})
	if err == nil {
		r.session = session
		err = do(ctx, r)
		if closing := session.Close(); closing != nil {
			r.log.Warn("close connections", "error", closing)
		}
	}
	over()
	if over := outOfTime(ctx); over != nil && err != nil && !errors.Is(err, over) {
		err = errors.Join(err, over)
	}
	var usage *usageError
	if shown.json && errors.As(err, &usage) {
		for _, problem := range problemEvents(err) {
			r.view.event(problem)
		}
	}
	r.told = shown.json
	return errors.Join(err, r.view.close(err))
}

// sayStopping says that the run stops as soon as it does. What it returns ends that, once it was said: why a run stops stands before
// how it ended.
func (r *invocation) sayStopping(ctx context.Context, n needs) (over func()) {
	said := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(said)
		if !n.another { // that is interrupted by itself
			r.view.note(stopping(ctx))
		}
	})
	return func() {
		if !stop() {
			<-said
		}
	}
}

// sources are where what the inventory names is read from.
func (r *invocation) sources(n needs) desired.Sources {
	sources := desired.Sources{
		AskPassword: r.askPassword, Env: r.env, WithoutPasswords: n.document, Manifests: manifests.Source{Client: &http.Client{}},
	}
	if cache, err := os.UserCacheDir(); err == nil { // without one manifests are fetched each time
		sources.Manifests.CacheDir = filepath.Join(cache, "fairlead", "manifests")
	}
	return sources
}

// conclude shows the failures of a run and chooses its exit code.
func (r *invocation) conclude(ctx context.Context, err error) error {
	var usage *usageError
	switch {
	case err == nil && ctx.Err() == nil:
		r.sayNext(nil)
		return nil
	case errors.As(err, &usage):
		return err
	case errors.Is(err, errChanges):
		r.sayNext(err)
		return exitError(exitChanges)
	}
	all, code := r.toTell(ctx, err)
	writeFailures(r.stderr, all, paletteFor(r.settings, r.stderr), r.cluster)
	if code != exitDone {
		return code
	}
	if ctx.Err() != nil {
		done, _ := r.view.tally()
		_, _ = fmt.Fprintf(r.stderr, "stopped after %s; run the same command again to go on\n", count(done, "step"))
	}
	if r.log.path != "" {
		_, _ = fmt.Fprintln(r.stderr, "  log: "+r.log.path)
	}
	switch {
	case ctx.Err() != nil:
	case slices.ContainsFunc(all, failure.unknownKey):
		r.next(r.settings, "", "trust")
	default:
		r.sayNext(err)
	}
	return exitError(exitFailed)
}

// toTell are the failures that people have not been told of yet. code is that of another program, which has said itself what was
// wrong, else 0.
func (r *invocation) toTell(ctx context.Context, err error) (all []failure, code exitError) {
	all = withoutCancelled(failures(err, r.cluster.Hosts()))
	logOutputs(r.log.Logger, all)
	all = slices.DeleteFunc(all, func(f failure) bool { return errors.Is(f.err, errIncomplete) || errors.As(f.err, &code) })
	if over := outOfTime(ctx); over != nil {
		all = append(all, failure{err: over})
	}
	return all, code
}

func hostNames(cluster *inventory.Cluster) []string { return namesOf(cluster.Hosts()) }

func namesOf(hosts []inventory.Host) []string {
	var names []string
	for _, host := range hosts {
		names = append(names, host.Name)
	}
	return names
}

// holder is who runs this, for others who want to change the cluster at the same time.
func holder() string {
	name, machine := "somebody", "somewhere"
	if is, err := user.Current(); err == nil && is.Username != "" {
		name = is.Username
	}
	if is, err := os.Hostname(); err == nil {
		machine = is
	}
	return name + "@" + machine
}

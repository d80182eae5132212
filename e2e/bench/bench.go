package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"fairlead/e2e/lab"
)

// Options say what is measured and on which hosts.
type Options struct {
	Fairlead string      // path of the binary
	Bundle   string      // path of the bundle
	Flannel  string      // path of the manifest of the pod network, for the script
	Lab      lab.Options // the lab of the hosts: all its hosts are removed, before and after
	Keep     bool        // leave the hosts of the last measurement
	Log      io.Writer   // output of all programs and progress
}

// run is one run of all measurements.
type run struct {
	Options
	dir string // folder of the files made for the programs
	lab *lab.Lab
}

// Run takes all measurements. Its error says that one of them could not be taken, because
// a cluster did not come up or the lab failed; the lab is removed on every path.
func Run(ctx context.Context, o Options) (report Report, err error) {
	o.Lab.Log = o.Log
	r := &run{Options: o}
	if r.dir, err = os.MkdirTemp("", "fairlead-bench-"); err != nil {
		return Report{}, fmt.Errorf("make folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(r.dir)) }()
	if !o.Keep {
		defer func() { err = errors.Join(err, lab.Down(context.WithoutCancel(ctx), o.Lab)) }()
	}
	if report.BundleBytes, err = warm(o.Bundle); err != nil {
		return Report{}, fmt.Errorf("read bundle: %w", err)
	}
	for _, measure := range []func(context.Context, *Report) error{
		r.measureUp, r.measureBare, r.measurePrepared, r.measureScript,
	} {
		if err := measure(ctx, &report); err != nil {
			return Report{}, err
		}
	}
	return report, nil
}

// warm reads the file once and returns its size in bytes. It must not take much memory: a
// program's peak starts with that of the program that starts it.
func warm(name string) (size int64, err error) {
	file, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return io.Copy(io.Discard, file)
}

// measureUp takes fairlead up on new hosts, and its memory.
func (r *run) measureUp(ctx context.Context, report *Report) error {
	if err := r.renewHosts(ctx); err != nil {
		return err
	}
	spent, peak, err := r.fairlead(ctx)
	if err != nil {
		return fmt.Errorf("measure up on clean hosts: %w", err)
	}
	report.Up, report.PeakBytes = spent, peak
	return r.checkReady(ctx)
}

// measureBare takes kubeadm alone on the hosts of the measurement before, run around SSH.
func (r *run) measureBare(ctx context.Context, report *Report) error {
	if err := r.leaveCluster(ctx); err != nil {
		return err
	}
	config, err := r.kubeadmConfig()
	if err != nil {
		return err
	}
	if err := r.write(ctx, "/root/kubeadm.yaml", config); err != nil {
		return err
	}
	if report.Init, err = r.timed(ctx, controlPlane, "kubeadm", "init", "--config", "/root/kubeadm.yaml"); err != nil {
		return fmt.Errorf("measure kubeadm init: %w", err)
	}
	join, err := r.joinCommand(ctx)
	if err != nil {
		return err
	}
	for _, worker := range workers() {
		spent, err := r.timed(ctx, worker, join...)
		if err != nil {
			return fmt.Errorf("measure kubeadm join: %w", err)
		}
		report.Joins = append(report.Joins, spent)
	}
	return r.checkNodes(ctx)
}

// measurePrepared takes fairlead up on the hosts of the measurement before.
func (r *run) measurePrepared(ctx context.Context, report *Report) error {
	if err := r.leaveCluster(ctx); err != nil {
		return err
	}
	var err error
	if report.PreparedSteps, err = r.plannedSteps(ctx); err != nil {
		return fmt.Errorf("count steps on prepared hosts: %w", err)
	}
	if report.UpPrepared, report.PreparedPeakBytes, err = r.fairlead(ctx); err != nil {
		return fmt.Errorf("measure up on prepared hosts: %w", err)
	}
	return r.checkReady(ctx)
}

// measureScript takes the plain script on new hosts.
func (r *run) measureScript(ctx context.Context, report *Report) error {
	if err := r.renewHosts(ctx); err != nil {
		return err
	}
	config, err := r.kubeadmConfig()
	if err != nil {
		return err
	}
	kubeadm, script := filepath.Join(r.dir, "kubeadm.yaml"), filepath.Join(r.dir, "plain.sh")
	err = errors.Join(os.WriteFile(kubeadm, []byte(config), 0o600), os.WriteFile(script, []byte(plainScript), 0o700))
	if err != nil {
		return fmt.Errorf("write script: %w", err)
	}
	argv := []string{script}
	for _, name := range append([]string{controlPlane}, workers()...) {
		host, err := r.lab.Host(name)
		if err != nil {
			return err
		}
		argv = append(argv, host.Address.String())
	}
	report.Script, _, err = r.program(ctx, r.Log, argv,
		"BUNDLE="+r.Bundle, "FLANNEL="+r.Flannel, "KUBEADM="+kubeadm,
		"KEY="+r.lab.IdentityFile(), "KNOWN_HOSTS="+r.lab.KnownHosts(), "LOGIN="+lab.User)
	if err != nil {
		return fmt.Errorf("measure script: %w", err)
	}
	return r.checkReady(ctx)
}

// timed runs a command as root in the host and returns how long it took.
func (r *run) timed(ctx context.Context, host string, argv ...string) (time.Duration, error) {
	start := time.Now()
	out, err := r.lab.Exec(ctx, host, argv...)
	spent := time.Since(start)
	_, writeErr := fmt.Fprintf(r.Log, "%s\n%s: %s took %.1f s\n", out, host, argv[:2], spent.Seconds())
	return spent, errors.Join(err, writeErr)
}

package bench

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"fairlead/e2e/child"
	"fairlead/e2e/fleet"
)

// FleetOptions say what is measured on a fleet of stand-ins.
type FleetOptions struct {
	Fairlead string       // path of the binary
	Fleet    string       // path of the program that serves the fleet and asks it with bare SSH
	Name     string       // of the network namespace
	Subnet   netip.Prefix // of the hosts: 16 bits that nothing else on this machine uses
	Log      io.Writer    // progress, and what a program said that failed
}

// fleetSizes are how many hosts are asked.
func fleetSizes() []int { return []int{10, 100, largeFleet, hugeFleet} }

// fleetRuns is how often each figure is taken, the middle one of which counts.
const fleetRuns = 3

// fleetAtOnce is how many hosts the limit asks at once. It decides little: two thousand
// key exchanges keep all processors busy with any number of them.
const fleetAtOnce = 64

// What is measured on a fleet. The limit is the least that a program can do that asks all hosts
// the same.
const (
	limit = "bare ssh"
	check = "fairlead check"
	plan  = "fairlead plan"
)

// fleetRun is one run of all measurements on a fleet.
type fleetRun struct {
	FleetOptions
	files fleet.Files
}

// Fleet takes all measurements on a fleet. A program that fails is a line of the report; the
// error says that there was no fleet. The network is removed on every path.
func Fleet(ctx context.Context, o FleetOptions) (report FleetReport, err error) {
	dir, err := os.MkdirTemp("", "fairlead-fleet-")
	if err != nil {
		return FleetReport{}, fmt.Errorf("make folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	network := fleet.Network{Name: o.Name, Subnet: o.Subnet}
	if err := network.Up(ctx); err != nil {
		return FleetReport{}, err
	}
	defer func() { err = errors.Join(err, network.Down(context.WithoutCancel(ctx))) }()
	r := &fleetRun{FleetOptions: o, files: fleet.Files(dir)}
	if err := r.files.WriteKeys(); err != nil {
		return FleetReport{}, err
	}
	stop, err := r.serve(ctx, network)
	if err != nil {
		return FleetReport{}, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	for _, n := range fleetSizes() {
		if err := r.files.WriteCluster(fleet.Hosts(network.Hosts(), n)); err != nil {
			return FleetReport{}, err
		}
		rows, err := r.measure(ctx, n)
		if err != nil {
			return FleetReport{}, err
		}
		report.Rows = append(report.Rows, rows...)
	}
	return report, nil
}

// serve starts the hosts and returns when they answer. What it returns ends them.
func (r *fleetRun) serve(ctx context.Context, network fleet.Network) (stop func() error, err error) {
	argv := network.Exec(r.FleetOptions.Fleet, "serve", "-dir", string(r.files))
	cmd := child.Command(ctx, argv[0], argv[1:]...)
	cmd.Stderr = r.Log
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start fleet: %w", err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start fleet: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start fleet: %w", err)
	}
	stop = func() error {
		input.Close()
		if err := cmd.Wait(); err != nil && ctx.Err() == nil {
			return fmt.Errorf("end fleet: %w", err)
		}
		return nil
	}
	if _, err := io.ReadFull(output, make([]byte, len("ready\n"))); err != nil {
		return nil, errors.Join(fmt.Errorf("start fleet: %w", err), stop())
	}
	return stop, nil
}

// measure takes all figures of one size. The programs take turns, so that what else this machine
// does befalls all alike. One that failed is not run again.
func (r *fleetRun) measure(ctx context.Context, n int) ([]FleetRow, error) {
	what := []string{check, plan, limit} // the limit asks what check was seen to ask
	rows, runs := make([]FleetRow, len(what)), make([][]usage, len(what))
	for range fleetRuns {
		for i := range what {
			if rows[i].Failed != "" {
				continue
			}
			took, err := r.once(ctx, what[i], n)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			var exit *exec.ExitError
			if errors.As(err, &exit) {
				err = exit // the row says of which program
			}
			if err != nil {
				rows[i].Failed = err.Error()
			}
			runs[i] = append(runs[i], took)
			_, err = fmt.Fprintf(r.Log, "%d hosts: %s: %.2f s, processor %.2f s, %.0f MiB %s\n",
				n, what[i], took.wall.Seconds(), took.cpu.Seconds(), mib(took.peak), rows[i].Failed)
			if err != nil {
				return nil, err
			}
		}
	}
	for i := range rows {
		rows[i].Hosts, rows[i].What = n, what[i]
		rows[i].Wall = median(runs[i], func(u usage) time.Duration { return u.wall })
		rows[i].CPU = median(runs[i], func(u usage) time.Duration { return u.cpu })
		rows[i].PeakBytes = median(runs[i], func(u usage) int64 { return u.peak })
	}
	return rows, nil
}

// once runs one program and looks whether it has had the answers of all hosts.
func (r *fleetRun) once(ctx context.Context, what string, n int) (usage, error) {
	argv, proof, times := []string{r.Fairlead, "-f", r.files.Cluster(n), "check"}, fmt.Sprintf("%d hosts: no problems", n), 1
	switch what {
	case plan:
		argv[len(argv)-1], proof, times = "plan", " looked at in ", n
	case limit:
		argv = []string{r.FleetOptions.Fleet, "ask", "-dir", string(r.files), "-hosts", strconv.Itoa(n), "-at-once", strconv.Itoa(fleetAtOnce)}
		proof, times = "", 1 // it fails unless all have answered
	}
	var said bytes.Buffer
	cmd := child.Command(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "SSH_AUTH_SOCK=", "XDG_CACHE_HOME="+filepath.Join(string(r.files), "cache"))
	cmd.Stderr = &said
	took, err := measured(cmd)
	if err == nil && strings.Count(said.String(), proof) < times {
		err = fmt.Errorf("it did not say %q %d times", proof, times)
	}
	if err != nil {
		_, _ = fmt.Fprintln(r.Log, lastWords(said.String()))
	}
	return took, err
}

// lastWords are the end of what a program said: of three thousand hosts each may have a complaint.
func lastWords(said string) string {
	lines := strings.Split(strings.TrimSpace(said), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "\n")
}

// median is the middle one of some figures.
func median[T cmp.Ordered](runs []usage, figure func(usage) T) T {
	figures := make([]T, 0, len(runs))
	for _, run := range runs {
		figures = append(figures, figure(run))
	}
	slices.Sort(figures)
	return figures[len(figures)/2]
}

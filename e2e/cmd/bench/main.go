// Command bench prints how long fairlead takes to make a cluster of three lab hosts, beside a
// plain shell script and beside kubeadm alone; and what it costs to look at thousands of hosts,
// beside a program that does nothing but ask them. It fails when a goal is missed. What the
// programs print goes to stderr, the reports to stdout.
//
// The thousands of hosts are addresses of a network namespace, which only root can make.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"fairlead/e2e/bench"
	"fairlead/e2e/bundle"
)

// The parts of the measurement.
const (
	partFleet   = "fleet"
	partCluster = "cluster"
)

// errMissed says that everything was measured and is not as it should be.
var errMissed = errors.New("goals missed")

// options are those of both parts.
type options struct {
	parts   string
	cluster bench.Options
	fleet   bench.FleetOptions
}

func main() {
	o := options{cluster: bench.Options{Log: os.Stderr}, fleet: bench.FleetOptions{Log: os.Stderr, Subnet: netip.MustParsePrefix("198.18.0.0/16")}}
	flag.StringVar(&o.parts, "parts", partFleet+","+partCluster, "what to measure")
	flag.StringVar(&o.cluster.Fairlead, "fairlead", "../bin/fairlead", "the fairlead binary")
	flag.StringVar(&o.cluster.Flannel, "flannel", "../templates/testdata/flannel.yaml", "manifest of the pod network, for the script")
	flag.StringVar(&o.cluster.Bundle, "bundle", "", "the bundle (default: built, or found in the cache)")
	flag.StringVar(&o.cluster.Lab.Name, "name", "fairlead-bench", "name of the lab, all of whose hosts are removed")
	flag.StringVar(&o.cluster.Lab.Subnet, "subnet", "10.89.2.0/24", "IPv4 network of the lab's hosts, 24 bits")
	flag.BoolVar(&o.cluster.Keep, "keep", false, "leave the hosts of the last measurement")
	flag.StringVar(&o.fleet.Fleet, "fleet", "../bin/fleet", "the program of ./cmd/fleet")
	flag.StringVar(&o.fleet.Name, "fleet-name", "fairlead-fleet", "name of the network namespace of the fleet, which is made anew and removed")
	flag.TextVar(&o.fleet.Subnet, "fleet-subnet", o.fleet.Subnet, "IPv4 network of the fleet's hosts, 16 bits")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run makes paths absolute, measures and prints the reports.
func run(ctx context.Context, o options) error {
	parts := strings.Split(o.parts, ",")
	for _, part := range parts {
		if part != partFleet && part != partCluster {
			return fmt.Errorf("there is no part %q: parts are %s and %s", part, partFleet, partCluster)
		}
	}
	for _, path := range []*string{&o.cluster.Fairlead, &o.cluster.Flannel, &o.fleet.Fleet} {
		var err error
		if *path, err = filepath.Abs(*path); err != nil {
			return err
		}
	}
	o.fleet.Fairlead = o.cluster.Fairlead
	var missed []string
	if slices.Contains(parts, partFleet) {
		report, err := bench.Fleet(ctx, o.fleet)
		if err != nil {
			return err
		}
		fmt.Println(report)
		missed = append(missed, report.Missed()...)
	}
	if slices.Contains(parts, partCluster) {
		report, err := cluster(ctx, o.cluster)
		if err != nil {
			return err
		}
		fmt.Println(report)
		missed = append(missed, report.Missed()...)
	}
	if len(missed) > 0 {
		return fmt.Errorf("%w: %s", errMissed, strings.Join(missed, "; "))
	}
	return nil
}

// cluster sees to the bundle and measures how clusters are made.
func cluster(ctx context.Context, o bench.Options) (bench.Report, error) {
	var err error
	if o.Bundle == "" {
		if o.Bundle, err = bundle.Build(ctx, bundle.Options{Log: o.Log}); err != nil {
			return bench.Report{}, fmt.Errorf("build bundle: %w", err)
		}
	}
	if o.Bundle, err = filepath.Abs(o.Bundle); err != nil {
		return bench.Report{}, err
	}
	return bench.Run(ctx, o)
}

// Command bench prints how long fairlead takes to make a cluster of three lab hosts, beside
// a plain shell script and beside kubeadm alone. A missed goal is printed and no failure.
// What the programs print goes to stderr, the report to stdout.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"fairlead/e2e/bench"
	"fairlead/e2e/bundle"
)

func main() {
	o := bench.Options{Log: os.Stderr}
	flag.StringVar(&o.Fairlead, "fairlead", "../bin/fairlead", "the fairlead binary")
	flag.StringVar(&o.Flannel, "flannel", "../templates/testdata/flannel.yaml", "manifest of the pod network, for the script")
	flag.StringVar(&o.Bundle, "bundle", "", "the bundle (default: built, or found in the cache)")
	flag.StringVar(&o.Lab.Name, "name", "fairlead-bench", "name of the lab, all of whose hosts are removed")
	flag.StringVar(&o.Lab.Subnet, "subnet", "10.89.2.0/24", "IPv4 network of the hosts, 24 bits")
	flag.BoolVar(&o.Keep, "keep", false, "leave the hosts of the last measurement")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	report, err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	fmt.Print(report)
}

// run sees to the bundle, makes paths absolute and measures.
func run(ctx context.Context, o bench.Options) (bench.Report, error) {
	var err error
	if o.Bundle == "" {
		if o.Bundle, err = bundle.Build(ctx, bundle.Options{Log: o.Log}); err != nil {
			return bench.Report{}, fmt.Errorf("build bundle: %w", err)
		}
	}
	for _, path := range []*string{&o.Fairlead, &o.Flannel, &o.Bundle} {
		if *path, err = filepath.Abs(*path); err != nil {
			return bench.Report{}, err
		}
	}
	return bench.Run(ctx, o)
}

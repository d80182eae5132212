// Command bundle prints the path of the offline bundle, which it builds first if it is
// not in the cache. Progress goes to stderr.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"fairlead/e2e/bundle"
)

func main() {
	cache := flag.String("cache", "", "folder for what is built (default $FAIRLEAD_CACHE, or fairlead/lab in the user's cache folder)")
	kubernetes := flag.String("kubernetes", "", "`version` that the bundle is of (default what fairlead is developed against)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	path, err := bundle.Build(ctx, bundle.Options{Kubernetes: *kubernetes, Cache: *cache, Log: os.Stderr})
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bundle:", err)
		os.Exit(1)
	}
	fmt.Println(path)
}

//go:build cluster

package cluster

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"fairlead/e2e/bundle"
	"fairlead/e2e/lab"
)

var (
	binary   = flag.String("fairlead", "../../bin/fairlead", "path of the `binary` to test")
	keep     = flag.Bool("keep", false, "leave the lab as it is at the end, and use the one that is there at the start")
	labName  = flag.String("lab", "fairlead-e2e", "`name` of the lab")
	subnet   = flag.String("subnet", "10.89.1.0/24", "IPv4 network of the lab's hosts, 24 bits")
	downTime = flag.Duration("down-time", time.Minute, "time that is kept back to take the lab down before -timeout")
)

// suite is what the tests of one process share.
type suite struct {
	ctx     context.Context
	options lab.Options
	program string // absolute path of the binary
	bundle  string // absolute path of the bundle
	lab     *lab.Lab
	number  byte // tells this lab from others of the machine: the third part of its subnet
	// up says that the lab is cp1, w1 and w2 and that they are one cluster, by what the tests
	// have done so far. A test that needs it otherwise makes it so again.
	up bool
}

var shared suite

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := run(m)
	if err != nil {
		log.Print(err)
		code = 1
	}
	os.Exit(code)
}

// run runs the tests between preparing the lab and taking it down. A signal, or the end of
// the time, fails what runs and still takes the lab down.
func run(m *testing.M) (code int, err error) {
	if flag.Lookup("test.list").Value.String() != "" {
		return m.Run(), nil
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	limited := ctx
	if limit := flag.Lookup("test.timeout").Value.(flag.Getter).Get().(time.Duration); limit > *downTime {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, limit-*downTime)
		defer cancel()
	}
	lock, err := net.Listen("unix", "@"+*labName+".tests") // a name without a file, gone with the process
	if err != nil {
		return 1, fmt.Errorf("another run of these tests uses lab %s (wait for it, or give -lab and -subnet): %w", *labName, err)
	}
	defer lock.Close()
	shared = suite{ctx: limited, options: lab.Options{Name: *labName, Subnet: *subnet, Log: log.Writer()}}
	prefix, err := netip.ParsePrefix(*subnet)
	if err != nil || !prefix.Addr().Is4() {
		return 1, fmt.Errorf("use subnet %q: want an IPv4 network: %w", *subnet, err)
	}
	shared.number = prefix.Addr().As4()[2]
	if shared.program, err = filepath.Abs(*binary); err != nil {
		return 1, err
	}
	if _, err := os.Stat(shared.program); err != nil {
		return 1, fmt.Errorf("find fairlead (build it, or give -fairlead): %w", err)
	}
	if shared.bundle, err = bundle.Build(limited, bundle.Options{Log: log.Writer()}); err != nil {
		return 1, err
	}
	if *keep {
		return m.Run(), nil
	}
	down := func() error { return lab.Down(context.WithoutCancel(ctx), shared.options) }
	if err := down(); err != nil { // what an earlier process may have left
		return 1, err
	}
	code = m.Run()
	return code, errors.Join(ctx.Err(), down())
}

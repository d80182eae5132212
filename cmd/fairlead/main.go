package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(untilSignalled()) }

// exitInterrupted is the exit code after the second Ctrl-C: 128 and the number of SIGINT.
const exitInterrupted = 130

// untilSignalled runs the command line. The first Ctrl-C cancels the run, which then
// ends its running steps; the second leaves at once.
func untilSignalled() int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	over := make(chan int, 1)
	p := program{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, env: os.Getenv}
	go func() { over <- p.run(ctx, os.Args) }()
	for {
		select {
		case code := <-over:
			return code
		case <-signals:
			if ctx.Err() != nil {
				if err := p.leaving.all(); err != nil {
					_, _ = fmt.Fprintln(p.stderr, "error: "+printable(err.Error()))
				}
				return exitInterrupted
			}
			cancel()
		}
	}
}

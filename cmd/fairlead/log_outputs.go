package main

import (
	"errors"
	"log/slog"

	"fairlead/provision/remote"
)

// logOutputs writes into the log what failed programs ran as, and all that they said.
func logOutputs(log *slog.Logger, all []failure) {
	for _, f := range all {
		var exit *remote.ExitError
		if errors.As(f.err, &exit) && !exit.Withheld() {
			log.Debug("output of a program that failed", "host", exit.Host, "command", exit.Command, "stdout", string(exit.Stdout), "stderr", string(exit.Stderr))
		}
	}
}

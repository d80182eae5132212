package lock

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"fairlead/provision/remote"
	"fairlead/templates"
)

// file is a Store on a host.
type file struct {
	host    string
	connect func(context.Context) (*remote.Host, error)
}

// OnHost keeps the record in a file on a host, in memory: it is gone when the host restarts.
func OnHost(name string, connect func(context.Context) (*remote.Host, error)) Store {
	return file{name, connect}
}

// String implements fmt.Stringer.
func (s file) String() string { return templates.LockFile + " on " + s.host }

// Read implements Store.
func (s file) Read(ctx context.Context) (*Record, string, error) {
	text, err := s.run(ctx, "read")
	if err != nil || text == "" {
		return nil, "", err
	}
	var record Record
	if json.Unmarshal([]byte(text), &record) != nil { // whoever wrote it, it ends as any other
		record = Record{Holder: "somebody", Run: "unknown"}
	}
	return &record, text, nil
}

// Write implements Store.
func (s file) Write(ctx context.Context, record *Record, version string) (string, error) {
	text := ""
	if record != nil {
		encoded, err := json.Marshal(record)
		if err != nil {
			return "", fmt.Errorf("encode the record: %w", err)
		}
		text = string(encoded)
	}
	switch said, err := s.run(ctx, "write", version, text); {
	case err != nil:
		return "", err
	case said != "written":
		return "", ErrChanged
	}
	return text, nil
}

// run runs the script, and returns what it says.
func (s file) run(ctx context.Context, verb string, args ...string) (string, error) {
	host, err := s.connect(ctx)
	if err != nil {
		return "", err
	}
	result, err := host.Run(ctx, remote.Command{
		Script: templates.ScriptLock.Text(), Argv: append([]string{templates.LockFile, verb}, args...), Root: true, Silence: Life,
	})
	return strings.TrimSuffix(string(result.Stdout), "\n"), err
}

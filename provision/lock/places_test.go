package lock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fairlead/provision/kube"
	"fairlead/provision/kube/kubetest"
	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
	"fairlead/templates"
)

// places are both kinds of stores: of an API server, and of a host on which the very script runs, with a file of the test's.
func places(t *testing.T) map[string]Store {
	t.Helper()
	api := kubetest.New(t)
	client, err := kube.New([]byte(api.Kubeconfig()), api.Dial)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	path := filepath.Join(t.TempDir(), "lock")
	line := remotetest.NewPretend(t, func(ctx context.Context, c remotetest.Call) remotetest.Reply {
		if !c.Root || c.Argv[0] != templates.LockFile || c.Script != templates.ScriptLock.Text() {
			t.Errorf("ran %+v", c)
		}
		command := exec.CommandContext(ctx, "/bin/sh", append([]string{"-s", "--", path}, c.Argv[1:]...)...)
		command.Stdin = strings.NewReader(c.Script)
		out, err := command.Output()
		if err != nil {
			t.Error(err)
		}
		return remotetest.Reply{Stdout: string(out)}
	})
	host := line.Host("cp1")
	t.Cleanup(func() {
		if err := host.Close(); err != nil {
			t.Error(err)
		}
		if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) > 0 {
			t.Errorf("left: %v, %v", left, err)
		}
	})
	return map[string]Store{
		"Lease kube-system/fairlead": InCluster(func(context.Context) (*kube.Client, error) { return client, nil }),
		"/run/fairlead-lock on cp1":  OnHost("cp1", func(context.Context) (*remote.Host, error) { return host, nil }),
	}
}

// A store gives back what was written, in a version of its own each time, and takes it only in the place of what is there.
func TestStores(t *testing.T) {
	at := func(second int) time.Time { return time.Date(2026, 11, 30, 12, 0, second, 1000, time.UTC) }
	first := Record{Holder: "ann@laptop/of 'hers'", Run: "1a2b3c4d", Since: at(0), Renewed: at(0), Life: Life}
	renewed := first
	renewed.Renewed = at(5)
	for name, s := range places(t) {
		t.Run(name, func(t *testing.T) {
			if s.String() != name {
				t.Errorf("it is called %s", s)
			}
			is := func(want *Record, version string) {
				t.Helper()
				got, now, err := s.Read(t.Context())
				if err != nil || now != version || (got == nil) != (want == nil) {
					t.Fatalf("it has %+v, %q, %v, want %+v, %q", got, now, err, want, version)
				}
				if got != nil && (got.Holder != want.Holder || got.Run != want.Run || !got.Since.Equal(want.Since) || !got.Renewed.Equal(want.Renewed) || got.Life != want.Life) {
					t.Errorf("it has %+v, want %+v", got, want)
				}
			}
			refuses := func(record *Record, version string) {
				t.Helper()
				if _, err := s.Write(t.Context(), record, version); !errors.Is(err, ErrChanged) {
					t.Errorf("%+v in the place of %q: %v", record, version, err)
				}
			}
			puts := func(record *Record, version string) string {
				t.Helper()
				next, err := s.Write(t.Context(), record, version)
				if err != nil {
					t.Fatal(err)
				}
				return next
			}
			is(nil, "")
			refuses(&first, "1")
			one := puts(&first, "")
			is(&first, one)
			refuses(&renewed, "")
			two := puts(&renewed, one)
			if one == two {
				t.Error("a renewal leaves the version as it is")
			}
			is(&renewed, two)
			refuses(&first, one)
			refuses(nil, one)
			is(&renewed, two)
			puts(nil, two)
			is(nil, "")
		})
	}
}

// Two runs at once, at each kind of place: the second one is refused while the first one lives, and goes on when it does not.
func TestTwoRuns(t *testing.T) {
	for name, place := range places(t) {
		t.Run(name, func(t *testing.T) {
			clock, heard := newClock(), &said{}
			first := clock.set(t, "first", &said{})
			if err := first.Take(t.Context(), place); err != nil {
				t.Fatal(err)
			}
			clock.beats(t)
			second := clock.set(t, "second", heard)
			living, watching := newClock(), &renewing{Store: place, first: first}
			second.clock = living
			var held *HeldError
			if err := second.Take(t.Context(), watching); !errors.As(err, &held) || held.Record.Run != "first" || held.Place != name {
				t.Fatalf("beside a living run: %v", err)
			}
			watching.first = nil // it hangs
			if err := second.Take(t.Context(), watching); err != nil || !second.Owns("first") {
				t.Fatalf("after a dead run: %v", err)
			}
			clock.pass(beat)
			clock.beats(t)
			var lost *LostError
			if err := first.Check(t.Context()); !errors.As(err, &lost) || lost.Record.Run != "second" {
				t.Errorf("the first run may go on: %v", err)
			}
			if err := second.Release(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// renewing has the first run renew its record between two looks of the second one.
type renewing struct {
	Store
	first *Set
	reads int
}

func (r *renewing) Read(ctx context.Context) (*Record, string, error) {
	if r.reads++; r.reads == 4 && r.first != nil {
		if err := r.first.renew(ctx); err != nil {
			return nil, "", err
		}
	}
	return r.Store.Read(ctx)
}

// A file that is no record is somebody's, and ends as any other; a Lease that was given back as others do is free.
func TestOddRecords(t *testing.T) {
	all := places(t)
	host := all["/run/fairlead-lock on cp1"].(file)
	if said, err := host.run(t.Context(), "write", "", "scribble"); err != nil || said != "written" {
		t.Fatal(said, err)
	}
	clock := newClock()
	s := clock.set(t, "mine", &said{})
	if err := s.Take(t.Context(), host); err != nil || clock.Now().Sub(newClock().Now()) != Life {
		t.Errorf("%v", err)
	}
	api := kubetest.New(t)
	client, err := kube.New([]byte(api.Kubeconfig()), api.Dial)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	api.PutLease(leaseName, map[string]any{"holderIdentity": ""})
	if err := s.Take(t.Context(), InCluster(func(context.Context) (*kube.Client, error) { return client, nil })); err != nil {
		t.Errorf("%v", err)
	}
	if err := s.Release(t.Context()); err != nil || api.Lease(leaseName) != nil {
		t.Errorf("%v, left %v", err, api.Lease(leaseName))
	}
	refused := errors.New("no way")
	for _, store := range []Store{
		InCluster(func(context.Context) (*kube.Client, error) { return nil, refused }), OnHost("cp1", func(context.Context) (*remote.Host, error) { return nil, refused }),
	} {
		_, _, reading := store.Read(t.Context())
		_, writing := store.Write(t.Context(), &Record{}, "")
		if !errors.Is(reading, refused) || !errors.Is(writing, refused) {
			t.Errorf("%s: %v, %v", store, reading, writing)
		}
	}
}

// Of many who write at the same time one is first.
func TestOneOfMany(t *testing.T) {
	for name, place := range places(t) {
		var group sync.WaitGroup
		versions := make([]string, 8)
		for i := range versions {
			group.Go(func() {
				version, err := place.Write(t.Context(), &Record{Holder: "ann@laptop", Run: fmt.Sprint("run", i), Life: Life}, "")
				if err != nil && !errors.Is(err, ErrChanged) {
					t.Errorf("%s: %v", name, err)
				}
				versions[i] = version
			})
		}
		group.Wait()
		first := slices.DeleteFunc(versions, func(version string) bool { return version == "" })
		if len(first) != 1 {
			t.Fatalf("%s: %d have written", name, len(first))
		}
		if _, err := place.Write(t.Context(), nil, first[0]); err != nil {
			t.Error(err)
		}
	}
}

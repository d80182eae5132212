package main

import (
	"context"
	"errors"
	"fmt"

	"fairlead/inventory"
	"fairlead/provision"
	"fairlead/provision/event"
	"fairlead/provision/remote/ssh"

	"github.com/urfave/cli/v2"
)

const flagPin = "pin"

// errUnknownKeys says that hosts are still unknown.
var errUnknownKeys = errors.New("nothing was written: nobody can be asked here; compare the fingerprints, then run it on a terminal, or give --yes")

func (p *program) trustCommand() *cli.Command {
	return &cli.Command{
		Name:      "trust",
		Usage:     "show the hosts' SSH keys, and write down those of new hosts",
		ArgsUsage: "[NAME...]",
		Description: "Asks all hosts, or the named ones, for the key that a login would meet, and logs in nowhere. Compare the fingerprints\n" +
			"with those on the hosts' consoles; then it asks once, and adds the keys of hosts that are not known to the known_hosts\n" +
			"file that ssh would use. Where another key is known, nothing is overwritten: it says how to remove that one.\n\n" +
			"Example:\n  fairlead trust --wait 5m",
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: flagYes, DisableDefaultText: true, Usage: "do not ask: whoever answers now is taken for the host (trust on first use)"},
			&cli.BoolFlag{Name: flagPin, DisableDefaultText: true, Usage: "write the keys into the cluster file, as ssh.hostKey of each host, and not into known_hosts"},
		}, waitFlags()...),
		Action: func(c *cli.Context) error {
			names := c.Args().Slice()
			if err := checkNames(c, names); err != nil {
				return err
			}
			return p.withSession(c, needs{withoutBundle: true}, func(ctx context.Context, r *invocation) error {
				pin := ""
				if c.Bool(flagPin) {
					pin = r.file
				}
				return r.trust(ctx, names, pin, c.Bool(flagYes))
			})
		},
	}
}

// trust shows the keys of hosts, and writes down those that are new, unless nobody wants that: into the file pin, if one is named,
// else into known_hosts. It is an error where a host is not known at the end.
func (r *invocation) trust(ctx context.Context, names []string, pin string, sure bool) error {
	keys, err := r.session.HostKeys(ctx, names)
	if err != nil {
		return err
	}
	if err := r.showKeys(keys); err != nil {
		return err
	}
	refused, fresh := notKnown(keys, pin), toWrite(keys, pin)
	switch {
	case len(fresh) > 0:
		err = r.approve(ctx, fresh, pin, sure)
		if err == nil {
			err = r.writeKeys(fresh, pin)
		}
	case refused == nil:
		r.view.note("nothing to do: " + count(len(keys), "host") + ", all of them known")
	}
	return errors.Join(refused, err)
}

// notKnown is the error for hosts that are not to be trusted, whatever somebody answers: those that show no key, another one than
// is known, or one that is revoked, and those whose key would be kept nowhere.
func notKnown(keys []provision.HostKey, pin string) error {
	e := &provision.UnreachableError{}
	for _, key := range keys {
		err := key.Err
		if key.State == event.KeyChanged || key.State == event.KeyRevoked || key.State == event.KeyNew && destination(key, pin) == "" {
			err = key.Shown.Refused
		}
		if err != nil {
			e.Hosts, e.Causes = append(e.Hosts, key.Host), append(e.Causes, err)
		}
	}
	if len(e.Hosts) == 0 {
		return nil
	}
	return e
}

// toWrite are the keys that are to be written down: those of hosts that are new, and, for the cluster file, those that only
// known_hosts has. What an authority has signed needs no line.
func toWrite(keys []provision.HostKey, pin string) []provision.HostKey {
	var fresh []provision.HostKey
	for _, key := range keys {
		if destination(key, pin) != "" && key.State == event.KeyNew || pin != "" && key.State == event.KeyKnown {
			fresh = append(fresh, key)
		}
	}
	return fresh
}

// approve asks whether keys are to be written down.
func (r *invocation) approve(ctx context.Context, fresh []provision.HostKey, pin string, sure bool) error {
	switch {
	case sure:
		return nil
	case !r.canAsk():
		return errUnknownKeys
	}
	return r.view.still(func() error { return r.ask(ctx, printable(trustQuestion(fresh, pin)), "y", "yes") })
}

// destination is the file that a key is to be written into: pin, which has no place for jump hosts, else the host's known_hosts; "" where ssh's
// configuration keeps none.
func destination(key provision.HostKey, pin string) string {
	if pin != "" && !key.Jump {
		return pin
	}
	return key.Shown.File()
}

// byDestination puts keys together that go into the same file.
func byDestination(fresh []provision.HostKey, pin string) [][]provision.HostKey {
	return grouped(fresh, func(key provision.HostKey) string { return destination(key, pin) })
}

// writeKeys writes keys down.
func (r *invocation) writeKeys(fresh []provision.HostKey, pin string) error {
	for _, same := range byDestination(fresh, pin) {
		file, write := destination(same[0], pin), addKnown
		if file == pin {
			write = pinKeys
		}
		if err := write(file, same); err != nil {
			return err
		}
		r.view.note(fmt.Sprintf("added %s to %s", count(len(same), "key"), file))
	}
	return nil
}

// addKnown adds keys to a known_hosts file.
func addKnown(file string, fresh []provision.HostKey) error {
	var keys []ssh.ShownKey
	for _, key := range fresh {
		keys = append(keys, key.Shown)
	}
	return ssh.AddKnown(file, keys)
}

// pinKeys makes keys those of their hosts in the cluster file.
func pinKeys(file string, fresh []provision.HostKey) error {
	return editInventory(file, func(data []byte) (_ []byte, err error) {
		for _, key := range fresh {
			if data, err = inventory.SetHostKey(data, key.Host, key.Shown.Key); err != nil {
				return nil, err
			}
		}
		return data, nil
	})
}

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
				return r.trust(ctx, names, c.Bool(flagYes), c.Bool(flagPin))
			})
		},
	}
}

// trust shows the keys of hosts, and writes down those that are new, unless nobody wants that. It is an error where a host is
// not known at the end.
func (r *invocation) trust(ctx context.Context, names []string, sure, pin bool) error {
	keys, err := r.session.HostKeys(ctx, names)
	if err != nil {
		return err
	}
	if err := r.showKeys(keys); err != nil {
		return err
	}
	refused := notKnown(keys)
	fresh := toWrite(keys, pin)
	if len(fresh) == 0 {
		if refused == nil {
			r.view.note("nothing to do: " + count(len(keys), "host") + ", all of them known")
		}
		return refused
	}
	if err := r.approve(ctx, fresh, sure, pin); err != nil {
		return errors.Join(refused, err)
	}
	if pin {
		return errors.Join(refused, r.pinKeys(fresh))
	}
	return errors.Join(refused, r.addKnown(fresh))
}

// notKnown is the error for hosts that are not to be trusted, whatever somebody answers: those that show no key, another one than
// is known, or one that is revoked.
func notKnown(keys []provision.HostKey) error {
	e := &provision.UnreachableError{}
	for _, key := range keys {
		err := key.Err
		if key.State == event.KeyChanged || key.State == event.KeyRevoked {
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
func toWrite(keys []provision.HostKey, pin bool) []provision.HostKey {
	var fresh []provision.HostKey
	for _, key := range keys {
		if key.State == event.KeyNew || pin && key.State == event.KeyKnown {
			fresh = append(fresh, key)
		}
	}
	return fresh
}

// approve asks whether keys are to be written down.
func (r *invocation) approve(ctx context.Context, fresh []provision.HostKey, sure, pin bool) error {
	switch {
	case sure:
		return nil
	case !isTerminal(r.stdin) || !isTerminal(r.stderr):
		return errUnknownKeys
	}
	file := ""
	if pin {
		file = r.file
	}
	return r.view.still(func() error { return r.ask(ctx, printable(trustQuestion(fresh, file)), "y", "yes") })
}

// addKnown adds keys to the known_hosts files of their hosts.
func (r *invocation) addKnown(fresh []provision.HostKey) error {
	for _, same := range grouped(fresh, knownHostsOf) {
		file := knownHostsOf(same[0])
		var keys []ssh.ShownKey
		for _, key := range same {
			keys = append(keys, key.Shown)
		}
		if err := ssh.AddKnown(file, keys); err != nil {
			return err
		}
		r.view.note(fmt.Sprintf("added %s to %s", count(len(keys), "key"), file))
	}
	return nil
}

func knownHostsOf(key provision.HostKey) string { return key.Shown.File() }

// pinKeys makes keys those of their hosts in the cluster file.
func (r *invocation) pinKeys(fresh []provision.HostKey) error {
	err := editInventory(r.file, func(data []byte) (_ []byte, err error) {
		for _, key := range fresh {
			if data, err = inventory.SetHostKey(data, key.Host, key.Shown.Key); err != nil {
				return nil, err
			}
		}
		return data, nil
	})
	if err == nil {
		r.view.note(fmt.Sprintf("added %s to %s", count(len(fresh), "key"), r.file))
	}
	return err
}

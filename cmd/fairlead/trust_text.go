package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"fairlead/provision"
	"fairlead/provision/event"
	"fairlead/provision/remote/ssh"
)

// showKeys prints the keys, and points out those that several hosts have. Programs have had them as events.
func (r *invocation) showKeys(keys []provision.HostKey) error {
	if !r.json {
		table, err := keyTable(keys)
		if err != nil {
			return fmt.Errorf("write result: %w", err)
		}
		if err := r.result([]byte(printable(table))); err != nil {
			return err
		}
	}
	for _, warning := range sameKeys(keys) {
		r.view.note("warning: " + warning)
	}
	return nil
}

// keyTable is a line for each host. Fingerprints are compared by people: they are whole, and below one another.
func keyTable(keys []provision.HostKey) (string, error) {
	var out bytes.Buffer
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "HOST\tADDRESS\tTYPE\tFINGERPRINT\tSTATE")
	for _, key := range keys {
		cells := []string{key.Host, key.Shown.Address, key.Shown.Type, key.Shown.Fingerprint, keyState(key)}
		for i, cell := range cells {
			if cell == "" {
				cells[i] = "-"
			}
		}
		_, _ = fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	err := table.Flush()
	return out.String(), err
}

// keyState says what is known of a host's key.
func keyState(key provision.HostKey) string {
	switch key.State {
	case event.KeyKnown, event.KeyPinned:
		return "known (" + key.Place + ")"
	case event.KeyCertified:
		return "known (signed by the authority at " + key.Place + ")"
	case event.KeyChanged:
		return "ANOTHER KEY IS KNOWN (" + key.Place + ")"
	case event.KeyRevoked:
		return "REVOKED (" + key.Place + ")"
	case event.KeyNew:
		return "new" + newKey(key.Shown)
	}
	if key.Keyless {
		return "needs no key: it is not reached by SSH"
	}
	return "shows no key"
}

// newKey is what is to be known of a key before somebody trusts it.
func newKey(shown ssh.ShownKey) string {
	switch {
	case shown.Refused != nil && shown.Refused.Cause != nil:
		return ", its certificate is not valid here: " + oneLine(shown.Refused.Cause.Error())
	case len(shown.Elsewhere) > 0:
		return fmt.Sprintf(", known by another name (%s:%d)", shown.Elsewhere[0].File, shown.Elsewhere[0].Line)
	}
	return ""
}

// sameKeys are warnings of hosts that have their key in common, as those do that were cloned with it.
func sameKeys(keys []provision.HostKey) []string {
	shown := slices.DeleteFunc(slices.Clone(keys), func(key provision.HostKey) bool { return key.Shown.Fingerprint == "" })
	var warnings []string
	for _, same := range grouped(shown, func(key provision.HostKey) string { return key.Shown.Fingerprint }) {
		if len(same) < 2 {
			continue
		}
		hosts := places(same, func(key provision.HostKey) string { return key.Host })
		warnings = append(warnings, fmt.Sprintf("%s have the same host key, as clones of one image do: each of them can pose as the others. "+
			"On each, as root: rm /etc/ssh/ssh_host_*_key* && ssh-keygen -A, then restart sshd and run fairlead trust again", strings.Join(inRanges(hosts), ", ")))
	}
	return warnings
}

// trustQuestion says what to compare, and asks whether keys are to be written.
func trustQuestion(fresh []provision.HostKey, pin string) string {
	var commands, files []string
	command := func(key provision.HostKey) string { return ssh.FingerprintCommand(key.Shown.Type) }
	for _, same := range grouped(fresh, command) {
		if slices.ContainsFunc(same, func(key provision.HostKey) bool { return key.State == event.KeyNew }) {
			commands = append(commands, command(same[0]))
		}
	}
	for _, same := range byDestination(fresh, pin) {
		files = append(files, count(len(same), "key")+" to "+destination(same[0], pin))
	}
	question := fmt.Sprintf("Write %s? [y/N] ", strings.Join(files, ", "))
	if len(commands) > 0 {
		question = fmt.Sprintf("Compare the fingerprints of new hosts with those on their consoles (%s).\n", strings.Join(commands, "; ")) + question
	}
	return question
}

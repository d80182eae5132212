package main

import (
	"errors"
	"strings"
	"testing"

	"fairlead/provision"
	"fairlead/provision/event"
	"fairlead/provision/remote"
	"fairlead/provision/remote/ssh"
)

// exampleKeys are hosts in every state.
func exampleKeys() []provision.HostKey {
	shown := func(host, address, keyType, print string) provision.HostKey {
		key := ssh.RefusedKey(&ssh.HostKeyError{Address: address, KeyType: keyType, Fingerprint: "SHA256:" + print, Files: []string{"/home/ann/.ssh/known_hosts"}})
		key.Refused = nil
		return provision.HostKey{Host: host, Shown: key}
	}
	in := func(key provision.HostKey, state, place string) provision.HostKey {
		key.State, key.Place = state, place
		if state == event.KeyNew {
			key.Shown.Refused = &ssh.HostKeyError{}
		}
		return key
	}
	const ed, ec = "ssh-ed25519", "ecdsa-sha2-nistp256"
	signed := in(shown("w3", "192.0.2.23:22", ed, "4oIBJ/7MMWtIqyF0RHDW4EwzOrCPR1sZuDTOVSNc5Us"), event.KeyNew, "")
	signed.Shown.Refused = &ssh.HostKeyError{Cause: errors.New("it has expired\x1b[2J\nw9  forged")}
	moved := in(shown("w4", "192.0.2.24:22", ed, "5iIBJ/7MMWtIqyF0RHDW4EwzOrCPR1sZuDTOVSNc5Us"), event.KeyNew, "")
	moved.Shown.Elsewhere = []ssh.KnownKey{{File: "/home/ann/.ssh/known_hosts", Line: 3}}
	jump := in(shown("bastion.example", "bastion.example:22", ed, "6iIBJ/7MMWtIqyF0RHDW4EwzOrCPR1sZuDTOVSNc5Us"), event.KeyNew, "")
	jump.Jump = true
	return []provision.HostKey{
		jump,
		in(shown("cp1", "192.0.2.11:22", ed, "Zl0BJ/7MMWtIqyF0RHDW4EwzOrCPR1sZuDTOVSNc5Us"), event.KeyNew, ""),
		in(shown("cp2", "[2001:db8::12]:2222", ec, "1aIBJ/7MMWtIqyF0RHDW4EwzOrCPR1sZuDTOVSNc5Us"), event.KeyKnown, "/home/ann/.ssh/known_hosts:12"),
		in(shown("w1", "192.0.2.21:22", ed, "2bIBJ/7MMWtIqyF0RHDW4EwzOrCPR1sZuDTOVSNc5Us"), event.KeyPinned, "ssh.hostKey"),
		in(shown("w2", "192.0.2.22:22", ed, "3cIBJ/7MMWtIqyF0RHDW4EwzOrCPR1sZuDTOVSNc5Us"), event.KeyCertified, "/etc/ssh/ssh_known_hosts:1"),
		signed, moved,
		in(shown("w5", "192.0.2.25:22", ed, "7dIBJ/7MMWtIqyF0RHDW4EwzOrCPR1sZuDTOVSNc5Us"), event.KeyChanged, "/kh:7"),
		in(shown("w6", "192.0.2.26:22", ed, "Zl0BJ/7MMWtIqyF0RHDW4EwzOrCPR1sZuDTOVSNc5Us"), event.KeyRevoked, "/kh:9"),
		{Host: "w7", Shown: ssh.ShownKey{Address: "192.0.2.27:22"}, Err: remote.ErrUnreachable},
		{Host: "here", Keyless: true},
	}
}

// TestKeyTable shows each state of a key, whole fingerprints below one another, and whatever a host says in one line.
func TestKeyTable(t *testing.T) {
	keys := exampleKeys()
	table, err := keyTable(keys)
	if err != nil {
		t.Fatal(err)
	}
	text := printable(table)
	for _, warning := range sameKeys(keys) {
		text += "warning: " + warning + "\n"
	}
	for _, pin := range []string{"", "lab.yaml"} {
		text += trustQuestion(toWrite(keys, pin), pin) + "\n"
	}
	golden(t, "trust.txt", []byte(text))
	if lines := strings.Count(text, "\n"); lines != len(keys)+6 {
		t.Errorf("%d lines: what a host says must not look like a line of ours", lines)
	}
}

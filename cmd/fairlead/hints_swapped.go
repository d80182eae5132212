package main

import (
	"errors"
	"slices"
	"strings"

	"fairlead/provision/remote/ssh"
)

// swapped is another host of the cluster file whose pinned key a host has shown: the way to the one leads to the other now. Empty without one.
func (t troubled) swapped() string {
	var refused *ssh.HostKeyError
	if !errors.As(t.err, &refused) || refused.Jump || refused.Revoked || t.cluster == nil || t.host.Name == "" {
		return ""
	}
	for _, host := range t.cluster.Hosts() {
		shown := []string{refused.Key, refused.Fingerprint}
		if words := strings.Fields(host.SSH.HostKey); host.Name != t.host.Name && len(words) > 0 && slices.Contains(shown, strings.Join(words[:min(2, len(words))], " ")) {
			return host.Name
		}
	}
	return ""
}

// waySwapped is for a forwarded port, which Vagrant gives away anew at each start of its machines.
func waySwapped(t troubled) string {
	return "the key is that of " + t.swapped() + ": the way to " + t.host.Name + ", " + t.address() + ", leads there now. Ports that Vagrant forwards change " +
		"at a start: `fairlead init --from vagrant -f new.yaml` asks for those of today"
}

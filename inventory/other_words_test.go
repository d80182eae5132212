package inventory

import (
	"slices"
	"strings"
	"testing"
)

// TestOtherWords: a key of another tool is answered with ours, where that is one of those that can stand there.
func TestOtherWords(t *testing.T) {
	ssh, host, registry := []string{"user", "jump", "identityFile", "knownHosts", "sudo"}, []string{"name", "address", "ssh"}, []string{"host", "ca"}
	for _, c := range []struct {
		key   string
		known []string
		want  string
	}{
		{"bastion", ssh, "unknown key; it is jump here: [USER@]HOST[:PORT], as ssh -J takes it"},
		{"ProxyJump", ssh, "unknown key; it is jump here: "},
		{"ssh_key_path", ssh, "unknown key; it is identityFile here: "},
		{"strictHostKeyChecking", ssh, "unknown key; it is knownHosts here: nothing turns the check of host keys off"},
		{"bastion", host, "unknown key; it is jump here, below ssh: "},
		{"publicAddress", host, "unknown key; it is ssh here: {address: …} is the way from here"},
		{"privateAddress", host, "unknown key; it is address here: "},
		{"user", host, "unknown key; it belongs below ssh"},
		{"hostKey", host, "unknown key; it belongs below ssh"},
		{"key", registry, "unknown key; the keys here are host, ca"},
		{"user", registry, "unknown key; the keys here are host, ca"},
	} {
		if got := unknownKey(c.key, c.known); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %s", c.key, got)
		}
	}
	for key, word := range otherWords() {
		var keys []string
		for _, f := range hostSSHFields() {
			keys = append(keys, f.key)
		}
		if !slices.Contains(append(keys, "ssh"), word.ours) || key != strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(key)) {
			t.Errorf("%s: %s is no key of ours, or nobody finds it", key, word.ours)
		}
	}
}

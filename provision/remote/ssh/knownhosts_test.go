package ssh

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh/knownhosts"

	"fairlead/provision/remote/remotetest"
)

// FuzzKnownHosts reads any file. What is known of a host is what a plain walk over the lines finds, and no line that
// revokes a key is lost.
func FuzzKnownHosts(f *testing.F) {
	key, hash := remotetest.KeyText(remotetest.NewPublic(f)), knownhosts.HashHostname("cp1")
	for _, text := range []string{
		"cp1 " + key, "@revoked * " + key, "@cert-authority *.lab " + key, "# note", "", "@", "|1|a|b " + key, "|1| " + key,
		hash + " " + key, "[cp1]:22,!x " + key + " comment", "cp1 ssh-rsa AAAA", "cp1 " + key[:30], "!,* " + key, "@revoked",
		"@revoked\tcp1 " + key, "@revoked cp1 " + key[:40] + "\n" + hash + " " + key + "\r\n", "cp1\x00 " + key, "*,cp1,cp?,cp1 " + key + "\ncp1 " + key,
		"@revoked * ssh-foreign AAAAC3NzaC1mb3JlaWdu", "cp1 rsa-sha2-512 AAAAB3NzaC1yc2EAAAADAQABAAAAAQ==",
	} {
		f.Add(text, "cp1")
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		lines, err := scanKnownHosts(strings.NewReader(text), "known_hosts", slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		name = asciiLower(name)
		var want, got []int
		for _, k := range lines {
			if (k.key == nil) == (k.unreadable == nil) || k.unreadable != nil && k.marker != markRevoked {
				t.Errorf("line %d has key %v, marker %q, error %v", k.line, k.key, k.marker, k.unreadable)
			}
			if k.names.match(name) {
				want = append(want, k.line)
			}
			if list, ok := k.names.(patterns); ok && len(text) < 200 && list.match(name) != matchSlowly(list, name) {
				t.Errorf("%q against %q: got %v", list, name, list.match(name))
			}
		}
		for _, k := range indexKnown(lines).about(name) {
			got = append(got, k.line)
		}
		if !slices.Equal(got, want) {
			t.Errorf("lines about %q: got %v, want %v", name, got, want)
		}
		for i, line := range strings.Split(text, "\n") {
			_, _, err := parseKnownLine(line)
			lost := !slices.ContainsFunc(lines, func(k knownLine) bool { return k.line == i+1 && k.marker == markRevoked })
			if fields := strings.Fields(line); lost && strings.HasPrefix(line, markRevoked) && fields[0] == markRevoked && !errors.Is(err, errForeignKey) {
				t.Errorf("line %d is lost: %v", i+1, err)
			}
		}
	})
}

// matchSlowly is what match promises, said plainly.
func matchSlowly(list []string, name string) bool {
	var fits func(pattern, name string) bool
	fits = func(pattern, name string) bool {
		switch {
		case pattern == "":
			return name == ""
		case pattern[0] == '*':
			return fits(pattern[1:], name) || name != "" && fits(pattern, name[1:])
		}
		return name != "" && (pattern[0] == '?' || pattern[0] == name[0]) && fits(pattern[1:], name[1:])
	}
	found := false
	for _, pattern := range list {
		if strings.Count(pattern, "*") > 4 || len(name) > 100 {
			return patterns(list).match(name) // would take too long
		}
		if pattern, negated := strings.CutPrefix(pattern, "!"); fits(pattern, name) {
			if negated {
				return false
			}
			found = true
		}
	}
	return found
}

package sshconfig

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Answer is what ssh's configuration says about a host. What is empty, or nil, is not said, and the defaults of who connects
// count: that is all where there is no ssh.
type Answer struct {
	Name     string // as it was asked for
	Hostname string // where to connect to
	User     string
	Port     int
	Network  string // tcp4 or tcp6 where AddressFamily says so, else ""

	// IdentityFiles are the private keys to use, in their order; empty and not nil where there are to be none. Those that ssh
	// looks for by itself are among them where none is named, as `ssh -G` prints both alike. They mean the same to it, too: whether
	// a missing one deserves a word is the only difference.
	IdentityFiles    []string
	CertificateFiles []string
	IdentitiesOnly   bool
	Agent            string // the agent's socket, or "none"; "" for that of the environment

	HostKeyAlias string
	KnownHosts   []string // the user's files, then those of the machine
	RevokedKeys  []string // files of keys that no host may have

	ProxyCommand string   // with its tokens expanded, for the user's shell
	Jump         []string // the hosts of ProxyJump as [user@]host[:port], the first one first

	// Refused says what in the configuration ssh would follow, and nobody else can, with what to do.
	Refused []string
	// Unheeded are the options that ssh would follow, too, without which one may get there all the same.
	Unheeded []string
}

// read reads what ssh has printed: a key and a value on each line, some keys on several.
func (r *Resolver) read(q Question, text string) (Answer, error) {
	said := map[string][]string{}
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		key = strings.ToLower(key)
		said[key] = append(said[key], value)
	}
	one := func(key string) string {
		if len(said[key]) == 0 {
			return ""
		}
		return said[key][0]
	}
	port, err := strconv.Atoi(one("port"))
	if err != nil || one("hostname") == "" || one("user") == "" {
		return Answer{}, fmt.Errorf("ask ssh for its configuration of %s: its answer names no host, user or port: see for yourself with: ssh -G %s", q.Name, q.Name)
	}
	a := Answer{
		Name: q.Name, Hostname: one("hostname"), User: one("user"), Port: port,
		IdentitiesOnly: isYes(one("identitiesonly")), HostKeyAlias: one("hostkeyalias"),
	}
	a.Network = map[string]string{"inet": "tcp4", "inet6": "tcp6"}[one("addressfamily")]
	if jump := one("proxyjump"); jump != "" && !isNone(jump) {
		a.Jump = strings.Split(jump, ",")
	}
	a.Refused, a.Unheeded = a.refused(one), unheeded(one)
	tokens, err := newTokens(a)
	if err != nil {
		return Answer{}, fmt.Errorf("read ssh's configuration of %s: %w", q.Name, err)
	}
	if err := a.expand(said, one, tokens); err != nil {
		return Answer{}, fmt.Errorf("read ssh's configuration of %s: %w", q.Name, err)
	}
	return a, nil
}

// expand fills in what has tokens in it. ssh prints known_hosts files and the agent with these expanded (before 8.4 they had none,
// but for the ~), and identities and commands as they were written.
func (a *Answer) expand(said map[string][]string, one func(string) string, t tokens) error {
	var err error
	if a.IdentityFiles, err = t.files("IdentityFile", said["identityfile"]); err != nil {
		return err
	}
	if a.CertificateFiles, err = t.files("CertificateFile", said["certificatefile"]); err != nil {
		return err
	}
	if a.Agent, err = t.agent(one("identityagent")); err != nil {
		return err
	}
	if command := one("proxycommand"); command != "" && !isNone(command) && len(a.Jump) == 0 {
		if a.ProxyCommand, err = t.command(command); err != nil {
			return err
		}
	}
	a.KnownHosts = []string{} // which are none where both keys say so
	for _, list := range []struct {
		key  string
		into *[]string
	}{{"userknownhostsfile", &a.KnownHosts}, {"globalknownhostsfile", &a.KnownHosts}, {"revokedhostkeys", &a.RevokedKeys}} {
		for _, file := range oneLine(one(list.key)) {
			path, err := t.home(file)
			if err != nil {
				return fmt.Errorf("%s %w", list.key, err)
			}
			*list.into = append(*list.into, path)
		}
	}
	return nil
}

// oneLine splits the names of files that ssh prints on one line without quotes. A word that is no whole path belongs to the name
// before it, which has blanks.
func oneLine(text string) []string {
	var files []string
	for i, word := range strings.Split(text, " ") {
		switch {
		case i > 0 && !strings.HasPrefix(word, "/") && !strings.HasPrefix(word, "~"):
			files[len(files)-1] += " " + word
		case word != "":
			files = append(files, word)
		default:
			return files
		}
	}
	if len(files) == 1 && isNone(files[0]) {
		return nil
	}
	return files
}

// refused are the reasons not to connect.
func (a *Answer) refused(one func(string) string) []string {
	var reasons []string
	if slices.Contains([]string{"no", "false"}, one("pubkeyauthentication")) {
		reasons = append(reasons, "PubkeyAuthentication no, and fairlead logs in with keys only")
	}
	if methods := one("preferredauthentications"); methods != "" && !slices.Contains(strings.Split(methods, ","), "publickey") {
		reasons = append(reasons, "PreferredAuthentications "+methods+", and fairlead logs in by publickey only")
	}
	if isYes(one("proxyusefdpass")) && len(a.Jump) == 0 && !isNone(one("proxycommand")) && one("proxycommand") != "" {
		reasons = append(reasons, "ProxyUseFdpass yes, which fairlead cannot do: let the ProxyCommand pass on the data itself")
	}
	return reasons
}

// unheeded are the options that are not followed. None of them makes a host known that is not.
func unheeded(one func(string) string) []string {
	var names []string
	for _, option := range []struct{ key, name string }{
		{"bindaddress", "BindAddress"}, {"bindinterface", "BindInterface"}, {"knownhostscommand", "KnownHostsCommand"}, {"pkcs11provider", "PKCS11Provider"},
	} {
		if value := one(option.key); value != "" && !isNone(value) {
			names = append(names, option.name)
		}
	}
	return names
}

func isYes(value string) bool  { return value == "yes" || value == "true" }
func isNone(value string) bool { return strings.EqualFold(value, "none") }

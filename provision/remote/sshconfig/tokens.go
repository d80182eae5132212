package sshconfig

import (
	"cmp"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"

	"fairlead/inventory"
)

// tokens are what stands for %h and the like: TOKENS in ssh_config(5).
type tokens struct {
	byLetter map[byte]string
	homeDir  string
}

// newTokens has the tokens of an answer whose host, user and port are known. ssh takes the home folder from the user's
// account, not from $HOME.
func newTokens(a Answer) (tokens, error) {
	me, err := user.Current()
	if err != nil {
		return tokens{}, fmt.Errorf("find the current user: %w", err)
	}
	machine, err := os.Hostname()
	if err != nil {
		return tokens{}, fmt.Errorf("find this machine's name: %w", err)
	}
	short, _, _ := strings.Cut(machine, ".")
	alias := a.HostKeyAlias
	if alias == "" {
		alias = a.Name
	}
	jump := ""
	if len(a.Jump) > 0 {
		if last, err := inventory.ParseJump(a.Jump[len(a.Jump)-1]); err == nil { // else it is an error where it is gone through
			jump = last.Host
		}
	}
	return tokens{homeDir: me.HomeDir, byLetter: map[byte]string{
		'%': "%", 'd': me.HomeDir, 'h': a.Hostname, 'i': me.Uid, 'j': jump, 'k': alias, 'L': short, 'l': machine,
		'n': a.Name, 'p': strconv.Itoa(a.Port), 'r': a.User, 'u': me.Username,
	}}, nil
}

// only are the tokens of these letters.
func (t tokens) only(letters string) tokens {
	some := map[byte]string{}
	for i := range len(letters) {
		some[letters[i]] = t.byLetter[letters[i]]
	}
	return tokens{byLetter: some, homeDir: t.homeDir}
}

// percent replaces tokens, and with variables ${NAME} by the environment's values as well. What is replaced is not looked at
// again: vdollar_percent_expand in OpenSSH's misc.c.
func (t tokens) percent(text string, variables bool) (string, error) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case variables && strings.HasPrefix(text[i:], "${"):
			name, _, closed := strings.Cut(text[i+2:], "}")
			value, set := os.LookupEnv(name)
			if !closed || !set {
				return "", fmt.Errorf("%q has ${%s}, which is not set in the environment", text, name)
			}
			b.WriteString(value)
			i += len(name) + 2
		case text[i] != '%':
			b.WriteByte(text[i])
		case i+1 == len(text):
			return "", fmt.Errorf("%q ends in a %%; write %%%% for one", text)
		default:
			i++
			value, known := t.byLetter[text[i]]
			if !known {
				return "", fmt.Errorf("%q has %%%c, which fairlead does not know there: write out what it stands for", text, text[i])
			}
			b.WriteString(value)
		}
	}
	return b.String(), nil
}

// home replaces a leading ~ or ~user: tilde_expand in OpenSSH's misc.c.
func (t tokens) home(path string) (string, error) {
	rest, tilde := strings.CutPrefix(path, "~")
	if !tilde {
		return path, nil
	}
	name, rest, _ := strings.Cut(rest, "/")
	folder := t.homeDir
	if name != "" {
		u, err := user.Lookup(name)
		if err != nil {
			return "", fmt.Errorf("%q: %w", path, err)
		}
		folder = u.HomeDir
	}
	return filepath.Join(folder, rest), nil
}

// files are the paths of a key that may stand several times; one that is none is left out.
func (t tokens) files(key string, values []string) ([]string, error) {
	files := []string{}
	for _, value := range values {
		if isNone(value) {
			continue
		}
		path, err := t.home(value)
		if err == nil {
			path, err = t.percent(path, true)
		}
		if err != nil {
			return nil, fmt.Errorf("%s %w", key, err)
		}
		files = append(files, path)
	}
	return files, nil
}

// agent is the socket of IdentityAgent: a path, $NAME for a variable's value, SSH_AUTH_SOCK for
// the default, or none, which a variable without a value means as well.
func (t tokens) agent(value string) (string, error) {
	switch variable, named := strings.CutPrefix(value, "$"); {
	case value == "" || value == "SSH_AUTH_SOCK":
		return "", nil
	case isNone(value):
		return "none", nil
	case named && !strings.HasPrefix(variable, "{"):
		return cmp.Or(os.Getenv(variable), "none"), nil
	}
	files, err := t.files("IdentityAgent", []string{value})
	if err != nil {
		return "", err
	}
	return files[0], nil
}

// command expands a ProxyCommand, which has fewer tokens than files have: expand_proxy_command in OpenSSH's sshconnect.c.
// A shell reads what comes out, so that nothing goes in that means something to it: newer ssh refuse such names themselves.
func (t tokens) command(text string) (string, error) {
	for _, letter := range []byte("hknr") {
		if value := t.byLetter[letter]; strings.Contains(text, "%"+string(letter)) && !isHarmless(value) {
			return "", fmt.Errorf("ProxyCommand %q has %%%c, and %q means something to a shell", text, letter, value)
		}
	}
	command, err := t.only("%hknpr").percent(text, false)
	if err != nil {
		return "", fmt.Errorf("ProxyCommand %w", err)
	}
	return command, nil
}

// isHarmless says what a shell takes as it is, or as one word: ssh_valid_ruser in OpenSSH's misc.c.
func isHarmless(name string) bool {
	return !strings.HasPrefix(name, "-") && !strings.HasSuffix(name, "\\") && !strings.ContainsAny(name, "'`\"$;&<>|(){}") &&
		!strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
}

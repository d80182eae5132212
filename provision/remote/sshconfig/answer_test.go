package sshconfig

import (
	"reflect"
	"testing"
)

// TestOneLine: files that ssh prints on a line without quotes.
func TestOneLine(t *testing.T) {
	for text, want := range map[string][]string{
		"": nil, "none": nil, "NONE": nil, "/a": {"/a"}, "/a /b": {"/a", "/b"}, "~/a ~b/c": {"~/a", "~b/c"}, "/my hosts /b": {"/my hosts", "/b"},
		"/a  b c": {"/a  b c"}, "known other": {"known other"}, "/dev/null": {"/dev/null"},
	} {
		if got := oneLine(text); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %q", text, got)
		}
	}
}

// TestAnswersOfOtherVersions reads what ssh before 8.4 prints unexpanded, and what newer ones add.
func TestAnswersOfOtherVersions(t *testing.T) {
	t.Setenv("SOCK", "/run/agent")
	const head = "host web\nhostname 192.0.2.7\nuser ann\nport 22\n"
	for name, c := range map[string]struct {
		text string
		want Answer
	}{
		"old agent":        {"identityagent /run/%r/agent\n", Answer{Agent: "/run/ann/agent"}},
		"variable":         {"identityagent $SOCK\n", Answer{Agent: "/run/agent"}},
		"no proxy command": {"proxycommand none\nproxyjump none\n", Answer{}},
		"jump":             {"proxyjump a,b@[192.0.2.1]:22\n", Answer{Jump: []string{"a", "b@[192.0.2.1]:22"}}},
		"several revoked":  {"revokedhostkeys /a /b\n", Answer{RevokedKeys: []string{"/a", "/b"}}},
		"none revoked":     {"revokedhostkeys none\n", Answer{}},
		"unheeded":         {"bindaddress 192.0.2.9\npkcs11provider /usr/lib/x.so\nbindinterface none\n", Answer{Unheeded: []string{"BindAddress", "PKCS11Provider"}}},
		"fdpass for jumps": {"proxyusefdpass yes\nproxycommand none\n", Answer{}},
		"carriage returns": {"identitiesonly yes\r\n", Answer{IdentitiesOnly: true}},
	} {
		got, err := New(Options{}).read(Question{Name: "web"}, head+c.text)
		c.want.Name, c.want.Hostname, c.want.User, c.want.Port = "web", "192.0.2.7", "ann", 22
		c.want.IdentityFiles, c.want.CertificateFiles, c.want.KnownHosts = []string{}, []string{}, []string{}
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v\ngot  %+v\nwant %+v", name, err, got, c.want)
		}
	}
}

// TestCommandsOfOddNames: nobody's name becomes a part of a command.
func TestCommandsOfOddNames(t *testing.T) {
	for _, user := range []string{"$(id)", "a;b", "`a`", "a'b", "-x", "a b", "a\\", "a\nb"} {
		for command, refused := range map[string]bool{"nc -l %r": true, "nc %h %p": false} {
			answer := Answer{Name: "web", Hostname: "web.lab", User: user, Port: 22}
			tokens, err := newTokens(answer)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := tokens.command(command); (err != nil) != refused || err == nil && got != "nc web.lab 22" {
				t.Errorf("%s for %q: %q, %v", command, user, got, err)
			}
		}
	}
}

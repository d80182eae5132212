package convert

import (
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"fairlead/inventory"
)

// sound checks what holds for whatever was read: it is written or refused, what is written loads with as many hosts, and a second
// reading gives the same.
func sound(t *testing.T, data []byte) {
	t.Helper()
	draft, err := Read("f", data, Options{})
	again, errAgain := Read("f", data, Options{})
	if (err == nil) != (errAgain == nil) || err != nil && err.Error() != errAgain.Error() {
		t.Fatalf("a second reading differs: %v, %v", err, errAgain)
	}
	if err != nil {
		return
	}
	text, err := draft.Write()
	textAgain, _ := again.Write()
	if string(text) != string(textAgain) {
		t.Fatalf("a second text differs:\n%s\n%s", text, textAgain)
	}
	if err != nil {
		return
	}
	c, _, err := inventory.Parse("", text)
	if err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	if len(c.Hosts()) != len(draft.Hosts) {
		t.Fatalf("%d hosts became %d", len(draft.Hosts), len(c.Hosts()))
	}
}

func FuzzRead(f *testing.F) {
	for file := range samples(f) {
		data, err := os.ReadFile(file) //nolint:gosec // of this test
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("a: &a {hosts: {b: }, children: {c: *a}}\nmasters: *a\n"))
	f.Add([]byte(k0sctlHead + "spec: &s {<<: *s, hosts: [{<<: [*s, *s]}]}\n"))
	f.Fuzz(sound)
}

func FuzzAnsibleINI(f *testing.F) {
	for _, text := range []string{"n[1:3]:22 a='b # c' d=\"e\"", "[x]\ny", "n1 ansible_host=192.0.2.1 node_labels=\"{'a': 'b'}\"", "x ansible_ssh_common_args='-o ProxyCommand=\"ssh -W %h:%p a@b\"'"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { sound(t, []byte("[masters]\n"+text+"\n[all:vars]\nip=192.0.2.1\n")) })
}

func FuzzSSHConfig(f *testing.F) {
	for _, text := range []string{"Host b\n  HostName=192.0.2.2\n  IdentityFile \"/a b\"", "Port 22", "ProxyJump a,b", "Match all", "Host *"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { sound(t, []byte("Host a\n  HostName 192.0.2.1\n"+text+"\n")) })
}

// FuzzWords quotes words as a shell does and splits them again.
func FuzzWords(f *testing.F) {
	for _, text := range []string{"a b", "it's", `"`, `\`, "#", " ", ""} {
		f.Add(text, "x")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if !utf8.ValidString(a) || !utf8.ValidString(b) {
			return // lines are UTF-8 before they are split
		}
		quoted := "'" + strings.ReplaceAll(a, "'", `'"'"'`) + "' '" + strings.ReplaceAll(b, "'", `'"'"'`) + "' # c"
		got, err := words(quoted)
		if err != nil || len(got) != 2 || got[0] != a || got[1] != b {
			t.Errorf("%s: %q, %v", quoted, got, err)
		}
	})
}

func FuzzExpand(f *testing.F) {
	for _, text := range []string{"n[1:3]", "[a:c]x[01:09:3]", "[:5]", "[9:1]", "[1:2"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, pattern string) {
		all, err := expand(pattern)
		if err == nil && (len(all) == 0 || len(all) > maxHosts) {
			t.Errorf("%q: %d names", pattern, len(all))
		}
	})
}

package ledger

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"fairlead/templates"
)

const present = `fairlead-ledger 2
file /etc/a\040b saved 0123 5 beef
tree /etc/cni existed 0123.names 750 0:0 5 beef /etc/cni/my\040disk
sysctl net.ipv4.ip_local_port_range 32768\04060999
sysctl kernel.empty 
swap active /dev/sda2,/swap\040file,/a\054b
unit dev-disk-by\134x2duuid.swap static active
end 6`

func TestRead(t *testing.T) {
	entries, err := Read(strings.Split(present, "\n"))
	want := []Entry{
		{File, "/etc/a b", "saved 0123 5 beef"},
		{Tree, "/etc/cni", "existed 0123.names 750 0:0 5 beef /etc/cni/my disk"},
		{Sysctl, "net.ipv4.ip_local_port_range", "32768 60999"},
		{Sysctl, "kernel.empty", ""},
		{Swap, "active", `/dev/sda2,/swap\040file,/a\054b`},
		{Unit, `dev-disk-by\x2duuid.swap`, "static active"},
	}
	if err != nil || !slices.Equal(entries, want) {
		t.Errorf("it is\n%q, %v, want\n%q", entries, err, want)
	}
	if devices := entries[4].Devices(); !slices.Equal(devices, []string{"/dev/sda2", "/swap file", "/a,b"}) {
		t.Errorf("the devices are %q", devices)
	}
	if sum := entries[0].SavedSHA256(); sum != "beef" || entries[1].SavedSHA256() != "" {
		t.Errorf("the sum is %q", sum)
	}
}

// The former form had neither a first nor a last line, and escaped nothing.
func TestReadFormer(t *testing.T) {
	entries, err := Read([]string{"file /etc/hosts saved 0123", `unit dev-disk-by\x2duuid.swap static active`, "swap active ", "sysctl a.b 1 2"})
	want := []Entry{{File, "/etc/hosts", "saved 0123"}, {Unit, `dev-disk-by\x2duuid.swap`, "static active"}, {Swap, "active", ""}, {Sysctl, "a.b", "1 2"}}
	if err != nil || !slices.Equal(entries, want) {
		t.Errorf("it is\n%q, %v, want\n%q", entries, err, want)
	}
	if entries[2].Devices() != nil || entries[0].SavedSHA256() != "" {
		t.Errorf("devices %q, sum %q", entries[2].Devices(), entries[0].SavedSHA256())
	}
}

func TestReadDamage(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"nothing":               {"", "it is empty"},
		"a later form":          {"fairlead-ledger 3\nend 0", `it is of the form "fairlead-ledger 3", which this fairlead does not know`},
		"no end":                {"fairlead-ledger 2\nfile /a absent", "its last line, which counts the entries, is missing"},
		"only the first line":   {"fairlead-ledger 2", "its last line, which counts the entries, is missing"},
		"an entry is lost":      {strings.Replace(present, "sysctl kernel.empty \n", "", 1), "it has 5 entries and says that it has 6"},
		"more after the end":    {present + "\nfile /a absent", "line 9 comes after its end"},
		"an empty line":         {"fairlead-ledger 2\n\nend 0", "line 2 is no entry"},
		"no key":                {"file", "line 1 is no entry"},
		"no kind":               {" /a absent", "line 1 is no entry"},
		"something else":        {"????", "line 1 is no entry"},
		"a wrong escape":        {"fairlead-ledger 2\nfile /a\\9 absent\nend 1", "line 2 is no entry"},
		"a zero":                {"fairlead-ledger 2\nfile /a\\000 absent\nend 1", "line 2 is no entry"},
		"an escape that is cut": {"fairlead-ledger 2\nfile /a absent\\04\nend 1", "line 2 is no entry"},
	} {
		if _, err := Read(strings.Split(c.text, "\n")); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	if _, err := Read(nil); err == nil {
		t.Error("no lines are no ledger")
	}
	// Wherever the lines end, it is noticed.
	lines := strings.Split(present, "\n")
	for n := range lines {
		if _, err := Read(lines[:n]); err == nil {
			t.Errorf("%d of %d lines are a whole ledger", n, len(lines))
		}
	}
}

func TestUnderstood(t *testing.T) {
	for entry, want := range map[Entry]bool{
		{File, "/a", "absent"}: true, {File, "/a", "saved 0123 1 beef"}: true, {File, "/a", "moved"}: false, {File, "/a", ""}: false,
		{Tree, "/a", "existed 0123 750 0:0"}: true, {Tree, "/a", "sealed"}: false, {Dir, "/a", "absent"}: true, {Dir, "/a", "existed"}: false,
		{Module, "a", "loaded"}: true, {Module, "a", "builtin"}: false, {Net, "all", "saved"}: true, {Net, "all", "kept"}: false,
		{Package, "a", "removed"}: true, {Package, "a", "1.0"}: false, {Unit, "a", "masked-runtime inactive"}: true, {Unit, "a", "delegated active"}: false,
		{Sysctl, "a", "17"}: true, {Sysctl, "a", ""}: true, {Swap, "active", ""}: true, {Swap, "active", "/dev/sda2"}: true, {"quota", "/", "absent"}: false,
	} {
		if is := entry.Understood(); is != want {
			t.Errorf("%q: it is understood: %v", entry, is)
		}
	}
}

// What the scripts write is read here, and the other way round: there is one way to write a text.
func TestEncodeAsTheScriptsDo(t *testing.T) {
	var all strings.Builder
	for c := range 255 {
		all.WriteByte(byte(c + 1))
	}
	for _, text := range []string{"/etc/a", "/etc/a b", "a\nb\n\n", "-v", `\040`, `\`, "a=b", "ä*?[]", "\x7f\xff", all.String()} {
		command := exec.CommandContext(t.Context(), "/bin/sh", "-c", "LC_ALL=C; export LC_ALL; "+templates.Script("ledger").Text()+`
			encode "$1"
			decode "$2"
			printf '\n%s' "$decoded"`, "sh", text, Encode(text))
		out, err := command.Output()
		if want := Encode(text) + "\n" + text; err != nil || string(out) != want {
			t.Errorf("%q: the shell says %q, %v, want %q", text, out, err, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("a b\\\n", `a\040b\134`)
	f.Fuzz(func(t *testing.T, text, word string) {
		if back, err := Decode(Encode(text)); !strings.Contains(text, "\x00") && (err != nil || back != text) {
			t.Errorf("%q becomes %q, %v", text, back, err)
		}
		if text, err := Decode(word); err == nil && strings.ContainsAny(Encode(text), " \t\n") {
			t.Errorf("%q is more than a word", Encode(text))
		}
	})
}

// Whatever a ledger holds is read or is damage, and one in the present form that lost a part is never whole.
func FuzzRead(f *testing.F) {
	f.Add("fairlead-ledger 2\nfile /etc/a absent\nend 1", 20)
	f.Add("fairlead-ledger 2\nfile /etc/a\\040b saved:12:0123\nunit a.service not-found\nend 2", 30)
	f.Add("file /etc/a absent\nunit a.service enabled:active", 3)
	f.Add("", 0)
	f.Fuzz(func(t *testing.T, text string, cut int) {
		entries, err := Read(strings.Split(text, "\n"))
		if err != nil || !strings.HasPrefix(text, form+"\n") {
			return
		}
		for _, entry := range entries {
			if strings.ContainsAny(Encode(entry.Key), " \t\n") {
				t.Errorf("the key %q is more than a word", entry.Key)
			}
		}
		if cut = len(form) + 1 + max(cut, 0)%len(text); cut < len(text)-1 {
			if rest, err := Read(strings.Split(text[:cut], "\n")); err == nil && len(rest) >= len(entries) {
				t.Errorf("of %q, %q is whole", text, text[:cut])
			}
		}
	})
}

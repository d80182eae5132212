package observe

import (
	"bytes"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/provision/facts"
	"fairlead/templates"
)

// parsedAnswer is what lines say, of which a clock that is right is none.
func parsedAnswer(t *testing.T, lines ...string) facts.Host {
	t.Helper()
	now := time.Unix(1000, 0)
	seen, err := parseProbe([]byte(strings.Join(lines, "\n")+"\nend\n"), now, now)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	return seen
}

// oddLines are lines that cannot be read, with what is kept of them. There is one for every way in which a fact can be odd.
func oddLines() map[string]facts.Unread {
	const (
		noNumber, tooLarge, negative, noAddress = "it is no number", "the number is too large", "the number is negative", "it is no address"
		noName, noFact                          = "it has no name", "this fairlead knows no such fact"
	)
	digits := strings.Repeat("9", 30)
	return map[string]facts.Unread{
		"":                      {Why: noFact},
		"end":                   {Value: "end", Why: noFact},
		"weather\tfine":         {Value: `weather\tfine`, Why: noFact},
		"+ fact uid 0":          {Value: "+ fact uid 0", Why: noFact},
		"\x1b]0;x\a":            {Value: `\x1b]0;x\a`, Why: noFact},
		"\xff\u202e":            {Value: `\xff\u202e`, Why: noFact},
		"x http://u:p@lab:3128": {Value: "x http://(withheld)@lab:3128", Why: noFact},
		"my password is x":      {Value: "(withheld)", Why: noFact},
		strings.Repeat("ä", 99): {Value: strings.Repeat("ä", 60) + "…", Why: noFact},
		"uid\tx":                {Fact: "uid", Value: "x", Why: noNumber},
		"uid\t":                 {Fact: "uid", Why: noNumber},
		"uid\t-1":               {Fact: "uid", Value: "-1", Why: negative},
		"uid\t0\t0":             {Fact: "uid", Value: "0 0", Why: "it has 2 fields, want 1"},
		"clock\t1764000000N":    {Fact: "clock", Value: "1764000000N", Why: noNumber},
		"cpus\t1e3":             {Fact: "cpus", Value: "1e3", Why: noNumber},
		"memory\t" + digits:     {Fact: "memory", Value: digits, Why: tooLarge},
		"capabilities\txyz":     {Fact: "capabilities", Value: "xyz", Why: noNumber},
		"systemd\t":             {Fact: "systemd", Why: noNumber},
		"systemd\tdevel":        {Fact: "systemd", Value: "devel", Why: noNumber},
		"systemd\tv" + digits:   {Fact: "systemd", Value: "v" + digits, Why: tooLarge},
		"cgroup\tv3":            {Fact: "cgroup", Value: "v3", Why: "it is neither v2 nor v1"},
		"selinux\t":             {Fact: "selinux", Why: "it is neither 1 nor 0"},
		"os\tdebian":            {Fact: "os", Of: "debian", Why: "it has 1 field, want 5"},
		"hostname\ta\tb":        {Fact: "hostname", Value: "a b", Why: "it has 2 fields, want 1"},
		"missing-tool\t":        {Fact: "missing-tool", Why: noName},

		"disk\t/var\t/dev/vda1\t-1\t1":        {Fact: "disk", Of: "/var", Value: "/dev/vda1 -1 1", Why: "size: the number is negative"},
		"disk\t/var\t/dev/vda1\t1\tx":         {Fact: "disk", Of: "/var", Value: "/dev/vda1 1 x", Why: "free: it is no number"},
		"disk\t/var\t/dev/vda1\t1\t" + digits: {Fact: "disk", Of: "/var", Value: "/dev/vda1 1 " + digits, Why: "free: the number is too large"},
		"disk\t /var /usr\t\t\t":              {Fact: "disk", Of: " /var /usr", Why: "size: it is no number"},
		"address\twg0\tnowhere":               {Fact: "address", Of: "wg0", Value: "nowhere", Why: noAddress},
		"address\twg0\t10.8.0.2/33":           {Fact: "address", Of: "wg0", Value: "10.8.0.2/33", Why: "it has no length of a network"},
		"address\twg0\t10.8.0.2/":             {Fact: "address", Of: "wg0", Value: "10.8.0.2/", Why: "it has no length of a network"},
		"nameserver\tresolver":                {Fact: "nameserver", Value: "resolver", Why: noAddress},
		"nameserver\t":                        {Fact: "nameserver", Why: noAddress},
		"port\t65536\tx":                      {Fact: "port", Of: "65536", Value: "x", Why: tooLarge},
		"port\t-1\tx":                         {Fact: "port", Of: "-1", Value: "x", Why: "the number is negative"},
		"port\t*\tx":                          {Fact: "port", Of: "*", Value: "x", Why: noNumber},
		"port\t22\tx\ty":                      {Fact: "port", Of: "22", Value: "x y", Why: "it has 3 fields, want 2"},
		"swap\t/dev/a\tpartition":             {Fact: "swap", Of: "/dev/a", Value: "partition", Why: "it has 2 fields, want 3"},
		"swap\t\tpartition\t1":                {Fact: "swap", Value: "partition 1", Why: noName},
		"module\toverlay\tmaybe":              {Fact: "module", Of: "overlay", Value: "maybe", Why: "it is neither loaded nor absent"},
		"sysctl\tvm.swappiness":               {Fact: "sysctl", Of: "vm.swappiness", Why: "it has 1 field, want 2"},
		"absent\tfile\t/etc/a":                {Fact: "absent", Of: "file", Value: "/etc/a", Why: "it is no kernel parameter"},

		"file\t\t644\t0\t0\t1":                              {Fact: "file", Value: "644 0 0 1", Why: noName},
		"file\t/a":                                          {Fact: "file", Of: "/a", Why: "it has 1 field, want 5"},
		"file\t/a\t888\t0\t0\t1":                            {Fact: "file", Of: "/a", Value: "888 0 0 1", Why: "mode: it is no number"},
		"file\t/a\t10000\t0\t0\t1":                          {Fact: "file", Of: "/a", Value: "10000 0 0 1", Why: "mode: the number is too large"},
		"file\t/a\t644\tx\t0\t1":                            {Fact: "file", Of: "/a", Value: "644 x 0 1", Why: "owner: it is no number"},
		"file\t/a\t644\t0\t-1\t1":                           {Fact: "file", Of: "/a", Value: "644 0 -1 1", Why: "group: the number is negative"},
		"file\t/a\t644\t0\t0\t-1":                           {Fact: "file", Of: "/a", Value: "644 0 0 -1", Why: "size: the number is negative"},
		"sha256\t/never\t00":                                {Fact: "sha256", Of: "/never", Value: "00", Why: "there is no such file before its hash"},
		"sha256\t/etc/hosts\tbeef":                          {Fact: "sha256", Of: "/etc/hosts", Value: "beef", Why: "it is no SHA-256"},
		"tree\t":                                            {Fact: "tree", Why: noName},
		"content\t/a\tpassword\tsecret":                     {Fact: "content", Of: "/a", Why: "it has 3 fields, want 2"},
		"environment\tHTTP_PROXY\thttp://u:p@x\ty":          {Fact: "environment", Of: "HTTP_PROXY", Why: "it has 3 fields, want 2"},
		"unit\ta.service\tloaded":                           {Fact: "unit", Of: "a.service", Value: "loaded", Why: "it has 2 fields, want 9"},
		"unit\ta.service\tloaded\tACTIVE\t\t\t\t0\t\tno":    {Fact: "unit", Of: "a.service", Value: "loaded ACTIVE    0  no", Why: "a state of it is no word"},
		"unit\ta.service\tloaded\tactive\t\t\t\t0\t\tx":     {Fact: "unit", Of: "a.service", Value: "loaded active    0  x", Why: "it is neither yes nor no"},
		"package\tkubelet\t\theld":                          {Fact: "package", Of: "kubelet", Value: "held", Why: "it has no version"},
		"package\tkubelet\t1.37.2\tmaybe":                   {Fact: "package", Of: "kubelet", Value: "1.37.2 maybe", Why: "it is neither held nor -"},
		"image\ta\tb\tc":                                    {Fact: "image", Of: "a", Value: "b c", Why: "it has 3 fields, want 4"},
		"kubeconfig\ta\tb":                                  {Fact: "kubeconfig", Value: "a b", Why: "it has 2 fields, want 1"},
		"server\tadmin.conf":                                {Fact: "server", Of: "admin.conf", Why: "it has 1 field, want 2"},
		"certificate\t/etc/kubernetes/pki/ca.crt\t":         {Fact: "certificate", Of: templates.CACertificate, Why: "no PEM certificate in it"},
		"certificate\t/c\t-----BEGIN CERTIFICATE-----|MII|": {Fact: "certificate", Of: "/c", Why: "no PEM certificate in it"},
		"certificate\t/c\t-----BEGIN CERTIFICATE-----|TUlJ|-----END CERTIFICATE-----|": {Fact: "certificate", Of: "/c",
			Why: "parse certificate 1: x509: malformed certificate"},
	}
}

// wholeAnswer is an answer with every fact in it, a line each.
func wholeAnswer() []string {
	lines := []string{"clock\t1000000000000", "file\t/etc/hosts\t644\t0\t0\t1"}
	for _, c := range slices.Concat(machineLines(), fileLines(), clusterLines()) {
		if !strings.HasPrefix(c.line, "clock\t") && !strings.HasPrefix(c.line, "ledger") {
			lines = append(lines, strings.Split(c.line, "\n")...)
		}
	}
	return append(lines, "ledger\tfile /a absent")
}

// A line that cannot be read is a fact of its own, and wherever it stands it leaves all others as they are.
func TestOddLines(t *testing.T) {
	whole := wholeAnswer()
	want := parsedAnswer(t, whole...)
	if len(want.Unread) > 0 {
		t.Fatalf("of the whole answer cannot be read: %v", want.Unread)
	}
	tried := map[string]bool{}
	for line, unread := range oddLines() {
		tried[unread.Fact] = true
		seen := parsedAnswer(t, append(slices.Clone(whole), line)...)
		if len(seen.Unread) != 1 || seen.Unread[0] != unread {
			t.Errorf("%q is kept as\n%+v, want\n%+v", line, seen.Unread, unread)
		}
		if seen.Unread = nil; line != "clock\t1764000000N" && !reflect.DeepEqual(seen, want) {
			t.Errorf("%q changes other facts:\n%+v, want\n%+v", line, seen, want)
		}
	}
	if seen := parsedAnswer(t, "clock\tnoon"); seen.ClockOffset != 0 {
		t.Errorf("a clock that cannot be read is %v off", seen.ClockOffset)
	}
	for name, rule := range probeRules() {
		if named := rule.fields > 1 || rule.named; named && !tried[name] {
			seen := parsedAnswer(t, name+"\t")
			if len(seen.Unread) != 1 || seen.Unread[0].Fact != name {
				t.Errorf("%s without fields is %+v", name, seen.Unread)
			}
		}
	}
}

// Whatever bytes take the place of any line, there is an answer, and all other facts are as they are without that line.
func TestAnyLineCanBeReplaced(t *testing.T) {
	whole := wholeAnswer()
	for i, line := range whole {
		name, rest, _ := strings.Cut(line, "\t")
		without := parsedAnswer(t, slices.Delete(slices.Clone(whole), i, i+1)...)
		odd := []string{"", "\x00", "\r", "\x7f\x80\xff", "end\r", "\ufeff" + line, line + "\t\t", name + "\x00\t" + rest, strings.ToUpper(line), strings.Repeat("A", 1<<12), "\t" + line}
		for _, odd := range odd {
			replaced := slices.Clone(whole)
			replaced[i] = odd
			seen := parsedAnswer(t, replaced...)
			wantClean(t, seen)
			if name == "ledger" { // of which any bytes are a line, and damage
				seen.Ledger, seen.LedgerDamage, without.Ledger, without.LedgerDamage = nil, "", nil, ""
			} else if len(seen.Unread) != len(without.Unread)+1 {
				t.Errorf("%q in the place of %q: unread are %+v", odd, line, seen.Unread)
			}
			is := without
			is.Unread = seen.Unread
			if name == "clock" {
				is.ClockOffset = seen.ClockOffset
			}
			if !reflect.DeepEqual(seen, is) {
				t.Errorf("%q in the place of %q changes other facts:\n%+v, want\n%+v", odd, line, seen, is)
			}
		}
	}
}

// FuzzProbe puts any bytes in the place of any line of an answer.
func FuzzProbe(f *testing.F) {
	whole := wholeAnswer()
	for line := range oddLines() {
		f.Add(7, []byte(line))
	}
	f.Add(3, []byte("x\nend\nuid\t0"))
	f.Fuzz(func(t *testing.T, at int, odd []byte) {
		at = int(uint(at) % uint(len(whole)))
		replaced := slices.Clone(whole)
		replaced[at] = string(odd)
		seen := parsedAnswer(t, replaced...)
		wantClean(t, seen)
		if strings.HasPrefix(whole[at], "clock") || strings.HasPrefix(whole[at], "ledger") || bytes.HasPrefix(odd, []byte("ledger\t")) || bytes.ContainsRune(odd, '\n') {
			return // these are of all lines of a kind, or there are more lines than one
		}
		without := parsedAnswer(t, slices.Delete(slices.Clone(whole), at, at+1)...)
		if len(seen.Unread) == len(without.Unread) {
			return // it can be read
		}
		if seen.Unread = without.Unread; bytes.HasPrefix(odd, []byte("clock\t")) {
			seen.ClockOffset = without.ClockOffset
		}
		if !reflect.DeepEqual(seen, without) {
			t.Errorf("%q in the place of %q changes other facts:\n%+v, want\n%+v", odd, whole[at], seen, without)
		}
	})
}

// FuzzParseProbe has any answer be none only where its end is missing.
func FuzzParseProbe(f *testing.F) {
	f.Add([]byte(strings.Join(wholeAnswer(), "\n") + "\nend\n"))
	f.Add([]byte("certificate\t/a\tLS0t\nport\t22\tsshd\nend\n"))
	f.Add([]byte("\nend\n"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		now := time.Unix(1000, 0)
		seen, err := parseProbe(answer, now, now)
		if whole := bytes.HasSuffix(answer, []byte("\nend\n")); (err == nil) != whole {
			t.Errorf("the answer is whole: %v; error %v", whole, err)
		}
		wantClean(t, seen)
		for path, file := range seen.Files {
			if path == "" || file.Mode > 0o7777 || file.Size < 0 || file.UID < 0 || file.GID < 0 {
				t.Errorf("file %q is %+v", path, file)
			}
		}
	})
}

// wantClean fails the test where a fact has text that a terminal would not print as it is. Texts of files are kept as they are, and
// so are the paths in a ledger, by which things are found again.
func wantClean(t *testing.T, seen facts.Host) {
	t.Helper()
	seen.Ledger = nil
	walk(reflect.ValueOf(seen), func(text string) {
		if facts.Printable(text) != text {
			t.Errorf("a fact is %q", text)
		}
	})
}

// walk visits all texts in a value.
func walk(v reflect.Value, visit func(string)) {
	switch v.Interface().(type) {
	case netip.Addr, netip.Prefix, []byte:
		return
	}
	switch v.Kind() {
	case reflect.String:
		visit(v.String())
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				walk(v.Field(i), visit)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), visit)
		}
	case reflect.Map:
		for key, value := range v.Seq2() {
			walk(key, visit)
			walk(value, visit)
		}
	}
}

// What people and systems write in other ways than most is understood.
func TestUnusualFactsAreUnderstood(t *testing.T) {
	link := func(text string) []facts.LinkAddress {
		return []facts.LinkAddress{{Link: "wg0", Prefix: netip.MustParsePrefix(text)}}
	}
	for line, want := range map[string]func(*facts.Host) (is, want any){
		"address\twg0\t10.8.0.2":         func(h *facts.Host) (any, any) { return h.Addresses, link("10.8.0.2/32") },
		"address\twg0\t10.8.0.2/24":      func(h *facts.Host) (any, any) { return h.Addresses, link("10.8.0.2/24") },
		"address\twg0\tfd00::2":          func(h *facts.Host) (any, any) { return h.Addresses, link("fd00::2/128") },
		"address\twg0\tfe80::1%wg0/64":   func(h *facts.Host) (any, any) { return h.Addresses, link("fe80::1/64") },
		"nameserver\tfe80::1%eth0":       func(h *facts.Host) (any, any) { return fmt.Sprint(h.Nameservers), "[fe80::1%eth0]" },
		"systemd\tv251":                  func(h *facts.Host) (any, any) { return h.Systemd, 251 },
		"systemd\t252.22-1~deb12u1":      func(h *facts.Host) (any, any) { return h.Systemd, 252 },
		"systemd\tsystemd 255 (255.4-1)": func(h *facts.Host) (any, any) { return h.Systemd, 255 },
		"disk\t/\t//nas/my share\t100\t-20": func(h *facts.Host) (any, any) {
			return h.Disks[0], facts.Disk{Folder: "/", Device: "//nas/my share", SizeKiB: 100}
		},
		"port\t22\ta\x01b\xff": func(h *facts.Host) (any, any) { return h.Ports[22], `a\x01b\xff` },
		"file\t/a\t644\t4294967294\t65534\t1": func(h *facts.Host) (any, any) {
			return h.Files["/a"], facts.File{Mode: 0o644, UID: 4294967294, GID: 65534, Size: 1}
		},
		"swap\t/a\\011b\\033\tfile\t1": func(h *facts.Host) (any, any) { return h.Swaps[0].Device, `/a\tb\x1b` },
	} {
		seen := parsedAnswer(t, line)
		if len(seen.Unread) > 0 {
			t.Errorf("%q cannot be read: %+v", line, seen.Unread)
			continue
		}
		if is, want := want(&seen); !reflect.DeepEqual(is, want) {
			t.Errorf("%q is %v, want %v", line, is, want)
		}
	}
}

package templates

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// damagedLedgers are ledgers that cannot be trusted as a whole, and what is said of them.
func damagedLedgers() map[string]struct{ text, says string } {
	const entries = "file /etc/a absent\nfile /etc/b saved 0123 0 0\nmodule overlay absent\n"
	return map[string]struct{ text, says string }{
		"empty":                       {"", "it is empty"},
		"zeroes":                      {strings.Repeat("\x00", 100), "it has zero bytes"},
		"zeroes at the end":           {framed(entries)[:40] + "\x00\x00", "it has zero bytes"},
		"only the first line":         {"fairlead-ledger 2\n", "its last line, which counts the entries, is missing"},
		"cut after an entry":          {"fairlead-ledger 2\nfile /etc/a absent\n", "its last line, which counts the entries, is missing"},
		"cut in an entry":             {"fairlead-ledger 2\nfile /etc/a abs", "its last line is cut"},
		"cut before its last byte":    {strings.TrimSuffix(framed(entries), "\n"), "its last line is cut"},
		"an entry is lost":            {strings.Replace(framed(entries), "module overlay absent\n", "", 1), "it has 2 entries and says that it has 3"},
		"an entry is too many":        {strings.Replace(framed(entries), "end", "file /etc/c absent\nend", 1), "it has 4 entries and says that it has 3"},
		"more after its end":          {framed(entries) + "file /etc/c absent\n", "line 6 comes after its end"},
		"a later form":                {"fairlead-ledger 3\nwhat/ever\n", `it is of the form "fairlead-ledger 3", which this fairlead does not know`},
		"a line that is no entry":     {framed(entries + "?\n"), "line 5 is no entry"},
		"an empty line":               {framed(entries + "\n"), "line 5 is no entry"},
		"a wrong escape":              {framed(entries + `file /etc/\9 absent` + "\n"), "line 5 is no entry"},
		"the former form, cut":        {"file /etc/a absent\nfile /etc/b ab", "its last line is cut"},
		"the former form, with a tab": {"file /etc/a\tabsent\n", "line 1 is no entry"},
		"something else":              {"\x7fELF\x01\n", "line 1 is no entry"},
	}
}

// Nothing is done by a ledger that cannot be trusted, by no script, and all that was saved stays.
func TestDamagedLedger(t *testing.T) {
	for name, damage := range damagedLedgers() {
		t.Run(name, func(t *testing.T) {
			for script, args := range map[Script][]string{
				ScriptReset: nil, ScriptRecord: {"file:/etc/new"}, ScriptRemoveFiles: {"/etc/a"}, ScriptPackagesApt: {"account"},
			} {
				s := wholeHost(t)
				s.write("bin/flock", standInPrelude)
				s.put("/etc/a", "ours\n")
				s.write("state/packages.pending", "kubelet absent\n")
				s.write("state/ledger", damage.text)
				transcript, ok := s.onHost(resetKill+script.Text(), args...)
				if ok || !strings.Contains(transcript, "| the ledger /var/lib/fairlead/ledger is damaged: "+damage.says+". Nothing was changed. ") {
					t.Errorf("%s: it went well: %v, and did\n%s", script, ok, transcript)
				}
				for line := range strings.Lines(transcript) {
					if !strings.HasPrefix(line, "$ ") && !strings.HasPrefix(line, "| the ledger") && !strings.HasPrefix(line, "flock") && !strings.HasPrefix(line, "dpkg-query --show") &&
						!strings.HasPrefix(line, "rm -f /var/lib/fairlead/packages.now.") && !strings.HasPrefix(line, "exit status 1") {
						t.Errorf("%s: it did %s", script, line)
					}
				}
				s.wantFile("state/ledger", damage.text)
				s.wantText("/etc/a", "ours\n")
				s.wantThere("/var/lib/fairlead/saved/"+s.savedName("/etc/fstab"), "/var/lib/fairlead/saved/links", "/var/lib/kubelet/config.yaml", "/var/lib/fairlead/packages.pending")
			}
		})
	}
}

// Wherever a ledger is cut, it is noticed.
func TestLedgerThatIsCutAnywhere(t *testing.T) {
	s := newStandIns(t, nil)
	s.write("whole", framed("file /etc/a absent\n"+`swap active /dev/sda2,/swap\040file`+"\nsysctl kernel.panic 0\n"+strings.Repeat("dir /a absent\n", 9)))
	s.write("state/ledger", "")
	size := len(s.read("whole"))
	transcript := s.ran(Script("ledger").Text() + fmt.Sprintf(`
		n=0
		while [ $n -lt %d ]; do
			head -c $n "$S/whole" >"$ledger"
			[ -n "$(damage)" ] || echo "cut at $n"
			n=$((n + 1))
		done
		cp "$S/whole" "$ledger"
		damage`, size))
	if transcript != "$ \n" {
		t.Errorf("it said\n%s", transcript)
	}
}

// What was saved and the ledger is gone: neither does anybody begin a new one, nor is that nothing to undo.
func TestLedgerThatIsGone(t *testing.T) {
	for script, args := range map[Script][]string{ScriptReset: nil, ScriptRecord: {"file:/etc/fstab"}} {
		s := wholeHost(t)
		s.write("bin/flock", standInPrelude)
		s.remove("/var/lib/fairlead/ledger")
		transcript, ok := s.onHost(resetKill+script.Text(), args...)
		if ok || !strings.Contains(transcript, "| the ledger /var/lib/fairlead/ledger is gone, and /var/lib/fairlead/saved holds what it referred to. Nothing was changed") {
			t.Errorf("%s: it did\n%s", script, transcript)
		}
		s.wantText("/var/lib/fairlead/saved/"+s.savedName("/etc/fstab"), "/dev/sda2 none swap sw\n")
		s.wantText("/etc/fstab", "#/dev/sda2 none swap sw\n")
	}
}

// After a reset that was cut off when all was undone, a run begins anew.
func TestRecordAfterAResetThatWasCutOff(t *testing.T) {
	for _, ledger := range []string{"", "file /etc/old absent\n"} {
		s := recordHost(t)
		s.write("state/saved/0123", "")
		s.write("state/undone", "")
		if ledger != "" {
			s.putLedger(ledger)
		}
		s.recorded(ledger+"file /etc/new absent\n", "file:/etc/new")
		s.wantGone("/var/lib/fairlead/undone")
	}
}

// A damaged entry is named and stays as it is, with all that was saved; the others are undone. Once it is mended, the next
// reset ends it.
func TestResetOfDamagedEntries(t *testing.T) {
	const fstab = "/dev/sda2 none swap sw\n"
	stays := func(path, text string) func(s *standIns) { return func(s *standIns) { s.wantText(path, text) } }
	for name, c := range map[string]struct {
		damage func(s *standIns)
		says   string
		check  func(s *standIns)
	}{
		"an empty copy":   {func(s *standIns) { s.put("/var/lib/fairlead/saved/"+s.savedName("/etc/fstab"), "") }, "cannot restore /etc/fstab: its saved copy is lost or damaged", stays("/etc/fstab", "#"+fstab)},
		"a cut copy":      {func(s *standIns) { s.put("/var/lib/fairlead/saved/"+s.savedName("/etc/fstab"), fstab[:9]) }, "cannot restore /etc/fstab: its saved copy is lost or damaged", stays("/etc/fstab", "#"+fstab)},
		"another copy":    {func(s *standIns) { s.put("/var/lib/fairlead/saved/"+s.savedName("/etc/fstab"), strings.ToUpper(fstab)) }, "cannot restore /etc/fstab: its saved copy is lost or damaged", stays("/etc/fstab", "#"+fstab)},
		"a lost copy":     {func(s *standIns) { s.remove("/var/lib/fairlead/saved/" + s.savedName("/etc/fstab")) }, "cannot restore /etc/fstab: its saved copy is lost or damaged", stays("/etc/fstab", "#"+fstab)},
		"an empty list":   {func(s *standIns) { s.write("state/saved/"+s.savedName("/var/lib/kubelet")+".names", "") }, "keeping what is in /var/lib/kubelet: the list of what was in it before is lost or damaged", nil},
		"a lost list":     {func(s *standIns) { s.remove("/var/lib/fairlead/saved/" + s.savedName("/var/lib/kubelet") + ".names") }, "keeping what is in /var/lib/kubelet: the list", nil},
		"lost links":      {func(s *standIns) { s.remove("/var/lib/fairlead/saved/links") }, "keeping interfaces and rules: the list of those that were there before is lost or damaged", nil},
		"damaged chains":  {func(s *standIns) { s.put("/var/lib/fairlead/saved/chains", "ip nat\n") }, "keeping interfaces and rules: the list of those that were there before is lost or damaged", nil},
		"an unknown kind": {addEntry("quota /home absent"), "keeping quota /home: this fairlead does not know such entries of the ledger", nil},
		"a word for a file": {addEntry("file /etc/fstab moved 0123"), "keeping file /etc/fstab: this fairlead does not know how it was before: moved",
			nil},
		"a word for a folder": {addEntry("tree /var/lib/theirs sealed"), "keeping tree /var/lib/theirs: this fairlead does not know how it was before: sealed", func(s *standIns) { s.wantThere("/var/lib/theirs/a") }},
		"a word for a dir":    {addEntry("dir /var/lib/theirs sealed"), "keeping dir /var/lib/theirs: this fairlead does not know how it was before: sealed", func(s *standIns) { s.wantThere("/var/lib/theirs/a") }},
		"a word for a module": {addEntry("module ext4 builtin"), "keeping module ext4: this fairlead does not know how it was before: builtin", nil},
		"a word for a unit":   {addEntry("unit ssh.service delegated inactive"), "keeping unit ssh.service: this fairlead does not know how it was before: delegated", nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := wholeHost(t)
			s.put("/var/lib/theirs/a", "")
			whole := t.TempDir()
			if err := os.CopyFS(whole, os.DirFS(s.path("state"))); err != nil {
				t.Fatal(err)
			}
			c.damage(s)
			ledger := s.read("state/ledger")
			transcript := s.refused(resetKill + ScriptReset.Text())
			if !strings.Contains(transcript, "| "+c.says) || strings.Contains(transcript, "modprobe -r ext4") || strings.Contains(transcript, "ssh.service\nsystemctl") {
				t.Errorf("it did\n%s", transcript)
			}
			if c.check != nil {
				c.check(s)
			}
			s.wantFile("state/ledger", ledger)
			s.wantThere("/var/lib/kubelet/theirs", "/var/lib/fairlead/saved")
			s.wantGone("/var/lib/etcd", "/etc/containerd/config.toml")
			// Mended.
			if err := os.RemoveAll(s.path("state")); err != nil {
				t.Fatal(err)
			}
			if err := os.CopyFS(s.path("state"), os.DirFS(whole)); err != nil {
				t.Fatal(err)
			}
			s.ran(resetKill + ScriptReset.Text())
			s.wantText("/etc/fstab", fstab)
			s.wantGone("/var/lib/fairlead", "/var/lib/kubelet/config.yaml")
			s.wantThere("/var/lib/kubelet/theirs")
		})
	}
}

// addEntry adds an entry to a ledger, and counts it.
func addEntry(entry string) func(s *standIns) {
	return func(s *standIns) {
		s.t.Helper()
		_, entries, _ := strings.Cut(s.read("state/ledger"), "\n")
		entries = entries[:strings.LastIndex(entries, "end ")]
		s.write("state/ledger", framed(entries+s.rooted(entry)+"\n"))
	}
}

// The former form, which had no sums and escaped nothing, is undone as ever, and becomes the present one when it is written.
func TestFormerLedger(t *testing.T) {
	lay := func(t *testing.T) *standIns {
		t.Helper()
		s := wholeHost(t)
		s.write("bin/flock", standInPrelude)
		s.put("/var/lib/fairlead/saved/"+s.savedName("/var/lib/kubelet"), "/var/lib/kubelet/theirs\n")
		s.remove("/var/lib/fairlead/saved/" + s.savedName("/var/lib/kubelet") + ".names")
		s.write("state/saved/swaps", "/dev/sda2\n")
		s.put("/var/lib/fairlead/ledger", "swap active /dev/sda2,"+`/swap\040file`+"\nfile /etc/fstab saved "+s.savedName("/etc/fstab")+"\nfile /etc/containerd/config.toml absent\n"+
			"tree /var/lib/kubelet existed "+s.savedName("/var/lib/kubelet")+" 700 0:0\nsysctl net.ipv4.ip_forward 1 2\n"+`unit dev-disk-by\x2duuid.swap static active`+"\nnet all saved\n")
		return s
	}
	s := lay(t)
	transcript := s.ran(resetKill + ScriptReset.Text())
	for _, want := range []string{"\nswapon /swap file\n", "\nsystemctl start dev-disk-by\\x2duuid.swap\n", "\nip link delete cni0\n"} {
		if !strings.Contains(transcript, want) {
			t.Errorf("there is no %q in\n%s", want, transcript)
		}
	}
	s.wantText("/etc/fstab", "/dev/sda2 none swap sw\n")
	s.wantText("/proc/sys/net/ipv4/ip_forward", "1 2\n")
	s.wantThere("/var/lib/kubelet/theirs")
	s.wantGone("/var/lib/fairlead", "/var/lib/kubelet/config.yaml", "/etc/containerd/config.toml")

	s = lay(t)
	s.ran(ScriptRecord.Text(), "module:overlay")
	s.wantLedger("swap active /dev/sda2," + `/swap\040file` + "\nfile /etc/fstab saved NAME(/etc/fstab) SUMS(/etc/fstab)\nfile /etc/containerd/config.toml absent\n" +
		"tree /var/lib/kubelet existed NAME(/var/lib/kubelet) 700 0:0 SUMS(/var/lib/kubelet)\n" + `sysctl net.ipv4.ip_forward 1\0402` + "\n" +
		`unit dev-disk-by\134x2duuid.swap static active` + "\nnet all saved SUMS(links) SUMS(chains)\nmodule overlay absent\n")
	s.ran(resetKill + ScriptReset.Text())
	s.wantThere("/var/lib/kubelet/theirs")
	s.wantGone("/var/lib/fairlead", "/var/lib/kubelet/config.yaml")

	// What it refers to and is lost is found all the same.
	s = lay(t)
	s.remove("/var/lib/fairlead/saved/" + s.savedName("/var/lib/kubelet"))
	s.ran(ScriptRecord.Text(), "module:overlay")
	if transcript := s.refused(resetKill + ScriptReset.Text()); !strings.Contains(transcript, "| keeping what is in /var/lib/kubelet: ") {
		t.Errorf("it did\n%s", transcript)
	}
	s.wantThere("/var/lib/kubelet/theirs", "/var/lib/kubelet/config.yaml", "/var/lib/fairlead/ledger")
}

// Paths with blanks, and what a shell or a list would take for something else, are recorded and undone.
func TestRecordAndResetOfOddPaths(t *testing.T) {
	paths := []string{"/etc/a b/c", `/etc/\040`, "/etc/*", "/etc/tab\there", "/etc/new\nline", "/etc/-rf", "/etc/ä"}
	s := recordHost(t)
	var args []string
	for _, path := range paths {
		args = append(args, "file:"+path)
		if path != paths[0] {
			s.put(path, "theirs "+path)
		}
	}
	s.put("/etc/other", "other")
	for range 2 {
		if transcript, ok := s.onHost(ScriptRecord.Text(), args...); !ok {
			t.Fatalf("it failed:\n%s", transcript)
		}
		for _, path := range paths {
			s.put(path, "ours")
		}
	}
	s.ran(resetPart(t, "restore"))
	s.wantGone("/etc/a b")
	for _, path := range paths[1:] {
		s.wantText(path, "theirs "+path)
	}
	s.wantText("/etc/other", "other")
}

// What the ledger refers to is on the disk before the ledger is replaced, and the ledger before the step goes on.
func TestRecordSyncs(t *testing.T) {
	s := recordHost(t)
	s.put("/etc/fstab", "a\n")
	s.put("/etc/cni/a", "")
	s.write("bin/sync", standInPrelude)
	s.write("bin/mv", standInPrelude+`exec "$S/tools/mv" "$@"`)
	transcript, ok := s.onHost(ScriptRecord.Text(), "file:/etc/fstab", "tree:/etc/cni")
	const folder = "/var/lib/fairlead"
	begun := "sync " + folder + "/ledger.new\nmv -f " + folder + "/ledger.new " + folder + "/ledger\nsync " + folder + " DIR\n"
	want := "flock 9\n" + folder + "/lock\n" + begun + "sync " + folder + "/saved/" + s.savedName("/etc/fstab") + "\nsync " + folder + "/saved/" + s.savedName("/etc/cni") + ".names\n" +
		"sync " + folder + "/saved\n" + begun
	if _, did, _ := strings.Cut(transcript, "\n"); !ok || did != want {
		t.Errorf("it did\n%s\ninstead of\n%s", did, want)
	}
	// Where nothing can be written for good, nothing is begun.
	s.write("bin/sync", standInPrelude+`case $* in */saved) exit 1 ;; esac`)
	ledger := s.text("/var/lib/fairlead/ledger")
	if transcript, ok := s.onHost(ScriptRecord.Text(), "file:/etc/never"); ok {
		t.Errorf("it went well:\n%s", transcript)
	}
	s.wantText("/var/lib/fairlead/ledger", ledger)
}

package templates

import (
	"os"
	"strings"
	"testing"
)

// undoHost is a host on which a command fails that is in the file fails.
func undoHost(t *testing.T) *standIns {
	t.Helper()
	const fails = `! grep -qxF "${0##*/} $*" "$S/fails" 2>/dev/null || exit 1` + "\n"
	s := newHost(t, map[string]string{
		"systemctl": fails, "modprobe": fails, "swapon": fails + `printf '%s file 1 0 -2\n' "$1" >>"$S/host/proc/swaps"`, "chown": fails,
		"rm": fails + `exec "$S/tools/rm" "$@"`,
	})
	s.put("/var/lib/fairlead/saved/README", "")
	return s
}

// What undo does for a line of the ledger.
type undone struct {
	lay   func(s *standIns)
	entry string // as filled makes it
	fails string // a command that fails
	did   string // without rm
	says  string
	check func(s *standIns)
	bad   bool // the ledger has to stay
}

func (c undone) try(t *testing.T) {
	t.Helper()
	s := undoHost(t)
	if c.lay != nil {
		c.lay(s)
	}
	s.write("fails", s.rooted(c.fails))
	transcript, ok := s.onHost(resetPart(t, `undo "$@"`), strings.Fields(s.filled(c.entry))...)
	var did, says strings.Builder
	for line := range strings.Lines(transcript) {
		text, printed := strings.CutPrefix(line, "| ")
		switch {
		case printed:
			says.WriteString(text)
		case !strings.HasPrefix(line, "$") && !strings.HasPrefix(line, "rm ") && !strings.HasPrefix(line, "exit status"):
			did.WriteString(line)
		}
	}
	if did.String() != c.did || says.String() != c.says || ok == c.bad {
		t.Errorf("it went well: %v, said %q instead of %q, and did\n%sinstead of\n%s\nin all\n%s", ok, says.String(), c.says, did.String(), c.did, transcript)
	}
	if c.check != nil {
		c.check(s)
	}
}

func TestResetUndoesFiles(t *testing.T) {
	saved := func(path, text string) func(s *standIns) {
		return func(s *standIns) {
			s.put(path, "ours\n")
			s.put(path+".fairlead", "half")
			s.put(path+".fairlead-new", "half")
			s.put("/var/lib/fairlead/saved/"+s.savedName(path), text)
			s.chmod("/var/lib/fairlead/saved/"+s.savedName(path), 0o640)
		}
	}
	for name, c := range map[string]undone{
		"saved": {
			lay: saved("/etc/fstab", "theirs\n"), entry: "file /etc/fstab saved NAME(/etc/fstab) SUMS(/etc/fstab)",
			check: func(s *standIns) {
				s.wantText("/etc/fstab", "theirs\n")
				s.wantMode("/etc/fstab", 0o640)
				s.wantGone("/etc/fstab.fairlead", "/etc/fstab.fairlead-new", "/etc/fstab.fairlead-old")
			},
		},
		"saved, a link": {
			lay: func(s *standIns) {
				s.put("/etc/resolv.conf", "ours\n")
				s.symlink("nowhere", "/var/lib/fairlead/saved/"+s.savedName("/etc/resolv.conf"))
			},
			entry: "file /etc/resolv.conf saved NAME(/etc/resolv.conf) SUMS(/etc/resolv.conf)",
			check: func(s *standIns) {
				if to, err := os.Readlink(s.at("/etc/resolv.conf")); to != "nowhere" {
					s.t.Errorf("the link leads to %q, %v", to, err)
				}
			},
		},
		"saved, removed since": {
			lay: func(s *standIns) {
				saved("/etc/a", "theirs\n")(s)
				s.remove("/etc/a")
			},
			entry: "file /etc/a saved NAME(/etc/a) SUMS(/etc/a)", check: func(s *standIns) { s.wantText("/etc/a", "theirs\n") },
		},
		"absent": {
			lay: saved("/etc/a", ""), entry: "file /etc/a absent",
			check: func(s *standIns) { s.wantGone("/etc/a", "/etc/a.fairlead", "/etc/a.fairlead-new") },
		},
		"absent, gone": {entry: "file /etc/a/b absent"},
		"absent, stays": {
			lay: saved("/etc/a", ""), entry: "file /etc/a absent", fails: "rm -f /etc/a", says: "cannot remove /etc/a\n", bad: true,
		},
	} {
		t.Run(name, c.try)
	}
	t.Run("saved, and lost", func(t *testing.T) {
		s := undoHost(t)
		s.put("/etc/a", "ours\n")
		transcript, ok := s.onHost(resetPart(t, `undo "$@"`), "file", "/etc/a", "saved", "0123", "0", strings.Fields(sumsOf(""))[1])
		if ok || !strings.Contains(transcript, "| cannot restore /etc/a: its saved copy is lost or damaged") {
			t.Errorf("it did\n%s", transcript)
		}
		s.wantText("/etc/a", "ours\n")
	})
}

func TestResetUndoesTrees(t *testing.T) {
	own := own()
	lay := func(s *standIns) {
		for _, path := range []string{"/etc/cni/net.d/theirs.conf", "/etc/cni/net.d/ours.conf", "/etc/cni/ours/a", "/etc/cni/ours/b/c", "/etc/cni/ours too"} {
			s.put(path, "")
		}
		s.symlink("/", "/etc/cni/link")
		s.keep("/etc/cni", "/etc/cni/net.d", "/etc/cni/net.d/theirs.conf", "/etc/cni/never")
		s.chmod("/etc/cni", 0o777)
	}
	for name, c := range map[string]undone{
		"existed": {
			lay: lay, entry: "tree /etc/cni existed TREE(/etc/cni) 750 " + own + " SUMS(/etc/cni)", did: "chown " + own + " /etc/cni\n",
			check: func(s *standIns) {
				s.wantThere("/etc/cni/net.d/theirs.conf")
				s.wantGone("/etc/cni/net.d/ours.conf", "/etc/cni/ours", "/etc/cni/ours too", "/etc/cni/link")
				s.wantMode("/etc/cni", os.ModeDir|0o750)
			},
		},
		"existed, gone": {entry: "tree /etc/cni existed TREE(/etc/cni) 750 " + own + " SUMS(/etc/cni)", check: func(s *standIns) { s.wantGone("/etc/cni") }},
		// Without knowing what was there before, nothing may go.
		"existed, the list is lost": {
			lay: func(s *standIns) { s.put("/etc/cni/a", "") }, entry: "tree /etc/cni existed TREE(/etc/cni) 755 " + own + " SUMS(/etc/cni)",
			says: "keeping what is in /etc/cni: the list of what was in it before is lost or damaged\n", bad: true,
			check: func(s *standIns) { s.wantThere("/etc/cni/a") },
		},
		"existed, another owner": {
			lay: lay, entry: "tree /etc/cni existed TREE(/etc/cni) 750 " + own + " SUMS(/etc/cni)", fails: "chown " + own + " /etc/cni",
			did: "chown " + own + " /etc/cni\n", says: "cannot restore the mode of /etc/cni\n", bad: true,
		},
		"absent": {
			lay: func(s *standIns) { s.put("/var/lib/etcd/member/a", "") }, entry: "tree /var/lib/etcd absent",
			check: func(s *standIns) { s.wantGone("/var/lib/etcd"); s.wantThere("/var/lib") },
		},
		"absent, gone": {entry: "tree /var/lib/etcd absent"},
		"absent, stays": {
			lay: func(s *standIns) { s.put("/var/lib/etcd/a", "") }, entry: "tree /var/lib/etcd absent",
			fails: "rm -rf --one-file-system /var/lib/etcd", says: "cannot remove /var/lib/etcd\n", bad: true,
		},
		"folder":                  {lay: func(s *standIns) { s.mkdir("/usr/lib/modules") }, entry: "dir /usr/lib/modules absent", check: func(s *standIns) { s.wantGone("/usr/lib/modules") }},
		"folder, gone":            {entry: "dir /usr/lib/modules absent"},
		"folder of others by now": {lay: func(s *standIns) { s.put("/usr/lib/modules/a", "") }, entry: "dir /usr/lib/modules absent", says: "keeping /usr/lib/modules, which is not empty\n", check: func(s *standIns) { s.wantThere("/usr/lib/modules/a") }},
	} {
		t.Run(name, c.try)
	}
}

// What cannot be removed of a folder is told.
func TestResetCannotEmptyATree(t *testing.T) {
	s := undoHost(t)
	s.put("/etc/cni/a", "")
	s.write("state/saved/0123.names", "")
	s.write("bin/rm", standInPrelude+"exit 1\n")
	if transcript, ok := s.onHost(resetPart(t, `empty_tree "$@"`), append([]string{"/etc/cni", "0123.names"}, strings.Fields(sumsOf(""))...)...); ok || !strings.HasSuffix(transcript, "rm -fd -- /etc/cni/a\n| cannot empty /etc/cni\nexit status 1\n") {
		t.Errorf("it did\n%s", transcript)
	}
}

// A mount of others below a folder of the cluster is no part of it.
func TestResetStaysOnTheFileSystem(t *testing.T) {
	s := undoHost(t)
	s.put("/var/lib/etcd/a", "")
	s.wantRun("rm -rf --one-file-system /var/lib/etcd\n", resetPart(t, `undo "$@"`), "tree", "/var/lib/etcd", "absent")
}

func TestResetUndoesTheKernel(t *testing.T) {
	const forward = "/proc/sys/net/ipv4/ip_forward"
	for name, c := range map[string]undone{
		"sysctl": {
			lay: func(s *standIns) { s.put(forward, "1\n") }, entry: "sysctl net.ipv4.ip_forward 0",
			check: func(s *standIns) { s.wantText(forward, "0\n") },
		},
		"sysctl, some numbers": {
			lay: func(s *standIns) { s.put(forward, "1\t2\n") }, entry: `sysctl net.ipv4.ip_forward 32768\04060999`,
			check: func(s *standIns) { s.wantText(forward, "32768 60999\n") },
		},
		// Writing may do more than setting.
		"sysctl as it was": {
			lay: func(s *standIns) { s.put(forward, "32768\t60999\n") }, entry: `sysctl net.ipv4.ip_forward 32768\04060999`,
			check: func(s *standIns) { s.wantText(forward, "32768\t60999\n") },
		},
		"sysctl of a module that was not loaded": {
			lay: func(s *standIns) { s.put(forward, "1\n") }, entry: "sysctl net.ipv4.ip_forward absent",
			check: func(s *standIns) { s.wantText(forward, "1\n") },
		},
		"sysctl of a module that is gone": {entry: "sysctl net.bridge.x 1", check: func(s *standIns) { s.wantGone("/proc/sys/net") }},
		"module":                          {entry: "module overlay absent", did: "modprobe -r overlay\n"},
		"module, there":                   {entry: "module overlay loaded"},
		"module that is used":             {entry: "module overlay absent", fails: "modprobe -r overlay", did: "modprobe -r overlay\n", says: "keeping kernel module overlay, which is in use\n"},
		// These are undone elsewhere, all at once.
		"swap":    {entry: "swap active /dev/sda2"},
		"net":     {entry: "net all saved"},
		"package": {entry: "package kubelet absent"},
	} {
		t.Run(name, c.try)
	}
	t.Run("sysctl that cannot be set", func(t *testing.T) {
		s := undoHost(t)
		s.mkdir(forward) // which cannot be written
		transcript, ok := s.onHost(resetPart(t, `undo "$@"`), "sysctl", "net.ipv4.ip_forward", "0")
		if ok || !strings.Contains(transcript, "| cannot restore sysctl net.ipv4.ip_forward\n") {
			t.Errorf("it did\n%s", transcript)
		}
	})
}

func TestResetUndoesUnits(t *testing.T) {
	for name, c := range map[string]undone{
		"ours":              {entry: "unit a.service not-found inactive"},
		"to come at a boot": {entry: "unit dev-zram0.swap not-found inactive", did: "systemctl unmask --quiet dev-zram0.swap\n"},
		"to come, and fails": {
			entry: "unit dev-zram0.swap not-found inactive", fails: "systemctl unmask --quiet dev-zram0.swap",
			did: "systemctl unmask --quiet dev-zram0.swap\n", says: "cannot unmask unit dev-zram0.swap\n", bad: true,
		},
		"generated":          {entry: "unit dev-vda3.swap generated active", did: "systemctl unmask --quiet dev-vda3.swap\n"},
		"enabled, active":    {entry: "unit a.service enabled active", did: "systemctl unmask --quiet a.service\nsystemctl enable --quiet a.service\n"},
		"enabled, inactive":  {entry: "unit a.service enabled inactive", did: "systemctl unmask --quiet a.service\nsystemctl enable --quiet a.service\nsystemctl stop a.service\n"},
		"disabled, inactive": {entry: "unit a.service disabled inactive", did: "systemctl unmask --quiet a.service\nsystemctl disable --quiet a.service\nsystemctl stop a.service\n"},
		"disabled, failed":   {entry: "unit a.service disabled failed", did: "systemctl unmask --quiet a.service\nsystemctl disable --quiet a.service\nsystemctl stop a.service\n"},
		"static, active":     {entry: "unit a.swap static active", did: "systemctl unmask --quiet a.swap\n"},
		"masked":             {entry: "unit a.swap masked inactive"},
		"masked, running":    {entry: "unit a.service masked active"},
		// A kubelet that waits for its configuration starts again and again.
		"starting": {entry: "unit a.service enabled activating", did: "systemctl unmask --quiet a.service\nsystemctl enable --quiet a.service\n"},
		"gone since": {
			entry: "unit a.service static inactive", fails: "systemctl stop a.service",
			did: "systemctl unmask --quiet a.service\nsystemctl stop a.service\n",
		},
	} {
		t.Run(name, c.try)
	}
}

// The ledger is undone backwards, units of ours are disabled while their files are there, and swap
// that was on is turned on again, unless a unit did so already.
func TestResetRestores(t *testing.T) {
	lay := func(t *testing.T) *standIns {
		t.Helper()
		s := undoHost(t)
		s.putLedger("swap active /dev/sda2,/swapfile,/dev/sda3\ndir /etc/a absent\nfile /etc/a/b absent\nmodule overlay absent\nunit ours.service not-found inactive\nunit theirs.service enabled active\nsysctl kernel.panic 1\\0402\n")
		s.put("/etc/a/b", "")
		s.put("/proc/sys/kernel/panic", "0\n")
		s.put("/proc/swaps", noSwap+"/dev/sda3 partition 1 0 -2\n/dev/sda25 partition 1 0 -2\n")
		return s
	}
	const did = "systemctl disable --quiet ours.service\nsystemctl unmask --quiet theirs.service\nsystemctl enable --quiet theirs.service\nmodprobe -r overlay\n" +
		"rm -f /etc/a/b\nrm -f /etc/a/b.fairlead-new /etc/a/b.fairlead\nsystemctl daemon-reload\nsystemctl reset-failed ours.service\nsystemctl restart theirs.service\nswapon /dev/sda2\nswapon /swapfile\n| restoring files and settings\n"
	s := lay(t)
	s.wantRun(did, resetPart(t, "restore"))
	s.wantGone("/etc/a")
	s.wantText("/proc/sys/kernel/panic", "1 2\n")
	s = lay(t)
	s.write("fails", "swapon /dev/sda2\n")
	s.wantRefusal(did+"| cannot turn swap on again: /dev/sda2\nexit status 1\n", resetPart(t, "restore"))
	s = lay(t)
	s.write("fails", "systemctl restart theirs.service\n")
	s.wantRefusal(did+"| cannot restart theirs.service again\nexit status 1\n", resetPart(t, "restore"))
	// What was masked cannot be started, and ran all the same: it is left as it is.
	s = lay(t)
	s.putLedger("unit theirs.service masked active\n")
	s.wantRun("systemctl daemon-reload\n| restoring files and settings\n", resetPart(t, "restore"))
}

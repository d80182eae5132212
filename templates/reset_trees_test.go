package templates

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// oddNames are what a pod may call what it makes in a volume. The paths with new lines would be those of others, a line each.
func oddNames(s *standIns) []string {
	return []string{
		"x\n" + s.at("/etc/shadow"), "\n", "a\n", "\na", "tab\there", " ", "-rf", "--", "*", "[a]", "?", `back\slash`, `\040`, "\x01", "\xff\xfe", "ä", "a/b",
	}
}

// Whatever a pod calls its files, they go, and nothing else does: with a list of this form and of the former one.
func TestResetEmptiesTreesOfOddNames(t *testing.T) {
	for _, form := range []string{"", ".names"} {
		s := undoHost(t)
		s.put("/etc/shadow", "secret\n")
		s.put("/var/lib/kubelet/theirs", "")
		volume := s.at("/var/lib/kubelet") + "/pods/1/volumes/v"
		for _, name := range oddNames(s) {
			if form == "" && strings.Contains(name, "\n") {
				continue // of which that form does not know whether they were there
			}
			path := filepath.Join(volume, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, nil, 0o600); err != nil && !os.IsExist(err) && !isFolder(path) {
				t.Fatal(err)
			}
		}
		list := s.at("/var/lib/kubelet/theirs") + "\n"
		if form != "" {
			list = s.at("/var/lib/kubelet/theirs") + "\x00"
		}
		s.write("state/saved/0123"+form, list)
		if transcript, ok := s.onHost(resetPart(t, `empty_tree "$@"`), append([]string{"/var/lib/kubelet", "0123" + form}, strings.Fields(sumsOf(list))...)...); !ok {
			t.Errorf("it failed:\n%s", transcript)
		}
		s.wantText("/etc/shadow", "secret\n")
		s.wantThere("/var/lib/kubelet/theirs")
		s.wantGone("/var/lib/kubelet/pods")
	}
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// Of a list of the former form, nobody can tell whether a name with a new line was in it: such names stay, and it is told.
func TestResetKeepsNamesThatTheFormerFormCannotTell(t *testing.T) {
	s := undoHost(t)
	s.put("/etc/shadow", "secret\n")
	s.put("/var/lib/kubelet/a\n"+s.at("/etc/shadow"), "theirs")
	s.put("/var/lib/kubelet/ours", "")
	list := s.at("/var/lib/kubelet/a") + "\n" + s.at("/etc/shadow") + "\n"
	s.write("state/saved/0123", list)
	if transcript, ok := s.onHost(resetPart(t, `empty_tree "$@"`), append([]string{"/var/lib/kubelet", "0123"}, strings.Fields(sumsOf(list))...)...); !ok {
		t.Errorf("it failed:\n%s", transcript)
	}
	s.wantText("/etc/shadow", "secret\n")
	s.wantThere("/var/lib/kubelet/a\n" + s.at("/etc/shadow"))
	s.wantGone("/var/lib/kubelet/ours")
}

// What was listed by the one script stays by the other, whatever it is called, and what came since goes.
func TestRecordAndResetOfTrees(t *testing.T) {
	s := recordHost(t)
	s.write("bin/chown", standInPrelude)
	tree := s.at("/etc/cni") // its own name has what a pattern would take for more
	for _, half := range []string{"before", "since"} {
		for _, name := range oddNames(s) {
			path := filepath.Join(tree, half, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if !isFolder(path) {
				if err := os.WriteFile(path, nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		if half == "before" {
			s.recorded("tree /etc/cni existed TREE(/etc/cni) 755 "+own()+" SUMS(/etc/cni)\n", "tree:/etc/cni")
		}
	}
	want := names(t, filepath.Join(tree, "before"))
	s.ran(resetPart(t, "restore"))
	if is := names(t, filepath.Join(tree, "before")); strings.Join(is, "\x00") != strings.Join(want, "\x00") {
		t.Errorf("left is %q, want %q", is, want)
	}
	s.wantGone("/etc/cni/since")
}

// names are all names in a folder.
func names(t *testing.T, folder string) []string {
	t.Helper()
	var all []string
	if err := filepath.WalkDir(folder, func(path string, _ os.DirEntry, err error) error {
		all = append(all, path)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// mountHost is a host whose mounts are real. Its scripts run in a mount namespace of their own, which begins with laying.
func mountHost(t *testing.T) (s *standIns, run func(laying, script string, args ...string) (string, bool)) {
	t.Helper()
	if os.Geteuid() != 0 || exec.Command("unshare", "--mount", "true").Run() != nil {
		t.Skip("needs root and a mount namespace")
	}
	s = newStandIns(t, map[string]string{"chown": "", "rm": `exec "$S/tools/rm" "$@"`})
	for _, name := range []string{"unshare", "mount", "umount", "mkdir", "ls", "mountpoint"} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Skip(err)
		}
		_ = os.Symlink(path, s.path("tools/"+name))
	}
	s.write("disk/precious", "")
	return s, func(laying, script string, args ...string) (string, bool) {
		s.t.Helper()
		text := strings.NewReplacer(s.elsewhere...).Replace(script)
		argv := append([]string{"-c", `exec unshare --mount /bin/sh -s -- "$@"`, "sh"}, args...)
		return s.shell("set -e\n"+laying+"\nset +e\n"+text, args, argv)
	}
}

// A folder does not go while something of others is mounted below it, be it a file system of its own or a part of the very one.
func TestResetKeepsWhatIsMountedBelow(t *testing.T) {
	const (
		tmpfs = `mount -t tmpfs backup "$1"; : >"$1/precious"`
		bind  = `mount --bind "$S/disk" "$1"`
	)
	for name, c := range map[string]struct{ at, mount, shown string }{
		"a file system":            {"etcd/backup", tmpfs, "etcd/backup"},
		"a bind mount":             {"etcd/backup", bind, "etcd/backup"},
		"deep below":               {"etcd/a/b/c", bind, "etcd/a/b/c"},
		"at the folder itself":     {"etcd", bind, "etcd"},
		"a name with a blank":      {"etcd/my backup", bind, `etcd/my\040backup`},
		"a name with a new line":   {"etcd/my\nbackup", bind, `etcd/my\012backup`},
		"a name with a backslash":  {`etcd/my\040backup`, bind, `etcd/my\134040backup`},
		"a name with tabs":         {"etcd/\tx\t", tmpfs, `etcd/\011x\011`},
		"a name that is a pattern": {"etcd/[a]*", bind, `etcd/\133a]\052`},
	} {
		t.Run(name, func(t *testing.T) {
			s, run := mountHost(t)
			s.write("state/saved/0123.names", "")
			for _, entry := range []string{"absent", "existed 0123.names 755 0:0 " + sumsOf("")} {
				s.write("etcd/member", "")
				if err := os.MkdirAll(s.path(c.at), 0o755); err != nil {
					t.Fatal(err)
				}
				laying := "set -- " + quoted(s.path(c.at)) + "\n" + c.mount + "\nset -- tree " + quoted(s.path("etcd")) + " " + entry
				transcript, ok := run(laying, resetPart(t, "undo \"$@\"\n[ -e "+quoted(s.path(c.at)+"/precious")+" ] || echo GONE"))
				if ok || strings.Contains(transcript, "GONE") || !strings.Contains(transcript, "something is mounted at DIR/"+c.shown+",") || strings.Contains(transcript, "\nrm ") {
					t.Errorf("%s: it went well: %v, and did\n%s", entry, ok, transcript)
				}
				s.wantKept("disk/precious", "etcd/member")
			}
		})
	}
}

// quoted is a word for the shell.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// wantKept fails the test unless all these are there.
func (s *standIns) wantKept(names ...string) {
	s.t.Helper()
	for _, name := range names {
		if !exists(s.path(name)) {
			s.t.Errorf("%s is gone", name)
		}
	}
}

// What was mounted below a folder before fairlead stays as it is, and is no obstacle: neither is it listed.
func TestRecordAndResetBesideMounts(t *testing.T) {
	for name, c := range map[string]string{"a file system": "mount -t tmpfs theirs \"$1\"; : >\"$1/precious\"", "a bind mount": "mount --bind \"$S/disk\" \"$1\""} {
		t.Run(name, func(t *testing.T) {
			s, run := mountHost(t)
			s.write("bin/flock", standInPrelude)
			at := s.path("netns/theirs [*] \n")
			if err := os.MkdirAll(at, 0o755); err != nil {
				t.Fatal(err)
			}
			laying := "set -- " + quoted(at) + "\n" + c + "\nset -- tree:" + quoted(s.path("netns"))
			reset := "\n: >" + quoted(s.path("netns/ours")) + "\nmkdir " + quoted(s.path("netns/cni")) + resetPart(t, "restore\n[ -e "+quoted(at+"/precious")+" ] || echo GONE")
			transcript, ok := run(laying, "("+ScriptRecord.Text()+"\n) || exit\n"+reset)
			if ledger := s.read("state/ledger"); !strings.HasSuffix(ledger, sumsOf("")+" "+strings.NewReplacer(" ", `\040`, "\n", `\012`, "[", `\133`, "*", `\052`).Replace(at)+"\nend 1\n") {
				t.Errorf("the ledger is\n%s", ledger)
			}
			if !ok || strings.Contains(transcript, "GONE") {
				t.Errorf("it did\n%s", transcript)
			}
			s.wantNone("netns/ours", "netns/cni")
		})
	}
}

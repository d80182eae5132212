package templates

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// standIns is a folder with programs that stand in for those of a package manager: they write
// their arguments into a log, a line each, and keep a little state in files beside it.
type standIns struct {
	t      *testing.T
	folder string
	// hide is what differs from run to run, and what goldens have in its place.
	hide []string
	// elsewhere are folders that scripts name, and those that they find in their place.
	elsewhere []string
	// locker is the id of a process that has the lock of a package manager open.
	locker string
}

// Every stand-in starts with this: $S is the folder.
const standInPrelude = `#!/bin/sh
line="${0##*/} $*"
[ -z "${https_proxy:-}" ] || line="$line [$HTTP_PROXY $HTTPS_PROXY $NO_PROXY $http_proxy $https_proxy $no_proxy]"
[ "${0##*/}" = find ] || printf '%s\n' "$line" >>"$S/log"
# Whether an event was laid out for this program, which happens once.
once() { [ -e "$S/$1" ] && rm "$S/$1"; }
# Puts packages among those that are installed.
add() { printf '%s\n' "$@" >>"$S/installed"; sort -u -o "$S/installed" "$S/installed"; }
drop() { for name in "$@"; do sed -i "/^$name\$/d" "$S/installed"; done; }
has() { grep -qxF -- "$1" "$S/installed"; }
# The packages that one brings along.
depends() {
	case $1 in
	kubelet) echo kubernetes-cni ;;
	kubeadm) echo cri-tools ;;
	docker-ce) echo containerd.io docker-ce-cli ;;
	nfs-common) echo libnfsidmap1 rpcbind ;;
	nfs-ganesha) echo libnfsidmap1 ;;
	esac
}
# The first of the packages that need one.
needing() { sed -n "s/ $1\$//p" "$S/needs" 2>/dev/null | while read -r by; do if has "$by"; then echo "$by" && break; fi; done; }
`

func newStandIns(t *testing.T, programs map[string]string) *standIns {
	t.Helper()
	s := &standIns{t: t, folder: t.TempDir()}
	s.hide = []string{s.folder, "DIR"}
	s.elsewhere = []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n", "PATH=" + s.search() + "\n",
		"/var/lib/fairlead", s.path("state"), "/etc/fairlead", s.path("etc"), "/usr/lib/apt/apt-helper", s.path("bin/apt-helper"),
		"/var/lib/dpkg/status", s.path("dpkg-status"), "/var/lib/dpkg/lock", s.path("dpkg-lock"),
	}
	// Nothing else of this machine: what the scripts do as root must not happen to it.
	s.write("tools/README", "programs that change nothing but the files that they are given\n")
	for _, name := range strings.Fields("awk cat chmod cmp comm cp cut date df du env find flock grep gzip head ls mkdir mv od readlink rm rmdir sed seq sh sha256sum sort stat sync tac tail tar touch tr uniq wc xargs") {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, s.path("tools/"+name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range programs {
		s.write("bin/"+name, standInPrelude+text)
	}
	if programs["dpkg-query"] != "" {
		s.write("dpkg-status", "Package: dpkg\n")
	}
	s.write("installed", "bash\nlibc6\n")
	return s
}

func (s *standIns) path(name string) string { return filepath.Join(s.folder, name) }

// search is the search path: nothing of this machine but the tools.
func (s *standIns) search() string { return s.path("bin") + ":" + s.path("tools") }

func (s *standIns) write(name, text string) {
	s.t.Helper()
	if err := os.MkdirAll(filepath.Dir(s.path(name)), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(s.path(name), []byte(text), 0o755); err != nil {
		s.t.Fatal(err)
	}
}

// read is the text of a file, empty without one.
func (s *standIns) read(name string) string {
	s.t.Helper()
	text, err := os.ReadFile(s.path(name))
	if err != nil && !os.IsNotExist(err) {
		s.t.Fatal(err)
	}
	return string(text)
}

// run has /bin/sh run a script's text, as hosts do, with another search path and other folders.
// It returns what was run and printed, and whether all went well.
func (s *standIns) run(script string, args ...string) (transcript string, ok bool) {
	s.t.Helper()
	text := strings.NewReplacer(s.elsewhere...).Replace(script)
	return s.shell(text, args, append([]string{"-s", "--"}, args...))
}

// shell runs /bin/sh with arguments, of which the transcript shows a part.
func (s *standIns) shell(input string, shown, args []string) (transcript string, ok bool) {
	s.t.Helper()
	if err := os.RemoveAll(s.path("log")); err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute) // none of them waits for anything
	defer cancel()
	// Who runs the tests in the background may have signals ignored, for them and all below.
	command := exec.CommandContext(ctx, "env", append([]string{"--default-signal=HUP,INT,TERM", "/bin/sh"}, args...)...)
	command.Stdin, command.Dir, command.Env = strings.NewReader(input), s.folder, []string{"S=" + s.folder, "PATH=" + s.search()}
	// If it does, nothing that it has started outlives it.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	var printed bytes.Buffer
	command.Stdout, command.Stderr = &printed, &printed
	err := command.Run()
	var b strings.Builder
	b.WriteString("$ " + strings.Join(shown, " ") + "\n")
	b.WriteString(s.read("log"))
	for line := range strings.Lines(printed.String()) {
		b.WriteString("| " + line)
	}
	if err != nil {
		b.WriteString(err.Error() + "\n")
	}
	return strings.NewReplacer(s.hide...).Replace(b.String()), err == nil
}

// ran is run for what has to go well.
func (s *standIns) ran(script string, args ...string) string {
	s.t.Helper()
	transcript, ok := s.run(script, args...)
	if !ok {
		s.t.Errorf("it failed:\n%s", transcript)
	}
	return transcript
}

// refused is run for what has to fail.
func (s *standIns) refused(script string, args ...string) string {
	s.t.Helper()
	transcript, ok := s.run(script, args...)
	if ok {
		s.t.Errorf("it went well:\n%s", transcript)
	}
	return transcript
}

// wantFile fails the test unless a file holds exactly that.
func (s *standIns) wantFile(name, want string) {
	s.t.Helper()
	if is := s.read(name); is != want {
		s.t.Errorf("%s holds\n%s\ninstead of\n%s", name, is, want)
	}
}

func (s *standIns) wantNone(names ...string) {
	s.t.Helper()
	for _, name := range names {
		if _, err := os.Lstat(s.path(name)); err == nil {
			s.t.Errorf("%s is still there", name)
		}
	}
}

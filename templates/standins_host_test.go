package templates

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// newHost is a host in a folder. What scripts, their arguments and ledgers name of /etc, /proc, /run,
// /sys, /usr and /var is found below it; transcripts show the names as the scripts have them.
func newHost(t *testing.T, programs map[string]string) *standIns {
	t.Helper()
	s := newStandIns(t, programs)
	for _, folder := range []string{"etc", "proc", "run", "sys", "usr", "var"} {
		s.elsewhere = append(s.elsewhere, "/"+folder+"/", s.path("host/"+folder)+"/")
		s.mkdir("/" + folder)
	}
	s.elsewhere = append(s.elsewhere, "find /proc ", "find "+s.path("host/proc")+" ")
	s.hide = append([]string{s.path("host") + "/", "/", s.path("state"), "/var/lib/fairlead", s.path("etc"), "/etc/fairlead"}, s.hide...)
	s.put("/proc/swaps", noSwap)
	s.put("/proc/self/mountinfo", "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n")
	s.put("/proc/sys/kernel/osrelease", "6.1.0-28-amd64\n")
	return s
}

const noSwap = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"

// rooted is a text with names that lie below the host's folder, as run gives it to the shell.
func (s *standIns) rooted(text string) string {
	return strings.NewReplacer(s.elsewhere...).Replace(text)
}

// at is where a file of the host lies.
func (s *standIns) at(path string) string {
	s.t.Helper()
	at := filepath.Clean(s.rooted(path + "/"))
	if !strings.HasPrefix(at, s.folder+"/") {
		s.t.Fatalf("%s is not on the host", path)
	}
	return at
}

// shown is the opposite of rooted.
func (s *standIns) shown(text string) string { return strings.NewReplacer(s.hide...).Replace(text) }

// put writes a file of the host, and has its text name what lies below the host's folder.
func (s *standIns) put(path, text string) {
	s.t.Helper()
	s.write(strings.TrimPrefix(s.at(path), s.folder+"/"), s.rooted(text))
}

// mkdir makes a folder of the host.
func (s *standIns) mkdir(path string) {
	s.t.Helper()
	if err := os.MkdirAll(s.at(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
}

// symlink makes a link of the host; where it leads to is taken as it is.
func (s *standIns) symlink(to, path string) {
	s.t.Helper()
	s.mkdir(filepath.Dir(path))
	if err := os.Symlink(to, s.at(path)); err != nil {
		s.t.Fatal(err)
	}
}

// remove removes a file of the host, or an empty folder.
func (s *standIns) remove(path string) {
	s.t.Helper()
	if err := os.Remove(s.at(path)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *standIns) chmod(path string, mode os.FileMode) {
	s.t.Helper()
	if err := os.Chmod(s.at(path), mode); err != nil {
		s.t.Fatal(err)
	}
}

// text is that of a file of the host.
func (s *standIns) text(path string) string {
	s.t.Helper()
	return s.shown(s.read(strings.TrimPrefix(s.at(path), s.folder+"/")))
}

// wantText fails the test unless a file of the host holds exactly that.
func (s *standIns) wantText(path, want string) {
	s.t.Helper()
	if is := s.text(path); is != want {
		s.t.Errorf("%s holds\n%s\ninstead of\n%s", path, is, want)
	}
}

func (s *standIns) wantMode(path string, want os.FileMode) {
	s.t.Helper()
	info, err := os.Lstat(s.at(path))
	if err != nil {
		s.t.Error(err)
	} else if info.Mode() != want {
		s.t.Errorf("%s has the mode %v, want %v", path, info.Mode(), want)
	}
}

// wantThere fails the test unless all these are on the host.
func (s *standIns) wantThere(paths ...string) {
	s.t.Helper()
	for _, path := range paths {
		if _, err := os.Lstat(s.at(path)); err != nil {
			s.t.Errorf("%s is gone", path)
		}
	}
}

// wantGone fails the test if one of these is on the host.
func (s *standIns) wantGone(paths ...string) {
	s.t.Helper()
	for _, path := range paths {
		if _, err := os.Lstat(s.at(path)); err == nil {
			s.t.Errorf("%s is still there", path)
		}
	}
}

// onHost is run with arguments that name files of the host.
func (s *standIns) onHost(script string, args ...string) (transcript string, ok bool) {
	s.t.Helper()
	var rooted []string
	for _, arg := range args {
		rooted = append(rooted, s.rooted(arg))
	}
	return s.run(script, rooted...)
}

// wantRun fails the test unless a script goes well and the transcript is exactly that.
func (s *standIns) wantRun(want, script string, args ...string) {
	s.t.Helper()
	transcript, ok := s.onHost(script, args...)
	if _, transcript, _ = strings.Cut(transcript, "\n"); !ok || transcript != want {
		s.t.Errorf("it did\n%s\ninstead of\n%s", transcript, want)
	}
}

// wantRefusal fails the test unless a script fails and the transcript is exactly that.
func (s *standIns) wantRefusal(want, script string, args ...string) {
	s.t.Helper()
	transcript, ok := s.onHost(script, args...)
	if _, transcript, _ = strings.Cut(transcript, "\n"); ok || transcript != want {
		s.t.Errorf("it did\n%s\ninstead of failing with\n%s", transcript, want)
	}
}

// fed runs a script that travels as an argument and reads data.
func (s *standIns) fed(data, script string, args ...string) (transcript string, ok bool) {
	s.t.Helper()
	argv := []string{"-c", s.rooted(script), "sh"}
	for _, arg := range args {
		argv = append(argv, s.rooted(arg))
	}
	return s.shell(data, args, argv)
}

// savedName is under which name the former content of a file or the list of a folder is kept.
func (s *standIns) savedName(path string) string {
	return hashed(s.at(path))
}

func hashed(path string) string {
	sum := sha256.Sum256([]byte(path))
	return hex.EncodeToString(sum[:8])
}

// own are the owner and the group of what the tests make.
func own() string { return fmt.Sprintf("%d:%d", os.Getuid(), os.Getgid()) }

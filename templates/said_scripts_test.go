package templates

import (
	"os"
	"strings"
	"testing"
	"time"
)

// kubeletHost is a host whose kubelet is as the test says: "state" holds how its unit is, "restarts" how often it was restarted,
// a number at each look, and "said" what is in its journal.
func kubeletHost(t *testing.T) *standIns {
	t.Helper()
	s := newHost(t, map[string]string{
		"systemctl": `case $* in
*ActiveState*) cat "$S/state" ;;
*NRestarts*) sed q "$S/restarts"; sed -i 1d "$S/restarts" ;;
esac`,
		"journalctl": `cat "$S/said"`,
		"sleep":      `[ -s "$S/restarts" ] || echo failed >"$S/state"`, // at the test's end all is over
	})
	s.write("state", "activating\n")
	s.write("said", "")
	return s
}

// The kubelet is given up when systemd has restarted it three times since, or does so no longer. systemd counts anew when
// somebody starts the unit.
func TestWatchKubelet(t *testing.T) {
	for name, c := range map[string]struct {
		restarts string
		looks    int // at the count, the first included
	}{
		"three times":            {"7 7 8 9 10 10 10", 5},
		"three at once":          {"0 3 3", 2},
		"counted anew":           {"7 8 0 1 2 2", 5},
		"old systemd":            {"", 2},
		"given up by systemd":    {"0 0", 3},
		"restarted by a person":  {"5 0 0 0", 5},
		"failures with pauses":   {"0 1 1 1 2 2 3 3", 7},
		"it failed before, only": {"9 9 9", 4},
	} {
		t.Run(name, func(t *testing.T) {
			s := kubeletHost(t)
			s.write("restarts", strings.ReplaceAll(c.restarts, " ", "\n")+"\n")
			s.write("said", "one\ntwo\x1b[2J\nthree\nfour\n")
			transcript, ok := s.onHost(ScriptWatchKubelet.Text())
			if looks := strings.Count(transcript, "--property NRestarts"); ok || looks != c.looks {
				t.Errorf("it went well: %v, after %d looks:\n%s", ok, looks, transcript)
			}
			for _, line := range []string{"| kubelet.service is ", "| kubelet: two[2J\n| kubelet: three\n| kubelet: four\n"} {
				if !strings.Contains(transcript, line) {
					t.Errorf("said was\n%s", transcript)
				}
			}
		})
	}
}

// Of each static pod the newest log is asked, whichever folder it is in.
func TestLastWords(t *testing.T) {
	s := kubeletHost(t)
	s.write("said", "no such flag\n"+strings.Repeat("x", 1000)+"\n")
	logs := "/var/log/pods/kube-system_etcd-cp1_"
	s.put(logs+"old/etcd/0.log", "2026-11-30T12:00:00.000000000Z stderr F long ago\n")
	s.put(logs+"new/etcd/4.log", "2026-11-30T13:00:00.000000000Z stderr F bind: address in use\n2026-11-30T13:00:01.000000000Z stdout F \n")
	if err := os.Chtimes(s.at(logs+"old/etcd/0.log"), time.Unix(1, 0), time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	transcript, ok := s.onHost(ScriptLastWords.Text(), "etcd", "kube-apiserver")
	want := "| kubelet.service is activating\n| kubelet: no such flag\n| kubelet: " + strings.Repeat("x", 300) +
		"\n| etcd: bind: address in use\n| etcd: \n| kube-apiserver: it has never run\n"
	if !ok || !strings.HasSuffix(transcript, want) {
		t.Errorf("it went well: %v\n%s\nwant\n%s", ok, transcript, want)
	}
}

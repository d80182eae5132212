package templates

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// A unit of which systemd tells what files of that name hold.
const kubeadmUnitStandIn = `
case $1 in
show) cat "$S/$4" ;;
reset-failed) echo inactive >"$S/ActiveState" ;;
stop) cp "$S/after" "$S/ActiveState"; cp "$S/ended" "$S/host/run/fairlead/kubeadm.ended" ;;
esac
`

const systemdRunStandIn = `
! once refuse || { echo "Failed to start transient service unit" >&2; exit 1; }
cp "$S/running" "$S/ActiveState"
cp "$S/pid" "$S/MainPID"
echo "[init] says kubeadm" >>"$S/host/var/log/fairlead/kubeadm.log"
[ "$(cat "$S/running")" = active ] || cp "$S/ended" "$S/host/run/fairlead/kubeadm.ended"
`

// kubeadmTail ends with kubeadm. Its unit may have some more to do by then.
const kubeadmTail = `"$S/tools/tail" "$@"
status=$?
cp "$S/end" "$S/ActiveState"
case $(cat "$S/end") in active | deactivating) ;; *) cp "$S/ended" "$S/host/run/fairlead/kubeadm.ended" ;; esac
exit "$status"`

// kubeadmHost is a host whose kubeadm runs as a process that has ended by the time it is followed.
func kubeadmHost(t *testing.T, lay map[string]string) *standIns {
	t.Helper()
	s := newHost(t, map[string]string{
		"systemctl": kubeadmUnitStandIn, "systemd-run": systemdRunStandIn, "kubeadm": "",
		"tail": kubeadmTail,
	})
	ended := exec.CommandContext(t.Context(), "/bin/sh", "-c", "exit")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	pid := strconv.Itoa(ended.Process.Pid)
	s.hide = append(s.hide, "pid="+pid, "pid=PID")
	s.mkdir("/proc/" + pid)
	for name, text := range map[string]string{"ActiveState": "inactive", "running": "active", "pid": pid, "MainPID": "0", "end": "inactive", "after": "inactive", "ended": exited("0")} {
		s.write(name, text)
	}
	s.mkdir("/run/fairlead")
	for name, text := range lay {
		switch name {
		case "following":
			s.write("MainPID", pid)
		case "has ended":
			s.put("/run/fairlead/kubeadm.ended", text)
		default:
			s.write(name, text)
		}
	}
	return s
}

// exited is what systemd says of a process that ended by itself.
func exited(status string) string {
	return "EXIT_CODE=exited\nEXIT_STATUS=" + status + "\n"
}

const (
	kubeadmLogFile = "/var/log/fairlead/kubeadm.log"
	kubeadmFile    = "/run/fairlead/kubeadm.yaml"
)

// What systemd and kubeadm are asked for, what is printed, and with which code it ends.
func TestKubeadmScript(t *testing.T) {
	var all strings.Builder
	for _, c := range []struct {
		name string
		lay  map[string]string
		verb []string
		code int
	}{
		{name: "init", verb: []string{"init", "--ignore-preflight-errors=A,B"}},
		{name: "join", verb: []string{"join"}},
		{name: "after a failure", lay: map[string]string{"ActiveState": "failed"}, verb: []string{"join"}},
		{name: "fails", lay: map[string]string{"end": "failed", "ended": exited("3")}, verb: []string{"init"}, code: 3},
		{name: "is killed", lay: map[string]string{"ended": "EXIT_CODE=killed\nEXIT_STATUS=TERM\n"}, verb: []string{"init"}, code: 1},
		{name: "dumps core", lay: map[string]string{"end": "failed", "ended": "EXIT_CODE=dumped\nEXIT_STATUS=SEGV\n"}, verb: []string{"init"}, code: 1},
		{name: "is cut off", lay: map[string]string{"ended": ""}, verb: []string{"init"}, code: 1},
		{name: "is cut off after one that ended well", lay: map[string]string{"has ended": exited("0"), "ended": ""}, verb: []string{"init"}, code: 1},
		{name: "ends at once", lay: map[string]string{"pid": "0", "running": "inactive"}, verb: []string{"init"}},
		{name: "fails at once", lay: map[string]string{"pid": "0", "running": "failed", "ended": exited("2")}, verb: []string{"init"}, code: 2},
		{name: "ended before a look", lay: map[string]string{"pid": "99999999", "running": "failed", "ended": exited("2")}, verb: []string{"init"}, code: 2},
		{name: "runs already", lay: map[string]string{"ActiveState": "active"}, verb: []string{"init"}, code: 75},
		{name: "starts already", lay: map[string]string{"ActiveState": "activating"}, verb: []string{"init"}, code: 75},
		{name: "does not start", lay: map[string]string{"refuse": ""}, verb: []string{"init"}, code: 1},
		{name: "lingers", lay: map[string]string{"end": "deactivating"}, verb: []string{"init"}},
		{name: "lingers and fails", lay: map[string]string{"end": "deactivating", "after": "failed", "ended": exited("4")}, verb: []string{"init"}, code: 4},
		{name: "is over before systemd knows", lay: map[string]string{"end": "active", "ended": exited("4")}, verb: []string{"init"}, code: 4},
		{name: "follow", lay: map[string]string{"following": "", "ActiveState": "active"}},
		{name: "follow and fail", lay: map[string]string{"following": "", "ActiveState": "active", "end": "failed", "ended": exited("7")}, code: 7},
		{name: "follow what has failed", lay: map[string]string{"ActiveState": "failed", "has ended": exited("7")}, code: 7},
		{name: "follow what has ended well", lay: map[string]string{"has ended": exited("0")}},
		{name: "follow what is only starting", lay: map[string]string{"ActiveState": "activating"}, code: 1},
		{name: "follow what a restart of the host has ended", code: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := kubeadmHost(t, c.lay)
			s.put(kubeadmLogFile, "[preflight] of an earlier run\n")
			s.chmod(kubeadmLogFile, 0o644)
			transcript, ok := s.onHost(ScriptKubeadm.Text(), append([]string{"fairlead-kubeadm.service", kubeadmLogFile, kubeadmFile}, c.verb...)...)
			all.WriteString("# " + c.name + "\n" + transcript + "\n")
			if code := "exit status " + strconv.Itoa(c.code) + "\n"; ok != (c.code == 0) || !ok && !strings.HasSuffix(transcript, code) {
				t.Errorf("it does not end with %s:\n%s", code, transcript)
			}
			// Who follows reads all of it; who starts anew reads nothing of before.
			if anew := len(c.verb) > 0 && c.code != 75; strings.Contains(s.text(kubeadmLogFile), "earlier run") == anew {
				t.Errorf("the log holds\n%s", s.text(kubeadmLogFile))
			}
		})
	}
	golden(t, "scripts/kubeadm.log", []byte(all.String()))
}

// What kubeadm prints is for root only, also where nothing was before.
func TestKubeadmScriptMakesALog(t *testing.T) {
	s := kubeadmHost(t, nil)
	transcript, ok := s.onHost(ScriptKubeadm.Text(), "fairlead-kubeadm.service", kubeadmLogFile, kubeadmFile, "init")
	if !ok {
		t.Errorf("it failed:\n%s", transcript)
	}
	s.wantMode(kubeadmLogFile, 0o600)
	s.wantMode(filepath.Dir(kubeadmLogFile), os.ModeDir|0o700)
}

// kubeadm calls it a success when it could not remove the member.
func TestLeaveEtcd(t *testing.T) {
	const manifest, asked = "/etc/kubernetes/manifests/etcd.yaml", "kubeadm reset phase remove-etcd-member --v=5\n"
	silent := asked + "tail -n 20\n| [reset] warning\n| kubeadm did not say that it has removed the etcd member\nexit status 1\n"
	for name, c := range map[string]struct {
		says string
		code int
		want string
	}{
		"removed":          {says: "I1125 removeetcdmember.go:100] Updated etcd member list: [a b]", want: asked},
		"not there":        {says: "etcd member was already removed", want: asked},
		"only a warning":   {says: "[reset] warning", want: silent},
		"a warning, fails": {says: "[reset] warning", code: 3, want: silent},
		"removed, fails":   {says: "Updated etcd member list", code: 3, want: asked + "exit status 3\n"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newHost(t, map[string]string{"kubeadm": `cat "$S/says" >&2; exit "$(cat "$S/code")"`, "tail": `exec "$S/tools/tail" "$@"`})
			s.put(manifest, "kind: Pod\n")
			s.write("says", c.says+"\n")
			s.write("code", strconv.Itoa(c.code))
			if strings.Contains(c.want, "exit status") {
				s.wantRefusal(c.want, ScriptLeaveEtcd.Text())
			} else {
				s.wantRun(c.want, ScriptLeaveEtcd.Text())
			}
		})
	}
	// A host without a member has none to remove.
	s := newHost(t, map[string]string{"kubeadm": "exit 1"})
	s.wantRun("", ScriptLeaveEtcd.Text())
}

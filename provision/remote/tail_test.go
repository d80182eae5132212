package remote

import (
	"strings"
	"testing"
)

// TestTail takes from what programs say that which tells why they failed.
func TestTail(t *testing.T) {
	const kubeadm = `[preflight] Running pre-flight checks
error: error execution phase preflight: [preflight] Some fatal errors occurred:
	[ERROR FileAvailable--etc-kubernetes-kubelet.conf]: /etc/kubernetes/kubelet.conf already exists
	[ERROR Port-10250]: Port 10250 is in use
[preflight] If you know what you are doing, you can make a check non-fatal with ` + "`--ignore-preflight-errors=...`" + `
error: error execution phase kubelet-start: the kubelet is not healthy after 4m0s

Unfortunately, an error has occurred, likely caused by:
	- The kubelet is not running

If you are on a systemd-powered system, you can try to troubleshoot the error with the following commands:
	- 'systemctl status kubelet'
	- 'journalctl -xeu kubelet'
To see the stack trace of this error execute with --v=5 or higher
`
	noise := strings.Repeat("noise\n", 20)
	for _, c := range []struct{ name, out, err, want string }{
		{"nothing", "", "\n", ""},
		{"short", "", "one\n\ntwo \r\n", "one|two"},
		{"standard output", "out\n", "  \n", "out"},
		{"standard error first", "out\n", "err\n", "err"},
		{"kubeadm", "", kubeadm, "[preflight] Running pre-flight checks|error: error execution phase preflight: [preflight] Some fatal errors occurred:|" +
			"\t[ERROR FileAvailable--etc-kubernetes-kubelet.conf]: /etc/kubernetes/kubelet.conf already exists|\t[ERROR Port-10250]: Port 10250 is in use|" +
			"error: error execution phase kubelet-start: the kubelet is not healthy after 4m0s|\t- The kubelet is not running"},
		{"no error among them", "", noise + "last\n", "noise|noise|noise|noise|noise|last"},
		{"an error at the end", "", "E: old\n" + noise + "E: new\n", "noise|noise|noise|noise|noise|E: new"},
		{"errors long before", "", "fatal: one\nE: two\nfailed: three\nctr: four\n" + noise, "E: two|failed: three|ctr: four|noise|noise|noise"},
	} {
		exit := &ExitError{Code: 1, Stdout: []byte(c.out), Stderr: []byte(c.err)}
		if got := strings.Join(exit.Tail(), "|"); got != c.want {
			t.Errorf("%s: got %q", c.name, got)
		}
		exit.secret = true
		if got := exit.Tail(); got != nil {
			t.Errorf("%s: a secret is shown: %q", c.name, got)
		}
	}
}

//go:build cluster

package cluster

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"fairlead/e2e/lab"
)

// laptop is where a host that is its own laptop has fairlead, the bundle and the inventory.
const laptop = "/srv/laptop"

// localSSH stands in for the lab's way to its hosts.
const localSSH = "ssh: {transport: local}\n"

func testLocal(t *testing.T) {
	s := clusterSite(t)
	s.add("l1")
	text, err := s.lab.Inventory(lab.InventoryOptions{ControlPlanes: []string{"l1"}, Bundle: laptop + "/bundle.tar", Schedulable: true})
	if err != nil {
		t.Fatal(err)
	}
	begin, rest, _ := strings.Cut(text, "ssh:\n")
	for strings.HasPrefix(rest, "  ") {
		_, rest, _ = strings.Cut(rest, "\n")
	}
	s.put("l1", laptop+"/cluster.yaml", strings.NewReader(begin+localSSH+rest))
	for from, to := range map[string]string{shared.program: "/fairlead", shared.bundle: "/bundle.tar"} {
		s.copyTo("l1", from, laptop+to)
	}
	s.shell("l1", "chmod 0755 $1/fairlead; chown -R $2: $1", laptop, lab.User)
	before := s.snapshots("l1")

	s.fairleadOn("l1", "plan", "--detailed-exitcode").exits(3).says("initialise the first control plane")
	s.fairleadOn("l1", "up").exits(0)
	s.shell("l1", kubectl+" wait --for=condition=Ready pods --all --all-namespaces --timeout=2m")
	if nodes := s.shell("l1", kubectl+" get nodes --output name"); nodes != "node/l1" {
		t.Errorf("nodes are %s, want l1 alone", nodes)
	}
	s.fairleadOn("l1", "up").exits(0).says("nothing to do")
	s.fairleadOn("l1", "plan", "--detailed-exitcode").exits(0)
	s.fairleadOn("l1", "reset", "--yes").exits(0)
	s.restoredBut(before, laptop)
	if out := s.shell("l1", "grep -c Accepted /var/log/sshd.log || :"); out != "0" {
		t.Errorf("%s logins by SSH, want none", out)
	}
}

// fairleadOn runs fairlead on the host itself, as its user.
func (s *site) fairleadOn(host string, args ...string) outcome {
	s.t.Helper()
	argv := []string{
		"runuser", "-u", lab.User, "--", "env", "-i", "-C", laptop, "PATH=/usr/bin:/bin", "HOME=" + laptop, "TERM=dumb",
		"/bin/sh", "-c", `exec "$0" "$@" 2>&1`, laptop + "/fairlead",
	}
	stdout, err := s.lab.Exec(s.ctx, host, append(argv, args...)...)
	o := outcome{t: s.t, line: "fairlead " + strings.Join(args, " ") + " on " + host, stdout: stdout}
	var exit *lab.ExitError
	switch {
	case errors.As(err, &exit):
		o.code = exit.Code
	case err != nil:
		s.t.Fatal(err)
	}
	s.t.Logf("%s: exit %d", o.line, o.code)
	return o
}

// copyTo copies a file of this machine into a host.
func (s *site) copyTo(host, from, to string) {
	s.t.Helper()
	f, err := os.Open(from)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	s.put(host, to, f)
}

// put writes what it reads to a file of a host.
func (s *site) put(host, to string, content io.Reader) {
	s.t.Helper()
	if _, err := s.lab.ExecInput(s.ctx, host, content, "sh", "-euc", `mkdir -p "${1%/*}"; cat >"$1"`, "sh", to); err != nil {
		s.t.Fatal(err)
	}
}

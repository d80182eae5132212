//go:build cluster

package lab

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestHosts takes a lab of its own through its life.
func TestHosts(t *testing.T) {
	ctx := t.Context()
	options := Options{Name: "fairlead-test", Dir: filepath.Join(t.TempDir(), "lab"), Subnet: "10.90.0.0/24", Log: t.Output()}
	t.Cleanup(func() {
		if err := Down(context.WithoutCancel(ctx), options); err != nil {
			t.Error(err)
		}
	})
	l, err := Up(ctx, options, []string{"cp1"})
	if err != nil {
		t.Fatal(err)
	}
	login(t, l, "cp1")
	if _, err := l.Add(ctx, "extra"); err != nil {
		t.Fatal(err)
	}
	login(t, l, "extra")
	login(t, l, "cp1")
	checkHost(t, l, "extra")

	must(t, l.Pause(ctx, "extra"))
	extra, err := l.Host("extra")
	must(t, err)
	if greeting(ctx, extra) == "" {
		t.Error("a paused host answers")
	}
	must(t, l.Unpause(ctx, "extra"))
	login(t, l, "extra")
	must(t, l.Stop(ctx, "extra"))
	must(t, l.Start(ctx, "extra"))
	login(t, l, "extra")
	checkHost(t, l, "extra")

	opened, err := Open(ctx, options)
	must(t, err)
	if !slices.Equal(opened.Hosts(), l.Hosts()) {
		t.Errorf("opened lab has %v, want %v", opened.Hosts(), l.Hosts())
	}
	must(t, opened.Remove(ctx, "extra"))
	login(t, opened, "cp1")
	must(t, Down(ctx, options))
	if _, err := Open(ctx, options); err == nil {
		t.Error("open after down: no error")
	}
	if _, err := os.Stat(options.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("folder is left: %v", err)
	}
}

// login runs a command as root over SSH with the lab's files and nothing else.
func login(t *testing.T, l *Lab, name string) {
	t.Helper()
	host, err := l.Host(name)
	must(t, err)
	out, err := exec.CommandContext(t.Context(), "ssh", "-F", "none", "-i", l.IdentityFile(), "-o", "BatchMode=yes",
		"-o", "UserKnownHostsFile="+l.KnownHosts(), "-o", "GlobalKnownHostsFile=none", "-o", "StrictHostKeyChecking=yes",
		User+"@"+host.Address.String(), "sudo -n id -u; hostname").CombinedOutput()
	if err != nil || string(out) != "0\n"+name+"\n" {
		t.Errorf("log in to %s: %v: %q", name, err, out)
	}
}

// checkHost looks at what a host of a cluster needs.
func checkHost(t *testing.T, l *Lab, name string) {
	t.Helper()
	for _, check := range []struct{ script, want string }{
		{"ip link add vx type vxlan id 1 dev eth0 dstport 8472 && ip link del vx", ""},
		{"cat /proc/sys/net/bridge/bridge-nf-call-iptables /proc/sys/net/ipv4/ip_forward", "1\n0\n"},
		{"iptables -t nat -S | grep -v ^-P", ""},
		{"iptables -S FORWARD | tail -1", "-A FORWARD -d " + rejectedSubnet + " -j REJECT --reject-with icmp-port-unreachable\n"},
		{"cat /etc/resolv.conf", "nameserver 10.90.0.1\n"},
		{"grep -E ' /etc/(hosts|hostname|resolv.conf) ' /proc/self/mountinfo", ""},
		{"findmnt -no PROPAGATION / | grep -o shared", "shared\n"},
		{"test -c /dev/kmsg && wc -c < /etc/fstab", "0\n"},
		{"grep -c 'Accepted publickey for " + User + "' /var/log/sshd.log | grep -x 0", ""},
		{"systemd-run --quiet --wait --pipe echo unit", "unit\n"},
	} {
		out, err := l.ExecInput(t.Context(), name, strings.NewReader(check.script), "sh")
		var exit *ExitError
		if (err != nil && !errors.As(err, &exit)) || out != check.want {
			t.Errorf("%s: got %q, %v, want %q", check.script, out, err, check.want)
		}
	}
	var exit *ExitError
	if _, err := l.Exec(t.Context(), name, "sh", "-c", "exit 7"); !errors.As(err, &exit) || exit.Code != 7 {
		t.Errorf("exit code: got %v, want 7", err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

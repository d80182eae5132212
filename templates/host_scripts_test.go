package templates

import (
	"os"
	"testing"
)

func TestSetSysctls(t *testing.T) {
	const forward, panicky, ports = "/proc/sys/net/ipv4/ip_forward", "/proc/sys/kernel/panic", "/proc/sys/net/ipv4/ip_local_port_range"
	host := func(t *testing.T) *standIns {
		t.Helper()
		s := newHost(t, nil)
		s.put(forward, "0\n")
		s.put(panicky, "0\n")
		s.put(ports, "0\n")
		return s
	}
	t.Run("all", func(t *testing.T) {
		s := host(t)
		s.wantRun("", ScriptSetSysctls.Text(), "net.ipv4.ip_forward=1", "kernel.panic=10", "net.ipv4.ip_local_port_range=a=b c")
		s.wantText(forward, "1\n")
		s.wantText(panicky, "10\n")
		s.wantText(ports, "a=b c\n")
	})
	t.Run("the kernel has none", func(t *testing.T) {
		s := host(t)
		s.wantRefusal("| the kernel has no parameter net.bridge.off\nexit status 1\n", ScriptSetSysctls.Text(), "net.ipv4.ip_forward=1", "net.bridge.off=1", "kernel.panic=10")
		s.wantText(forward, "1\n")
		s.wantText(panicky, "0\n")
		s.wantGone("/proc/sys/net/bridge")
	})
	// A kernel may take a value and go on with another one.
	t.Run("not kept", func(t *testing.T) {
		s := host(t)
		s.remove(forward)
		s.symlink(os.DevNull, forward)
		s.wantRefusal("| net.ipv4.ip_forward is  after it was set to 1\nexit status 1\n", ScriptSetSysctls.Text(), "net.ipv4.ip_forward=1", "kernel.panic=10")
		s.wantText(panicky, "0\n")
	})
}

func TestLoadModules(t *testing.T) {
	s := newHost(t, map[string]string{"modprobe": `[ "$1" != unheard ] || { echo "modprobe: FATAL: Module unheard not found" >&2; exit 1; }`})
	s.wantRun("modprobe overlay\nmodprobe br_netfilter\n", ScriptLoadModules.Text(), "overlay", "br_netfilter")
	s.wantRefusal("modprobe unheard\n| modprobe: FATAL: Module unheard not found\nexit status 1\n", ScriptLoadModules.Text(), "unheard", "overlay")
}

const oneSwap = noSwap + "/dev/sda2                               partition\t1048572\t\t0\t\t-2\n"

// A kernel that turns off what is in the file devices.
const swapoffStandIn = `[ -e "$S/stuck" ] || cp "$S/without" "$S/host/proc/swaps"
! once busy || { echo "swapoff: /dev/sda2: swapoff failed: Invalid argument" >&2; exit 1; }
`

func swapHost(t *testing.T) *standIns {
	t.Helper()
	s := newHost(t, map[string]string{
		"systemctl": `! once refuse`, "swapoff": swapoffStandIn, "chown": "",
	})
	s.put("/proc/swaps", oneSwap)
	s.write("without", noSwap)
	return s
}

// Only active lines of swap change, and all else stays as it is, to the byte.
func TestSwapOffInFstab(t *testing.T) {
	const (
		change = "chown --reference=/etc/fstab /etc/fstab.fairlead\nsystemctl daemon-reload\nswapoff -a\n"
		none   = "swapoff -a\n"
	)
	for name, c := range map[string]struct{ before, after, did string }{
		"one": {"UUID=1 / ext4 defaults 0 1\nUUID=2 none swap sw 0 0\n", "UUID=1 / ext4 defaults 0 1\n#UUID=2 none swap sw 0 0\n", change},
		"all kinds": {
			"# swap was on /dev/sda5\n\n\t/swapfile\tnone\tswap\tsw\t0\t0\n#/dev/a none swap sw\n  #/dev/b none swap sw\n/dev/c swap swap\n/srv/swap /swap ext4 swap\ntmpfs /tmp tmpfs  swap \n",
			"# swap was on /dev/sda5\n\n#\t/swapfile\tnone\tswap\tsw\t0\t0\n#/dev/a none swap sw\n  #/dev/b none swap sw\n#/dev/c swap swap\n/srv/swap /swap ext4 swap\ntmpfs /tmp tmpfs  swap \n",
			change,
		},
		"no end of line":       {"/dev/a none swap sw\nUUID=1 / ext4", "#/dev/a none swap sw\nUUID=1 / ext4", change},
		"no end of swap line":  {"UUID=1 / ext4\nUUID=2 none swap sw", "UUID=1 / ext4\n#UUID=2 none swap sw", change},
		"none":                 {"UUID=1 / ext4 defaults 0 1\n#/dev/a none swap sw\n", "UUID=1 / ext4 defaults 0 1\n#/dev/a none swap sw\n", none},
		"none, no end of line": {"UUID=1 / ext4 swap", "UUID=1 / ext4 swap", none},
		"empty":                {"", "", none},
		"a type like swap":     {"a b swapfs c\nd e zswap f\n", "a b swapfs c\nd e zswap f\n", none},
	} {
		t.Run(name, func(t *testing.T) {
			s := swapHost(t)
			s.put("/etc/fstab", c.before)
			s.chmod("/etc/fstab", 0o640)
			s.wantRun(c.did, ScriptSwapOff.Text())
			s.wantText("/etc/fstab", c.after)
			s.wantMode("/etc/fstab", 0o640)
			s.wantGone("/etc/fstab.fairlead")
			s.wantText("/proc/swaps", noSwap)
		})
	}
}

func TestSwapOff(t *testing.T) {
	t.Run("units", func(t *testing.T) {
		s := swapHost(t)
		s.wantRun("systemctl mask --now a.swap\nsystemctl mask --now b.swap\nswapoff -a\n", ScriptSwapOff.Text(), "a.swap", "b.swap")
		s.wantGone("/etc/fstab")
	})
	// A mask would stand where the administrator's unit has its file; a service is disabled as it was enabled.
	t.Run("units of the administrator's, and services", func(t *testing.T) {
		s := swapHost(t)
		s.put("/etc/systemd/system/a.swap", "[Swap]\n")
		s.symlink("/dev/null", "/etc/systemd/system/b.swap")
		s.wantRun("systemctl disable --now a.swap\nsystemctl mask --now b.swap\nsystemctl disable --now zramswap.service\nsystemctl mask --now swap.target\nswapoff -a\n",
			ScriptSwapOff.Text(), "a.swap", "b.swap", "zramswap.service", "swap.target")
	})
	t.Run("a unit cannot be masked", func(t *testing.T) {
		s := swapHost(t)
		s.write("refuse", "")
		s.wantRefusal("systemctl mask --now a.swap\nexit status 1\n", ScriptSwapOff.Text(), "a.swap", "b.swap")
	})
	// Somebody else has turned it off.
	t.Run("busy", func(t *testing.T) {
		s := swapHost(t)
		s.write("busy", "")
		s.wantRun("swapoff -a\n| swapoff: /dev/sda2: swapoff failed: Invalid argument\n", ScriptSwapOff.Text())
	})
	t.Run("it stays on", func(t *testing.T) {
		s := swapHost(t)
		s.write("stuck", "")
		s.wantRefusal("swapoff -a\n| swap is still on: /dev/sda2\nexit status 1\n", ScriptSwapOff.Text())
	})
}

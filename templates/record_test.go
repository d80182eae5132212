package templates

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// A unit's enablement and state are in files of its name; of an unknown one, older systemd says nothing.
const unitsStandIn = `
case $1 in
is-enabled | is-active) ! [ -e "$S/units/$2" ] || awk -v n="$1" 'n == "is-enabled" { print $1 } n == "is-active" { print $2 }' "$S/units/$2"; exit 1 ;;
esac
`

// The lock is the one that others take; what another step wrote before it gave it back is in the file others.
const recordFlockStandIn = `readlink "/proc/$$/fd/$1" >>"$S/log"; [ ! -e "$S/others" ] || cat "$S/others" >"$S/state/ledger"`

const nftStandIn = `
[ "$*" = "list chains" ] || exit 1
cat <<'EOT'
table ip nat {
	chain POSTROUTING {
		type nat hook postrouting priority srcnat; policy accept;
	}
	chain DOCKER {
	}
}
table inet firewalld {
}
table ip6 filter {
	chain FORWARD {
		type filter hook forward priority filter; policy accept;
	}
}
EOT
`

const ipStandIn = `printf '%s\n' '1: lo: <LOOPBACK,UP> mtu 65536 state UNKNOWN' '2: eth0@if7: <BROADCAST,UP> mtu 1500' '13: br-lan: <BROADCAST> mtu 1500'`

func recordHost(t *testing.T) *standIns {
	t.Helper()
	return newHost(t, map[string]string{"systemctl": unitsStandIn, "flock": recordFlockStandIn, "nft": nftStandIn, "ip": ipStandIn})
}

// recorded runs the script and fails the test unless the ledger gets to be that.
func (s *standIns) recorded(ledger string, args ...string) {
	s.t.Helper()
	if transcript, ok := s.onHost(ScriptRecord.Text(), args...); !ok || strings.Contains(transcript, "\n| ") {
		s.t.Errorf("it failed or complained:\n%s", transcript)
	}
	s.wantLedger(ledger)
	s.wantGone("/var/lib/fairlead/ledger.new", "/var/lib/fairlead/ledger.former")
}

// Each kind, of something that is there and of something that is not.
func TestRecord(t *testing.T) {
	own := own()
	for name, c := range map[string]struct {
		lay  func(s *standIns)
		args []string
		want string // entries
	}{
		"file": {
			lay:  func(s *standIns) { s.put("/etc/fstab", "a\n") },
			args: []string{"file:/etc/fstab"}, want: "file /etc/fstab saved NAME(/etc/fstab) SUMS(/etc/fstab)\n",
		},
		"file, a dangling link": {
			lay:  func(s *standIns) { s.symlink("nowhere", "/etc/resolv.conf") },
			args: []string{"file:/etc/resolv.conf"}, want: "file /etc/resolv.conf saved NAME(/etc/resolv.conf) SUMS(/etc/resolv.conf)\n",
		},
		"file, absent": {
			args: []string{"file:/etc/a"}, want: "file /etc/a absent\n",
		},
		"file in folders that are absent": {
			args: []string{"file:/etc/a/b/c.conf", "file:/etc/a/b/d.conf", "file:/etc/a/e.conf"},
			want: "dir /etc/a absent\ndir /etc/a/b absent\nfile /etc/a/b/c.conf absent\nfile /etc/a/b/d.conf absent\nfile /etc/a/e.conf absent\n",
		},
		"tree": {
			lay:  func(s *standIns) { s.put("/etc/cni/net.d/a.conf", ""); s.chmod("/etc/cni", 0o750) },
			args: []string{"tree:/etc/cni"}, want: "tree /etc/cni existed TREE(/etc/cni) 750 " + own + " SUMS(/etc/cni)\n",
		},
		"tree, absent": {
			lay:  func(s *standIns) { s.mkdir("/var/lib") },
			args: []string{"tree:/var/lib/a/etcd"}, want: "dir /var/lib/a absent\ntree /var/lib/a/etcd absent\n",
		},
		"dir": {
			lay:  func(s *standIns) { s.mkdir("/usr/lib/modules") },
			args: []string{"dir:/usr/lib/modules"}, want: "",
		},
		"dir, absent": {
			lay:  func(s *standIns) { s.mkdir("/usr/lib") },
			args: []string{"dir:/usr/lib/modules/a", "dir:/usr/lib/modules/a"}, want: "dir /usr/lib/modules absent\ndir /usr/lib/modules/a absent\n",
		},
		"sysctl": {
			lay:  func(s *standIns) { s.put("/proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n") },
			args: []string{"sysctl:net.ipv4.ip_local_port_range"}, want: "sysctl net.ipv4.ip_local_port_range 32768\\04060999\n",
		},
		"sysctl, absent": {args: []string{"sysctl:net.bridge.x"}, want: "sysctl net.bridge.x absent\n"},
		"module":         {lay: func(s *standIns) { s.mkdir("/sys/module/overlay") }, args: []string{"module:overlay"}, want: "module overlay loaded\n"},
		"module, absent": {args: []string{"module:overlay"}, want: "module overlay absent\n"},
		"unit": {
			lay: func(s *standIns) {
				s.write("units/a.service", "enabled active\n")
				s.write("units/b.service", "disabled failed\n")
			},
			args: []string{"unit:a.service", "unit:b.service"}, want: "unit a.service enabled active\nunit b.service disabled failed\n",
		},
		"unit, absent": {args: []string{"unit:a.service"}, want: "unit a.service not-found inactive\n"},
		"swap": {
			lay: func(s *standIns) {
				s.put("/proc/swaps", oneSwap+"/swapfile                               file\t\t1048572\t\t0\t\t-3\n")
			},
			args: []string{"swap:active"}, want: "swap active /dev/sda2,/swapfile\n",
		},
		"swap, none": {args: []string{"swap:active"}, want: "swap active none\n"},
		"net":        {args: []string{"net:all"}, want: "net all saved SUMS(links) SUMS(chains)\n"},
	} {
		t.Run(name, func(t *testing.T) {
			s := recordHost(t)
			if c.lay != nil {
				c.lay(s)
			}
			s.recorded(c.want, c.args...)
			s.recorded(c.want, c.args...)
		})
	}
}

// What is saved is how it was, to the byte, for root's eyes only.
func TestRecordSaves(t *testing.T) {
	s := recordHost(t)
	s.put("/etc/fstab", "a\n")
	s.chmod("/etc/fstab", 0o640)
	past := time.Unix(1_000_000_000, 0)
	if err := os.Chtimes(s.at("/etc/fstab"), past, past); err != nil {
		t.Fatal(err)
	}
	s.symlink("../run/resolv.conf", "/etc/resolv.conf")
	s.put("/etc/cni/net.d/a.conf", "a")
	s.put("/etc/cni/b", "b")
	s.put("/proc/swaps", oneSwap)
	if transcript, ok := s.onHost(ScriptRecord.Text(), "file:/etc/fstab", "file:/etc/resolv.conf", "tree:/etc/cni", "swap:active", "net:all"); !ok {
		t.Errorf("it failed:\n%s", transcript)
	}
	saved := func(path string) string { return "/var/lib/fairlead/saved/" + s.savedName(path) }
	s.wantText(saved("/etc/fstab"), "a\n")
	s.wantMode(saved("/etc/fstab"), 0o640)
	if info, err := os.Stat(s.at(saved("/etc/fstab"))); err != nil || !info.ModTime().Equal(past) {
		t.Errorf("the time of /etc/fstab is not kept: %v, %v", info, err)
	}
	if to, err := os.Readlink(s.at(saved("/etc/resolv.conf"))); err != nil || to != "../run/resolv.conf" {
		t.Errorf("the link is saved as %q, %v", to, err)
	}
	s.wantText(saved("/etc/cni")+".names", "/etc/cni/b\x00/etc/cni/net.d\x00/etc/cni/net.d/a.conf\x00")
	s.wantText("/var/lib/fairlead/saved/links", "lo\neth0\nbr-lan\n")
	s.wantText("/var/lib/fairlead/saved/chains", "ip nat\nip nat POSTROUTING\nip nat DOCKER\ninet firewalld\nip6 filter\nip6 filter FORWARD\n")
	for path, mode := range map[string]os.FileMode{"": os.ModeDir | 0o700, "/saved": os.ModeDir | 0o700, "/saved/links": 0o600, "/ledger": 0o600} {
		s.wantMode("/var/lib/fairlead"+path, mode)
	}
}

// A host whose netfilter no nft shows has no chains of before.
func TestRecordWithoutNft(t *testing.T) {
	s := newHost(t, map[string]string{"flock": recordFlockStandIn, "ip": ipStandIn})
	s.recorded("net all saved SUMS(links) SUMS(chains)\n", "net:all")
	s.wantThere("/var/lib/fairlead/saved/chains")
	s.wantText("/var/lib/fairlead/saved/chains", "")
}

func sameLines(a, b []string) bool {
	count := map[string]int{}
	for _, line := range a {
		count[line]++
	}
	for _, line := range b {
		count[line]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}

// The ledger tells of the time before fairlead, whatever changed meanwhile, and of each thing once.
func TestRecordTwice(t *testing.T) {
	s := recordHost(t)
	s.put("/etc/hosts", "theirs\n")
	s.put("/proc/sys/kernel/panic", "0\n")
	s.write("units/a.service", "disabled inactive\n")
	args := []string{"file:/etc/hosts", "tree:/etc/cni", "sysctl:kernel.panic", "module:overlay", "unit:a.service", "swap:active", "net:all"}
	before := "file /etc/hosts saved NAME(/etc/hosts) SUMS(/etc/hosts)\ntree /etc/cni absent\nsysctl kernel.panic 0\nmodule overlay absent\nunit a.service disabled inactive\nswap active none\nnet all saved SUMS(links) SUMS(chains)\n"
	s.recorded(before, args...)
	s.put("/etc/hosts", "ours\n")
	s.put("/etc/cni/a", "")
	s.put("/proc/sys/kernel/panic", "10\n")
	s.mkdir("/sys/module/overlay")
	s.write("units/a.service", "enabled active\n")
	s.put("/proc/swaps", oneSwap)
	s.write("bin/ip", standInPrelude+"echo '3: cni0: <UP>'\n")
	s.recorded(before, args...)
	s.wantText("/var/lib/fairlead/saved/"+s.savedName("/etc/hosts"), "theirs\n")
	s.wantText("/var/lib/fairlead/saved/links", "lo\neth0\nbr-lan\n")
	// What only begins alike, or is of another kind, is not known yet.
	s.put("/etc/host", "")
	s.recorded(before+"file /etc/host saved NAME(/etc/host) SUMS(/etc/host)\nmodule a.service absent\n", "file:/etc/host", "module:a.service")
}

// Steps of one host run at the same time: one that waited for the lock goes on from what another one wrote.
func TestRecordWaits(t *testing.T) {
	s := recordHost(t)
	s.putLedger("file /etc/first absent\n")
	s.write("others", framed(s.rooted("file /etc/first absent\nfile /etc/other absent\n")))
	transcript, ok := s.onHost(ScriptRecord.Text(), "file:/etc/third", "file:/etc/other")
	if !ok || !strings.Contains(transcript, "\nflock 9\n/var/lib/fairlead/lock\n") {
		t.Errorf("it did\n%s", transcript)
	}
	s.wantLedger("file /etc/first absent\nfile /etc/other absent\nfile /etc/third absent\n")
}

// The same with the real lock.
func TestRecordAtTheSameTime(t *testing.T) {
	s := newHost(t, nil)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() { s.onHost(ScriptRecord.Text(), fmt.Sprintf("file:/etc/%d", i)) })
	}
	group.Wait()
	ledger := strings.Split(strings.TrimSuffix(s.text("/var/lib/fairlead/ledger"), "\n"), "\n")
	want := []string{"fairlead-ledger 2", "end 8"}
	for i := range 8 {
		want = append(want, fmt.Sprintf("file /etc/%d absent", i))
	}
	if !sameLines(ledger, want) {
		t.Errorf("the ledger holds\n%s", strings.Join(ledger, "\n"))
	}
}

// The ledger is replaced whole, or stays as it was.
func TestRecordErrors(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"an unknown kind":     {[]string{"file:/etc/a", "planet:mars", "file:/etc/b"}, "| unknown kind of ledger entry: planet\nexit status 64\n"},
		"cannot be saved":     {[]string{"file:/etc/a", "file:/etc/folder", "file:/etc/b"}, "exit status 1\n"},
		"swap cannot be read": {[]string{"file:/etc/a", "swap:active"}, "exit status 2\n"},
	} {
		t.Run(name, func(t *testing.T) {
			s := recordHost(t)
			s.mkdir("/etc/folder")
			s.putLedger("file /etc/first absent\n")
			if name == "swap cannot be read" {
				s.write("bin/sed", standInPrelude+`case $* in *swaps) exit 2 ;; esac; exec "$S/tools/sed" "$@"`)
			}
			transcript, ok := s.onHost(ScriptRecord.Text(), c.args...)
			if ok || !strings.HasSuffix(transcript, c.want) {
				t.Errorf("it went well: %v, and did\n%s", ok, transcript)
			}
			s.wantLedger("file /etc/first absent\n")
		})
	}
}

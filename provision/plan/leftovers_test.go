package plan

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"

	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/provision/model/world"
	"fairlead/templates"
)

// ledgerOf makes entries of KIND KEY WAS, as the ledger's lines are.
func ledgerOf(entries ...ledger.Entry) func(*facts.Host) {
	return func(h *facts.Host) { h.Ledger = entries }
}

// TestRemains has a case for each kind of thing that a cluster leaves and for each kind of entry
// in the ledger: what is reported after a reset, and what is not, because it belongs to the host.
func TestRemains(t *testing.T) {
	process := func(program string) func(*facts.Host) {
		return func(h *facts.Host) { h.Processes = []facts.Process{{Program: program, PID: "4711"}} }
	}
	containerdWas := func(was string) func(*facts.Host) {
		return ledgerOf(ledger.Entry{Kind: ledger.Unit, Key: templates.ContainerdService, Was: was}, ledger.Entry{Kind: ledger.Unit, Key: templates.KubeletService, Was: "not-found inactive"})
	}
	links := func(names ...string) func(*facts.Host) {
		return func(h *facts.Host) { h.Links = names }
	}
	file := func(path string) func(*facts.Host) {
		return func(h *facts.Host) { h.Files[path] = facts.File{Mode: 0o644, SHA256: "beef"} }
	}
	sysctl := func(value string) func(*facts.Host) {
		return func(h *facts.Host) { h.Sysctls["net.ipv4.ip_forward"] = value }
	}
	masked := func(name string) func(*facts.Host) {
		return func(h *facts.Host) { h.Units[name] = facts.Unit{Load: "masked", Enabled: "masked"} }
	}
	swaps := func(devices ...string) func(*facts.Host) {
		return func(h *facts.Host) {
			for _, device := range devices {
				h.Swaps = append(h.Swaps, facts.Swap{Device: device})
			}
		}
	}
	unit := func(name, load string) func(*facts.Host) {
		return func(h *facts.Host) { h.Units[name] = facts.Unit{Load: load} }
	}
	entry := func(kind, key, was string) func(*facts.Host) {
		return ledgerOf(ledger.Entry{Kind: kind, Key: key, Was: was})
	}
	for _, c := range []struct {
		name string
		was  func(*facts.Host) // before the reset, with the ledger
		now  func(*facts.Host) // after it
		want []string
	}{
		{name: "nothing"},
		{name: "a kubelet", now: process("kubelet"), want: []string{"process kubelet (pid 4711)"}},
		{name: "a kubelet on a host that had a containerd", was: containerdWas("enabled active"), now: process("kubelet"), want: []string{"process kubelet (pid 4711)"}},
		{name: "a containerd", was: containerdWas("not-found inactive"), now: process("containerd"), want: []string{"process containerd (pid 4711)"}},
		{name: "a shim", was: containerdWas("not-found inactive"), now: process("containerd-shim-runc-v2"), want: []string{"process containerd-shim-runc-v2 (pid 4711)"}},
		{name: "a containerd that nobody recorded", was: containerdWas("absent"), now: process("containerd"), want: []string{"process containerd (pid 4711)"}},
		{name: "a containerd that was there", was: containerdWas("enabled active"), now: process("containerd")},
		{name: "a stopped containerd that was there", was: containerdWas("disabled inactive"), now: process("containerd-shim-runc-v2")},
		{name: "a containerd of the user", was: unit(templates.ContainerdService, "loaded"), now: process("containerd")},
		{name: "a containerd without a unit", was: unit(templates.ContainerdService, "not-found"), now: process("containerd"), want: []string{"process containerd (pid 4711)"}},
		{name: "mounts", now: func(h *facts.Host) { h.Mounts = []string{"/var/lib/kubelet/pods/1/volumes", "/run/netns/cni-1"} },
			want: []string{"mount /var/lib/kubelet/pods/1/volumes", "mount /run/netns/cni-1"}},
		{name: "the pod network's interfaces", now: links("lo", "eth0", "cni0", "flannel.1", "flannel-v6.1", "kube-ipvs0"),
			want: []string{"interface cni0", "interface flannel.1", "interface flannel-v6.1", "interface kube-ipvs0"}},
		{name: "interfaces of the host", now: links("lo", "eth0", "docker0", "br-0123456789ab", "cni1")},
		{name: "rules", now: func(h *facts.Host) { h.Netfilter = []string{"iptables-save (12)", "nft table ip kube-proxy (1)"} },
			want: []string{"netfilter rules in iptables-save (12)", "netfilter rules in nft table ip kube-proxy (1)"}},

		{name: "a file that was not there", was: entry(ledger.File, "/etc/crictl.yaml", "absent"), now: file("/etc/crictl.yaml"), want: []string{"file /etc/crictl.yaml"}},
		{name: "a file that was not there and is gone", was: entry(ledger.File, "/etc/crictl.yaml", "absent")},
		{name: "a file that was there", was: entry(ledger.File, "/etc/fstab", "saved 0123456789abcdef"), now: file("/etc/fstab")},
		{name: "a file that was there and is gone", was: entry(ledger.File, "/etc/fstab", "saved 0123456789abcdef"), want: []string{"file /etc/fstab was not put back"}},
		{name: "a file that was there and is another one", was: entry(ledger.File, "/etc/crictl.yaml", "saved 0123456789abcdef 5 cafe"), now: file("/etc/crictl.yaml"), want: []string{"file /etc/crictl.yaml is not what it was"}},
		{name: "a file that is as it was", was: entry(ledger.File, "/etc/crictl.yaml", "saved 0123456789abcdef 5 beef"), now: file("/etc/crictl.yaml")},
		{name: "a damaged ledger", now: func(h *facts.Host) { h.LedgerDamage = "it is empty" }, want: []string{"/var/lib/fairlead/ledger"}},
		{name: "another file", was: entry(ledger.File, "/etc/crictl.yaml", "absent"), now: file("/etc/fstab")},
		{name: "a folder that was not there", was: entry(ledger.Tree, "/opt/cni", "absent"), now: func(h *facts.Host) { h.Trees = map[string]bool{"/opt/cni": true} },
			want: []string{"folder /opt/cni"}},
		{name: "a folder that was not there and is gone", was: entry(ledger.Tree, "/opt/cni", "absent"), now: func(h *facts.Host) { h.Trees = map[string]bool{"/opt/other": true} }},
		{name: "a folder that was there", was: entry(ledger.Tree, "/opt/cni", "existed 0123456789abcdef 755 0:0"), now: func(h *facts.Host) { h.Trees = map[string]bool{"/opt/cni": true} }},
		{name: "a folder above something", was: entry(ledger.Dir, "/etc/fairlead", "absent"), now: func(h *facts.Host) { h.Trees = map[string]bool{"/etc/fairlead": true} }},
		{name: "a sysctl", was: entry(ledger.Sysctl, "net.ipv4.ip_forward", "0"), now: sysctl("1"), want: []string{"sysctl net.ipv4.ip_forward is 1 and was 0"}},
		{name: "a sysctl that was put back", was: entry(ledger.Sysctl, "net.ipv4.ip_forward", "0"), now: sysctl("0")},
		{name: "a sysctl that was not there", was: entry(ledger.Sysctl, "net.ipv4.ip_forward", "absent"), now: sysctl("1")},
		{name: "a sysctl that went with its module", was: entry(ledger.Sysctl, "net.bridge.bridge-nf-call-iptables", "1")},
		{name: "a module", was: entry(ledger.Module, "br_netfilter", "absent"), now: func(h *facts.Host) { h.Modules["br_netfilter"] = true }},
		{name: "a unit that was not there", was: entry(ledger.Unit, templates.KubeletService, "not-found inactive"), now: unit(templates.KubeletService, "loaded"), want: []string{"unit kubelet.service"}},
		{name: "a unit that was not there and is gone", was: entry(ledger.Unit, templates.KubeletService, "not-found inactive"), now: unit(templates.KubeletService, "not-found")},
		{name: "a unit that was there", was: entry(ledger.Unit, templates.ContainerdService, "enabled active"), now: unit(templates.ContainerdService, "loaded")},
		{name: "a unit that was masked by us", was: entry(ledger.Unit, "dev-vda3.swap", "generated active"), now: masked("dev-vda3.swap"), want: []string{"unit dev-vda3.swap is masked and was not"}},
		{name: "a unit that was masked before", was: entry(ledger.Unit, "dev-vda3.swap", "masked inactive"), now: masked("dev-vda3.swap")},
		{name: "a swap unit that a boot has made since", was: entry(ledger.Unit, "dev-zram0.swap", "not-found inactive"), now: unit("dev-zram0.swap", "loaded")},
		{name: "swap that is off", was: entry(ledger.Swap, "active", "/dev/vdb,/swapfile"), now: swaps("/swapfile"), want: []string{"swap on /dev/vdb was not turned on again"}},
		{name: "all swap is off", was: entry(ledger.Swap, "active", "/dev/vdb,/swapfile"), want: []string{"swap on /dev/vdb, /swapfile was not turned on again"}},
		{name: "swap that is on again", was: entry(ledger.Swap, "active", "/dev/vdb,/swapfile"), now: swaps("/swapfile", "/dev/vdb")},
		{name: "swap with odd names", was: entry(ledger.Swap, "active", `/swap\040file,/a\054b`), now: swaps("/swap file"), want: []string{"swap on /a,b was not turned on again"}},
		{name: "swap that was off", was: entry(ledger.Swap, "active", "none")},
		{name: "swap that never was on", was: entry(ledger.Swap, "active", "")},
		{name: "a package", was: entry(ledger.Package, templates.PackageKubelet, "absent"), now: func(h *facts.Host) { world.Packaged(h, "kubelet 1.37.2") }, want: []string{"package kubelet"}},
		{name: "a package that had been removed", was: entry(ledger.Package, templates.PackageKubelet, "removed"), now: func(h *facts.Host) { world.Packaged(h, "kubelet 1.37.2") }, want: []string{"package kubelet"}},
		{name: "a package that is gone", was: entry(ledger.Package, templates.PackageKubelet, "absent"), now: func(h *facts.Host) { world.Packaged(h, "kubeadm 1.37.2") }},
		{name: "interfaces and rules as they were", was: entry(ledger.Net, "all", "saved")},
		{name: "the ledger itself", now: ledgerOf(ledger.Entry{Kind: ledger.Net, Key: "all", Was: "saved"}), want: []string{"/var/lib/fairlead/ledger"}},
		{name: "all in order",
			was: ledgerOf(ledger.Entry{Kind: ledger.File, Key: "/b", Was: "absent"}, ledger.Entry{Kind: ledger.File, Key: "/a", Was: "absent"}),
			now: func(h *facts.Host) {
				h.Processes, h.Mounts, h.Links, h.Netfilter = []facts.Process{{Program: "etcd", PID: "1"}}, []string{"/m"}, []string{"cni0"}, []string{"n"}
				file("/a")(h)
				file("/b")(h)
				ledgerOf(ledger.Entry{Kind: ledger.Net, Key: "all", Was: "saved"})(h)
			},
			want: []string{"process etcd (pid 1)", "mount /m", "interface cni0", "netfilter rules in n", "file /b", "file /a", "/var/lib/fairlead/ledger"}},
	} {
		was, now := debianHost(c.was), debianHost(c.now)
		got, err := Leftovers(was, world.Answer(now, AsksAfterReset(was)))
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: left is\n%q, %v, want\n%q", c.name, got, err, c.want)
		}
	}
}

// What nobody has answered is never taken for undone: kernel parameters of kube-proxy, a socket of
// Docker's, and all that the probe was not asked for.
func TestLeftoversWithoutAnAnswer(t *testing.T) {
	for _, entry := range []ledger.Entry{
		{Kind: ledger.Sysctl, Key: "net.netfilter.nf_conntrack_max", Was: "262144"},
		{Kind: ledger.Sysctl, Key: "net.netfilter.nf_conntrack_tcp_timeout_established", Was: "432000"},
		{Kind: ledger.Sysctl, Key: "net.netfilter.nf_conntrack_tcp_timeout_close_wait", Was: "absent"},
		{Kind: ledger.Unit, Key: "docker.socket", Was: "not-found inactive"},
		{Kind: ledger.Module, Key: "br_netfilter", Was: "absent"},
		{Kind: ledger.File, Key: "/etc/x", Was: "absent"},
		{Kind: ledger.Tree, Key: "/opt/x", Was: "absent"},
		{Kind: ledger.Dir, Key: "/opt", Was: "absent"},
		{Kind: ledger.Package, Key: "kubelet", Was: "absent"},
		{Kind: ledger.Net, Key: "all", Was: "saved"},
		{Kind: "quota", Key: "/", Was: "absent"},
	} {
		was, silent := debianHost(ledgerOf(entry)), debianHost(nil)
		delete(silent.Modules, entry.Key)
		want := "ledger entry " + entry.Kind + " " + entry.Key + ": nobody has said whether it is undone"
		if left, err := Leftovers(was, silent); len(left) > 0 || err == nil || err.Error() != want {
			t.Errorf("%s %s, which was not asked for: %q, %v", entry.Kind, entry.Key, left, err)
		}
		asked := silent
		asked.Asked = AsksAfterReset(was)
		explicit := entry.Kind == ledger.Sysctl || entry.Kind == ledger.Unit || entry.Kind == ledger.Module || entry.Kind == "quota"
		if _, err := Leftovers(was, asked); (err != nil) != explicit {
			t.Errorf("%s %s, which was asked for and has no answer of its own: %v", entry.Kind, entry.Key, err)
		}
	}
}

// Every kind of entry that package ledger knows has a promise, and reset's look asks for it.
func TestResetAsksForEveryKindOfEntry(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../ledger/ledger.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	ast.Inspect(file, func(node ast.Node) bool {
		if spec, ok := node.(*ast.ValueSpec); ok && len(spec.Values) == 1 {
			if value, ok := spec.Values[0].(*ast.BasicLit); ok && value.Kind == token.STRING {
				kinds[strings.Trim(value.Value, `"`)] = true
			}
		}
		return true
	})
	if len(kinds) < 9 {
		t.Fatalf("package ledger has the kinds %v", kinds)
	}
	for kind := range kinds {
		promise, known := promises()[kind]
		if !known || promise.asks == nil || promise.left == nil {
			t.Errorf("the ledger's kind %s: reset does not look whether it is undone", kind)
		}
	}
	for kind := range promises() {
		if !kinds[kind] {
			t.Errorf("package ledger knows no kind %s", kind)
		}
	}
}

// A host whose ledger is damaged is not taken for one on which there is nothing to do, and neither is what could be read of it
// taken for all: it is left alone, with its node.
func TestResetOfADamagedLedger(t *testing.T) {
	state := world.State(t, world.ThreeControlPlanes)
	for _, entries := range [][]ledger.Entry{nil, {{Kind: ledger.File, Key: "/etc/a", Was: "absent"}}} {
		seen := world.Converged(t, state)
		world.ChangeHost(seen, "w1", func(h *facts.Host) { h.Ledger, h.LedgerDamage = entries, "it is empty" })
		for _, names := range [][]string{nil, {"w1"}} {
			made, err := MakeReset(state, seen, ResetOrder{Names: names})
			if err != nil {
				t.Fatal(err)
			}
			if slices.ContainsFunc(made.Steps, func(s Step) bool { return s.Host == "w1" || strings.HasPrefix(s.ID, "w1/") }) {
				t.Errorf("%v: w1 is touched:\n%s", names, Show(made))
			}
			if !slices.ContainsFunc(made.Blocked, func(b Blocked) bool {
				return b.Host == "w1" && strings.HasPrefix(b.Reason, "the ledger of what fairlead changed on the host is damaged: it is empty: put back a whole copy")
			}) {
				t.Errorf("%v: blocked is %+v", names, made.Blocked)
			}
		}
	}
}

// A ledger that a later fairlead wrote is left alone, and so is the node of that host.
func TestResetOfALedgerThatIsNotUnderstood(t *testing.T) {
	state := world.State(t, world.ThreeControlPlanes)
	seen := world.Converged(t, state)
	world.ChangeHost(seen, "w1", ledgerOf(ledger.Entry{Kind: ledger.Unit, Key: "kubelet.service", Was: "not-found inactive"}, ledger.Entry{Kind: "quota", Key: "/a b", Was: "absent"}, ledger.Entry{Kind: ledger.File, Key: "/etc/x", Was: "moved"}))
	for _, names := range [][]string{nil, {"w1"}} {
		made, err := MakeReset(state, seen, ResetOrder{Names: names})
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(made.Steps, func(s Step) bool { return s.Host == "w1" || strings.HasPrefix(s.ID, "w1/") }) {
			t.Errorf("%v: w1 is touched:\n%s", names, Show(made))
		}
		want := Blocked{Host: "w1", Title: "reset the host", Reason: "its ledger holds what this fairlead does not know: quota /a b, file /etc/x; take the one that wrote it"}
		if !slices.Contains(made.Blocked, want) {
			t.Errorf("%v: blocked is %+v", names, made.Blocked)
		}
	}
}

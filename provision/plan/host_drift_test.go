package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/provision/object"
	"fairlead/templates"
)

// stepText is all of a step that a host would notice, a line each.
func stepText(plan Plan, id string) string {
	i := slices.IndexFunc(plan.Steps, func(s Step) bool { return s.ID == id })
	if i < 0 {
		return ""
	}
	var b strings.Builder
	for _, reason := range plan.Steps[i].Reasons {
		fmt.Fprintf(&b, "because %s\n", reason)
	}
	for _, action := range plan.Steps[i].Actions {
		switch a := action.(type) {
		case Script:
			fmt.Fprintf(&b, "%s %q\n", a.Describe(), a.Args)
		case PutFile:
			fmt.Fprintf(&b, "%s of %d bytes\n", a.Describe(), len(a.Content))
		case InstallLayers:
			for _, layer := range a.Layers {
				fmt.Fprintf(&b, "install %s\n", layer.Files[0].Path)
			}
		default:
			fmt.Fprintf(&b, "%s\n", a.Describe())
		}
	}
	return b.String()
}

// Swap is turned off in all the ways in which it could come back, and in none that are off already.
func TestSwapPlan(t *testing.T) {
	units := func(pairs ...string) func(*facts.Host) {
		return func(h *facts.Host) {
			for i := 0; i < len(pairs); i += 2 {
				h.SwapUnits = append(h.SwapUnits, facts.SwapUnit{Name: pairs[i], State: pairs[i+1]})
			}
		}
	}
	on := func(h *facts.Host) { h.Swaps = []facts.Swap{{Device: "/dev/vdb"}} }
	failSwapOn := func(is bool) func(*inventory.Cluster) {
		return world.Config(templates.KindKubelet, map[string]any{"failSwapOn": is})
	}
	unit := func(name string, is facts.Unit) func(*facts.Host) {
		return func(h *facts.Host) { h.Units[name] = is }
	}
	both := func(one, other func(*facts.Host)) func(*facts.Host) {
		return func(h *facts.Host) { one(h); other(h) }
	}
	const (
		swapoff = "swapoff, /etc/fstab, swap units "
		diskseq = `dev-disk-by\x2ddiskseq-4\x2dpart3.swap`
	)
	for _, c := range []struct {
		name string
		edit func(*inventory.Cluster)
		host func(*facts.Host)
		want string
	}{
		{name: "none"},
		{name: "on", host: on, want: "because swap is on: /dev/vdb\n" + swapoff + "[]\n"},
		{name: "at boot", host: func(h *facts.Host) { h.FstabSwaps = []string{"UUID=1"} }, want: "because /etc/fstab turns swap on at boot: UUID=1\n" + swapoff + "[]\n"},
		{name: "a unit that is masked, or there for once", host: units("a.swap", "masked", "c.swap", "transient")},
		{name: "units that generators make for partitions and zram", host: units("dev-vda3.swap", "generated", "dev-zram0.swap", "generated", "dev-zram0.swap", "generated"),
			want: "because unit dev-vda3.swap is generated\nbecause unit dev-zram0.swap is generated\n" + swapoff + "[\"dev-vda3.swap\" \"dev-zram0.swap\"]\n"},
		{name: "a unit of another name after each boot", host: units(diskseq, "generated"),
			want: "because unit " + diskseq + " is generated\n" + swapoff + "[\"dev-disk-by\\\\x2ddiskseq-4\\\\x2dpart3.swap\" \"swap.target\"]\n"},
		{name: "units that nothing starts at boot", host: both(units(diskseq, "generated", "dev-vda3.swap", "generated"), unit("swap.target", facts.Unit{Load: "masked", Enabled: "masked"}))},
		{name: "a unit of the administrator's", host: both(units("a.swap", "enabled"), unit("a.swap", facts.Unit{Path: "/etc/systemd/system/a.swap"})),
			want: "because unit a.swap is enabled\n" + swapoff + "[\"a.swap\"]\n"},
		{name: "one that is disabled", host: both(units("a.swap", "disabled"), unit("a.swap", facts.Unit{Path: "/etc/systemd/system/a.swap"}))},
		{name: "one that something else starts", host: both(units("a.swap", "static"), unit("a.swap", facts.Unit{Path: "/etc/systemd/system/a.swap"})),
			want: "because unit a.swap is static\n" + swapoff + "[\"a.swap\" \"swap.target\"]\n"},
		{name: "services", host: both(unit("zramswap.service", facts.Unit{Load: "loaded", Enabled: "enabled", Active: "active"}),
			both(unit("dphys-swapfile.service", facts.Unit{Load: "loaded", Enabled: "enabled", Active: "failed"}),
				both(unit("swapspace.service", facts.Unit{Load: "loaded", Enabled: "disabled", Active: "active"}), unit("zram-config.service", facts.Unit{Load: "loaded", Enabled: "disabled", Active: "inactive"})))),
			want: "because service zramswap.service turns swap on at boot\nbecause service dphys-swapfile.service turns swap on at boot\nbecause service swapspace.service is active\n" +
				swapoff + "[\"zramswap.service\" \"dphys-swapfile.service\" \"swapspace.service\"]\n"},
		{name: "a unit that is enabled", host: units("a.swap", "masked", "dev-vdb.swap", "enabled"),
			want: "because unit dev-vdb.swap is enabled\n" + swapoff + "[\"dev-vdb.swap\"]\n"},
		{name: "units that something may start", host: units("a.swap", "static", "b.swap", "disabled"),
			want: "because unit a.swap is static\nbecause unit b.swap is disabled\n" + swapoff + "[\"a.swap\" \"b.swap\"]\n"},
		{name: "zram at boot", host: func(h *facts.Host) { h.ZramGenerator = true },
			want: "because zram-generator makes a swap device at boot\nwrite /etc/systemd/zram-generator.conf (mode 0644) of 0 bytes\n" + swapoff + "[]\n"},
		{name: "the kubelet does not mind", edit: failSwapOn(false), host: on},
		{name: "the kubelet minds", edit: failSwapOn(true), host: on, want: "because swap is on: /dev/vdb\n" + swapoff + "[]\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			wish := world.State(t, c.edit)
			facts := world.Converged(t, wish)
			if c.host != nil {
				world.ChangeHost(facts, "w1", c.host)
			}
			plan := Make(wish, facts)
			if got := stepText(plan, "w1/swap"); got != c.want {
				t.Errorf("planned is\n%s\nwant\n%s", got, c.want)
			}
			if (c.want == "") != plan.Empty() {
				t.Errorf("the plan is\n%s", Show(plan))
			}
		})
	}
}

// What is about to be masked is recorded, so that reset brings it back; what was masked before is not.
func TestSwapIsRecorded(t *testing.T) {
	wish := world.State(t, nil)
	seen := world.Converged(t, wish)
	world.ChangeHost(seen, "w1", func(h *facts.Host) {
		h.SwapUnits = []facts.SwapUnit{{Name: "a.swap", State: "masked"}, {Name: "dev-vdb.swap", State: "enabled"}}
	})
	for _, step := range Make(wish, seen).Steps {
		if got := fmt.Sprint(step.Touches()); got != "[swap:active file:/etc/fstab unit:dev-vdb.swap]" {
			t.Errorf("step %s records %s", step.ID, got)
		}
	}
}

// A file of ours, or one of the bundle, is drift when its mode or its owner is not as it was
// installed: with mode 777 everybody could replace what root runs.
func TestModesAreDrift(t *testing.T) {
	for _, c := range []struct {
		path   string
		step   string
		change func(*facts.File)
		why    string
		want   string // what is done, between the stop and the start
		unit   string
	}{
		{path: "/usr/local/bin/kubelet", step: "w1/kubernetes", change: func(f *facts.File) { f.Mode = 0o777 },
			why: "has mode 777 and owner 0:0, want 755 and 0:0", want: "install /usr/local/bin/kubelet\n", unit: templates.KubeletService},
		{path: "/usr/local/bin/kubelet", step: "w1/kubernetes", change: func(f *facts.File) { f.Mode = 0o644 },
			why: "has mode 644 and owner 0:0, want 755 and 0:0", want: "install /usr/local/bin/kubelet\n", unit: templates.KubeletService},
		{path: "/usr/local/bin/ctr", step: "w1/containerd", change: func(f *facts.File) { f.UID = 1000 },
			why: "has mode 755 and owner 1000:0, want 755 and 0:0", want: "install /usr/local/bin/ctr\n", unit: templates.ContainerdService},
		{path: "/opt/cni/bin/flannel", step: "w1/kubernetes", change: func(f *facts.File) { f.GID = 100 },
			why: "has mode 755 and owner 0:100, want 755 and 0:0", want: "install /opt/cni/bin/bridge\n", unit: templates.KubeletService},
		{path: templates.ContainerdConfigFile, step: "w1/containerd", change: func(f *facts.File) { f.Mode = 0o666 },
			why: "has mode 666 and owner 0:0, want 644 and 0:0", want: "write " + templates.ContainerdConfigFile + " (mode 0644)", unit: templates.ContainerdService},
		{path: templates.ContainerdConfigFile, step: "w1/containerd", change: func(f *facts.File) { f.UID = 7 },
			why: "has mode 644 and owner 7:0, want 644 and 0:0", want: "write " + templates.ContainerdConfigFile + " (mode 0644)", unit: templates.ContainerdService},
		{path: templates.ContainerdConfigFile, step: "w1/containerd", change: func(f *facts.File) { f.GID = 7 },
			why: "has mode 644 and owner 0:7, want 644 and 0:0", want: "write " + templates.ContainerdConfigFile + " (mode 0644)", unit: templates.ContainerdService},
		{path: templates.ModulesFile().Path, step: "w1/kernel", change: func(f *facts.File) { f.Mode = 0o600 },
			why: "has mode 600 and owner 0:0, want 644 and 0:0", want: "write " + templates.ModulesFile().Path + " (mode 0644)"},
	} {
		wish := world.State(t, nil)
		seen := world.Converged(t, wish)
		world.ChangeHost(seen, "w1", func(h *facts.Host) {
			file := h.Files[c.path]
			c.change(&file)
			h.Files[c.path] = file
		})
		plan := Make(wish, seen)
		if len(plan.Steps) != 1 {
			t.Errorf("%s: the plan is\n%s", c.path, Show(plan))
		}
		stop, start := "", ""
		if c.unit != "" {
			stop, start = fmt.Sprintf("systemctl stop %s [%q]\n", c.unit, c.unit), fmt.Sprintf("systemctl enable --now %s [%q \"start\"]\n", c.unit, c.unit)
		}
		want := "because " + c.path + " " + c.why + "\n" + stop + c.want
		if got := stepText(plan, c.step); !strings.HasPrefix(got, want) || !strings.HasSuffix(got, start) || strings.Count(got, "\n") != strings.Count(stop+start, "\n")+2 {
			t.Errorf("%s: planned is\n%s\nwant\n%s…\n%s", c.path, got, want, start)
		}
	}
}

// A second machine of a name is neither joined nor touched any further while the first one is Ready.
func TestDuplicateNodeDoesNotJoin(t *testing.T) {
	wish := world.State(t, nil)
	for _, ready := range []bool{true, false} {
		facts := world.Converged(t, wish)
		facts.Hosts["w1"] = world.FreshHost(wish.Cluster.Workers[0])
		world.ChangeNode(facts, "w1", func(n *object.Node) { n.Ready = ready })
		plan := Make(wish, facts)
		joins := slices.ContainsFunc(plan.Steps, func(s Step) bool { return s.ID == "w1/join" })
		if joins == ready || (len(plan.Errors()) > 0) != ready {
			t.Errorf("with a node that is Ready (%v):\n%s", ready, Show(plan))
		}
	}
}

// Nodes register with the inventory's taints, so that nothing is scheduled there before.
func TestNodesRegisterWithTaints(t *testing.T) {
	gpu := func(c *inventory.Cluster) {
		for _, hosts := range [][]inventory.Host{c.ControlPlane.Hosts, c.Workers} {
			hosts[0].Taints = []inventory.Taint{{Key: "gpu", Value: "true", Effect: "NoExecute"}}
		}
	}
	schedulable := func(c *inventory.Cluster) { c.ControlPlane.Schedulable = true }
	const controlPlane, ofUser = "{node-role.kubernetes.io/control-plane  NoSchedule}", "{gpu true NoExecute}"
	for _, c := range []struct {
		name string
		edit func(*inventory.Cluster)
		want map[string]string
	}{
		{name: "plain", want: map[string]string{"cp1": "[" + controlPlane + "]", "w1": "[]", "w2": "[]"}},
		{name: "schedulable", edit: schedulable, want: map[string]string{"cp1": "[]", "w1": "[]", "w2": "[]"}},
		{name: "taints", edit: gpu, want: map[string]string{"cp1": "[" + controlPlane + " " + ofUser + "]", "w1": "[" + ofUser + "]", "w2": "[]"}},
		{name: "taints and schedulable", edit: world.All(gpu, schedulable), want: map[string]string{"cp1": "[" + ofUser + "]", "w1": "[" + ofUser + "]", "w2": "[]"}},
	} {
		wish := world.State(t, c.edit)
		facts := world.Of(wish, func(_ desired.State, host inventory.Host) facts.Host { return world.FreshHost(host) })
		seen := 0
		for _, step := range Make(wish, facts).Steps {
			for _, action := range step.Actions {
				var node templates.Node
				switch a := action.(type) {
				case KubeadmInit:
					node = a.Node
				case KubeadmJoin:
					node = a.Node
				default:
					continue
				}
				seen++
				if got := fmt.Sprint(node.Taints); got != c.want[step.Host] {
					t.Errorf("%s: %s registers with %s, want %s", c.name, step.Host, got, c.want[step.Host])
				}
				// Without a list kubeadm takes its own taint.
				if _, isInit := action.(KubeadmInit); isInit && node.Taints == nil {
					t.Errorf("%s: kubeadm chooses the taints of %s", c.name, step.Host)
				}
			}
		}
		if seen != len(c.want) {
			t.Errorf("%s: %d hosts register", c.name, seen)
		}
	}
}

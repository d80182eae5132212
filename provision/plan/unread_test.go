package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/provision/model/world"
	"fairlead/provision/object"
	"fairlead/templates"
)

// unread has a host say something that cannot be read.
func unread(fact, of, value, why string) func(*facts.Host) {
	return func(h *facts.Host) { h.Unread = append(h.Unread, facts.NewUnread(fact, of, value, why)) }
}

// unreadCases have a row for each kind of value that cannot be read. Those that a plan may need stay whatever is ignored.
func unreadCases() []preflightCase {
	const (
		noNumber  = "it is no number"
		noPEM     = "no PEM certificate in it"
		otherwise = "; if the host belongs to no cluster any more: fairlead reset cp1, and remove the file if it is still there)"
		cut       = " cannot be read: no PEM certificate in it "
	)
	needed := []struct {
		name string
		host func(*facts.Host)
		want string
	}{
		{"a line that is no fact", unread("", "", "+ exec 2>&1", "this fairlead knows no such fact"),
			`a line of the host's answer cannot be read, it is "+ exec 2>&1": this fairlead knows no such fact (let nothing else print while a command runs on the host (exec 2>&1 or set -x in start-up files of the login shell))`},
		{"an odd number of processors", unread("cpus", "", "many", noNumber), `the number of processors cannot be read, it is "many": it is no number (look on the host at: nproc)`},
		{"an odd user", unread("uid", "", "", noNumber), `the user's number cannot be read: it is no number (look on the host at: id -u)`},
		{"an odd clock", unread("clock", "", "17N", noNumber), `the time cannot be read, it is "17N": it is no number (look on the host at: date +%s%N)`},
		{"much memory", unread("memory", "", "99", "the number is too large"), `the size of the memory cannot be read, it is "99": the number is too large (look on the host at: /proc/meminfo)`},
		{"odd capabilities", unread("capabilities", "", "x", noNumber), `the set of capabilities cannot be read, it is "x": it is no number (look on the host at: /proc/self/status)`},
		{"an odd systemd", unread("systemd", "", "devel", noNumber), `systemd's version cannot be read, it is "devel": it is no number (look on the host at: systemctl show --property Version)`},
		{"odd cgroups", unread("cgroup", "", "v3", "it is neither v2 nor v1"), `the version of cgroups cannot be read, it is "v3": it is neither v2 nor v1 (look on the host at: stat -fc %T /sys/fs/cgroup)`},
		{"an odd SELinux", unread("selinux", "", "2", "it is neither 1 nor 0"), `SELinux's mode cannot be read, it is "2": it is neither 1 nor 0 (look on the host at: /sys/fs/selinux/enforce)`},
		{"an odd disk", unread("disk", "/var", "-1 1", "size: the number is negative"), `the room for /var cannot be read, it is "-1 1": size: the number is negative (look on the host at: df -Pk /var)`},
		{"an odd port", unread("port", "22", "a b", "it has 3 fields, want 2"), `a port that a program listens on, 22, cannot be read, it is "a b": it has 3 fields, want 2 (look on the host at: ss -Hltnp)`},
		{"an odd swap device", unread("swap", "", "1", "it has no name"), `a swap device cannot be read, it is "1": it has no name (look on the host at: /proc/swaps)`},
		{"an odd swap unit", unread("swap-unit", "a.swap", "", "it has 1 field, want 2"), `the swap unit a.swap cannot be read: it has 1 field, want 2 (look on the host at: systemctl show a.swap)`},
		{"an odd unit", unread("unit", "kubelet.service", "loaded", "it has 2 fields, want 9"), `the unit kubelet.service cannot be read, it is "loaded": it has 2 fields, want 9 (look on the host at: systemctl show kubelet.service)`},
		{"an odd module", unread("module", "overlay", "?", "it is neither loaded nor absent"), `the kernel module overlay cannot be read, it is "?": it is neither loaded nor absent (look on the host at: lsmod)`},
		{"an odd sysctl", unread("sysctl", "vm.x", "1 2", "it has 3 fields, want 2"), `the kernel parameter vm.x cannot be read, it is "1 2": it has 3 fields, want 2 (look on the host at: sysctl vm.x)`},
		{"an odd file", unread("file", "/etc/a", "-1", "size: the number is negative"), `the file /etc/a cannot be read, it is "-1": size: the number is negative (look on the host at: stat /etc/a)`},
		{"an odd hash", unread("sha256", "/etc/a", "beef", "it is no SHA-256"), `the hash of /etc/a cannot be read, it is "beef": it is no SHA-256 (look on the host at: stat /etc/a)`},
		{"an odd folder", unread("tree", "", "", "it has no name"), `the folder cannot be read: it has no name (look on the host at: stat)`},
		{"an odd socket", unread("socket", "", "", "it has no name"), `the socket cannot be read: it has no name (look on the host at: stat)`},
		{"an odd link", unread("symlink", "", "", "it has no name"), `the link cannot be read: it has no name (look on the host at: stat)`},
		{"an odd text", unread("content", "/etc/a", "", "it has 3 fields, want 2"), `the text of /etc/a cannot be read: it has 3 fields, want 2 (look on the host at: stat /etc/a)`},
		{"an odd version", unread("version", "runc", "", "it has 1 field, want 3"), `the version of runc cannot be read: it has 1 field, want 3 (look on the host at: runc --version)`},
		{"an odd package", unread("package", "kubelet", "held", "it has no version"), `the package kubelet cannot be read, it is "held": it has no version (look on the host at: the package manager's list of what is installed)`},
		{"an odd candidate", unread("candidate", "containerd", "", "it has 1 field, want 2"), `the package containerd cannot be read: it has 1 field, want 2 (look on the host at: the package manager's list of what can be installed)`},
		{"an odd proxy", unread("environment", "HTTP_PROXY", "", "it has 3 fields, want 2"), `the variable HTTP_PROXY of systemd's environment cannot be read: it has 3 fields, want 2 (look on the host at: systemctl show-environment)`},
		{"an odd image", unread("image", "a:1", "x", "it has 2 fields, want 4"), `the image a:1 cannot be read, it is "x": it has 2 fields, want 4 (look on the host at: ctr --namespace k8s.io images check)`},
		{"a fact without words of its own", unread("kubeconfig", "", "a b", "it has 2 fields, want 1"), `the fact kubeconfig cannot be read, it is "a b": it has 2 fields, want 1 (mend what it comes from on the host)`},
		{"an empty CA", unread("certificate", templates.CACertificate, "", noPEM), "the certificate /etc/kubernetes/pki/ca.crt, which says to which cluster the host belongs," + cut +
			"(put a whole copy there: every host of its cluster has the same one" + otherwise},
		{"an empty certificate of etcd's", unread("certificate", "/etc/kubernetes/pki/etcd/server.crt", "", noPEM), "the certificate /etc/kubernetes/pki/etcd/server.crt" + cut +
			"(put a whole copy there, from a backup" + otherwise},
		{"an empty certificate of the kubelet's", unread("certificate", templates.KubeletClientCertificate, "", noPEM),
			"the certificate /var/lib/kubelet/pki/kubelet-client-current.pem" + cut + "(remove the file: up has the host join once more)"},
		{"an empty certificate of the registry's", unread("certificate", templates.RegistryCA, "", noPEM), "the certificate /etc/fairlead/registry/ca.crt" + cut + "(remove the file: up makes it anew)"},
	}
	var cases []preflightCase
	for _, c := range needed {
		cases = append(cases, preflightCase{name: c.name, host: c.host, want: "error cp1 Unread: " + c.want, firm: true})
	}
	many := func(fact string, n int) func(*facts.Host) {
		return func(h *facts.Host) {
			for range n {
				unread(fact, "", "x", noNumber)(h)
			}
		}
	}
	lines := func(n int, line string) string { return strings.Repeat(line+"\n", n) }
	const cpu = `error cp1 Unread: the number of processors cannot be read, it is "x": it is no number (look on the host at: nproc)`
	return append(cases,
		preflightCase{name: "an odd name server", host: unread("nameserver", "", "resolver", "it is no address"),
			want: `warning cp1 Unread: a name server in /etc/resolv.conf cannot be read, it is "resolver": it is no address (correct the line in /etc/resolv.conf; what names no address is passed over by the resolver, and stops CoreDNS)`},
		preflightCase{name: "an odd address", on: "w1", host: unread("address", "wg0", "x", "it is no address"),
			want: `warning w1 Unread: an address of wg0 cannot be read, it is "x": it is no address (look on the host at: ip address show dev wg0)`},
		preflightCase{name: "an odd certificate of others", host: unread("certificate", "/etc/kubernetes/pki/oidc.crt", "", noPEM),
			want: "warning cp1 Unread: the certificate /etc/kubernetes/pki/oidc.crt" + cut + "(put a whole copy there, from a backup" + otherwise},
		preflightCase{name: "as many odd facts as are told", host: many("cpus", 10), want: strings.TrimSuffix(lines(10, cpu), "\n"), firm: true},
		preflightCase{name: "more odd facts than are told", host: many("cpus", 11),
			want: lines(10, cpu) + "error cp1 Unread: 1 more fact cannot be read (mend those above first)", firm: true},
	)
}

// Of what is harmless only that is ignored which can be, and what is not harmless comes first.
func TestUnreadFindings(t *testing.T) {
	var all []facts.Unread
	for range 12 {
		all = append(all, facts.NewUnread("address", "a", "", "w"))
	}
	all = append(all, facts.NewUnread("cpus", "", "", "w"))
	shown := unreadFindings("w1", all, false)
	if len(shown) != 11 || shown[0].Warning || !shown[1].Warning || !shown[10].Warning || shown[10].Message != "3 more facts cannot be read" {
		t.Errorf("%+v", shown)
	}
	if ignored := unreadFindings("w1", all, true); len(ignored) != 1 || ignored[0].Warning {
		t.Errorf("%+v", ignored)
	}
}

// With any fact that cannot be read and that a plan may need, up changes nothing on that host, however far it is, and no fact is
// taken for absent; a reset goes by the ledger, as if all could be read.
func TestUnreadFactsStopUpAndNotReset(t *testing.T) {
	for _, edit := range []func(*inventory.Cluster){nil, world.ThreeControlPlanes, world.FromRepositories, world.OwnRegistryOnWorker} {
		wish := world.State(t, edit)
		fresh := world.Of(wish, func(_ desired.State, host inventory.Host) facts.Host { return world.FreshHost(host) })
		half := world.Converged(t, wish)
		half.API.Missing = []string{"DaemonSet kube-proxy"}
		silent := world.Converged(t, wish)
		silent.API = facts.API{Err: world.Refused()}
		for state, seen := range map[string]facts.Facts{"fresh": fresh, "converged": world.Converged(t, wish), "half made": half, "silent": silent} {
			for name := range seen.Hosts {
				world.ChangeHost(seen, name, func(h *facts.Host) {
					h.Ledger = []ledger.Entry{{Kind: ledger.File, Key: "/etc/a", Was: "absent"}}
					h.Files["/etc/a"] = facts.File{}
				})
			}
			whole, err := MakeReset(wish, seen, ResetOrder{})
			if err != nil {
				t.Fatal(err)
			}
			for _, host := range wish.Cluster.Hosts() {
				kinds := unreadTable()
				kinds["manifest"], kinds["kubeconfig"], kinds["os"] = [2]string{}, [2]string{}, [2]string{}
				for kind := range kinds {
					name := fmt.Sprintf("%s, %s of %s", state, kind, host.Name)
					u := facts.NewUnread(kind, "", "x", "w")
					if u.Harmless() {
						continue
					}
					odd := seen
					odd.Hosts = map[string]facts.Host{}
					for name, host := range seen.Hosts {
						odd.Hosts[name] = host
					}
					world.ChangeHost(odd, host.Name, func(h *facts.Host) { h.Unread = []facts.Unread{u} })
					wantNothingOn(t, name, host, Make(wish, odd))
					reset, err := MakeReset(wish, odd, ResetOrder{})
					if err != nil || Show(Plan{Steps: reset.Steps, Blocked: reset.Blocked}) != Show(Plan{Steps: whole.Steps, Blocked: whole.Blocked}) {
						t.Errorf("%s: the reset is, with error %v,\n%s", name, err, Show(reset))
					}
					if len(reset.Findings) != 1 || !reset.Findings[0].Warning || reset.Findings[0].Host != host.Name {
						t.Errorf("%s: the reset has found %+v", name, reset.Findings)
					}
				}
			}
		}
	}
}

// wantNothingOn fails the test unless a plan has an error for a host, no step on it, and no new cluster beside one that it may hold.
func wantNothingOn(t *testing.T, name string, of inventory.Host, made Plan) {
	t.Helper()
	host := of.Name
	if found := made.Errors(); !slices.ContainsFunc(found, func(f Finding) bool { return f.Host == host && f.Name == unreadName }) {
		t.Errorf("%s: found only %+v", name, found)
	}
	for _, step := range made.Steps {
		if step.Host == host || of.Role == inventory.RoleControlPlane && strings.HasPrefix(step.Title, "initialise") {
			t.Errorf("%s: %s is planned: %s", name, step.ID, step.Title)
		}
	}
	if !slices.ContainsFunc(made.Blocked, func(b Blocked) bool { return b.Host == host && b.Reason == "the host has facts that cannot be read" }) {
		t.Errorf("%s: blocked is %+v", name, made.Blocked)
	}
}

// After the fix of a certificate's finding, the run goes on: what was removed is made anew.
func TestFixesOfUnreadCertificates(t *testing.T) {
	wish := world.State(t, world.OwnRegistryOnWorker)
	seen := world.Converged(t, wish)
	world.ChangeHost(seen, "w1", func(h *facts.Host) { h.RegistryCA, h.RegistryCertificate = nil, nil })
	if is := Show(Make(wish, seen)); !strings.Contains(is, "the registry's certificate") {
		t.Errorf("without the registry's certificates the plan is\n%s", is)
	}
	seen = world.Converged(t, wish)
	world.ChangeHost(seen, "w2", func(h *facts.Host) { h.KubeletCredentials = false })
	world.ChangeNode(seen, "w2", func(n *object.Node) { n.Ready = false })
	if made := Make(wish, seen); len(made.Errors()) > 0 || !slices.ContainsFunc(made.Steps, func(s Step) bool { return s.ID == StepID("w2", stepJoin) }) {
		t.Errorf("without the kubelet's certificate the plan is\n%s", Show(made))
	}
}

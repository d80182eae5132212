package templates

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

const savedRules = "testdata/scripts/iptables-save.txt"

// iptables-save tells what is in a file of its name, iptables-restore logs what it is fed.
const (
	saveStandIn    = `cat "$S/${0##*/}" 2>/dev/null`
	restoreStandIn = `sed 's/^/    /' >>"$S/log"; ! once refuse`
)

const nftRulesStandIn = `
case "$1 $2" in
"list chains" | "list tables") cat "$S/nft/$2" ;;
"list chain" | "list table") shift; cat "$S/nft/$*" ;;
esac
`

func netfilterHost(t *testing.T) *standIns {
	t.Helper()
	s := newHost(t, map[string]string{
		"iptables-save": saveStandIn, "iptables-restore": restoreStandIn, "ip6tables-save": saveStandIn, "ip6tables-restore": restoreStandIn,
		"iptables-legacy-save": saveStandIn, "iptables-legacy-restore": restoreStandIn,
		"ip6tables-legacy-save": saveStandIn, "ip6tables-legacy-restore": restoreStandIn,
		"nft": nftRulesStandIn,
	})
	s.put("/var/lib/fairlead/ledger", "net all saved\n")
	return s
}

// The rules and chains of Kubernetes, of CNI plugins and of flannel go, and nothing else does; those
// of Docker go with a Docker that fairlead brought.
func TestResetDeletions(t *testing.T) {
	saved, err := os.ReadFile(savedRules)
	if err != nil {
		t.Fatal(err)
	}
	for name, ledger := range map[string]string{"kubernetes": "net all saved\n", "docker": "unit docker.service not-found inactive\n"} {
		t.Run(name, func(t *testing.T) {
			s := netfilterHost(t)
			s.put("/var/lib/fairlead/ledger", ledger)
			transcript, ok := s.fed(string(saved), resetPart(t, "deletions"))
			if !ok {
				t.Errorf("it failed:\n%s", transcript)
			}
			golden(t, "scripts/deletions-"+name+".txt", []byte(transcript))
			wantOnlyDeletions(t, string(saved), transcript)
		})
	}
}

// wantOnlyDeletions fails the test unless each command takes away what is there, and each chain is
// emptied, and free of rules that lead to it, before it goes.
func wantOnlyDeletions(t *testing.T, saved, commands string) {
	t.Helper()
	there := map[string]bool{}
	table := ""
	for line := range strings.Lines(saved) {
		if strings.HasPrefix(line, "*") {
			table = line
		}
		name, _, _ := strings.Cut(line, " ")
		there[table+name] = true
		there[table+line] = true
	}
	empty := map[string]bool{}
	for line := range strings.Lines(commands) {
		command := strings.TrimPrefix(line, "| ")
		switch {
		case strings.HasPrefix(command, "*"):
			table = command
		case strings.HasPrefix(command, "-D "):
			if rule := "-A " + strings.TrimPrefix(command, "-D "); !there[table+rule] {
				t.Errorf("there is no rule %s in %s", rule, table)
			}
		case strings.HasPrefix(command, "-F "):
			empty[table+strings.TrimSpace(command[3:])] = true
		case strings.HasPrefix(command, "-X "):
			if chain := strings.TrimSpace(command[3:]); !empty[table+chain] || !there[table+":"+chain] {
				t.Errorf("chain %s of %s is not emptied, or not there", chain, table)
			}
		case command == "COMMIT\n" || strings.HasPrefix(command, "$"):
		default:
			t.Errorf("unknown command %s", command)
		}
	}
}

// Each kind of iptables is asked; what is not compiled into the kernel, or holds nothing, is left alone.
func TestResetRemovesNetfilter(t *testing.T) {
	const rules = "*filter\n:FORWARD ACCEPT [0:0]\n:KUBE-%[1]s - [0:0]\n-A FORWARD -j KUBE-%[1]s\n-A FORWARD -j MINE\nCOMMIT\n"
	const restore = "%s --noflush\n    *filter\n    -D FORWARD -j KUBE-%[2]s\n    -F KUBE-%[2]s\n    -X KUBE-%[2]s\n    COMMIT\n"
	s := netfilterHost(t)
	s.write("iptables-save", fmt.Sprintf(rules, "A"))
	s.write("ip6tables-save", "*filter\n:MINE - [0:0]\nCOMMIT\n")
	s.write("iptables-legacy-save", fmt.Sprintf(rules, "B"))
	s.write("ip6tables-legacy-save", fmt.Sprintf(rules, "C"))
	s.put("/proc/net/ip_tables_names", "filter\n")
	first := "iptables-save \n" + fmt.Sprintf(restore, "iptables-restore", "A") + "ip6tables-save \niptables-legacy-save \n" + fmt.Sprintf(restore, "iptables-legacy-restore", "B")
	s.wantRun(first+"| removing netfilter rules\n", resetPart(t, "remove_netfilter"))
	s.put("/proc/net/ip6_tables_names", "filter\n")
	s.wantRun(first+"ip6tables-legacy-save \n"+fmt.Sprintf(restore, "ip6tables-legacy-restore", "C")+"| removing netfilter rules\n", resetPart(t, "remove_netfilter"))
	s.write("refuse", "")
	transcript, ok := s.onHost(resetPart(t, "remove_netfilter"))
	if ok || !strings.Contains(transcript, "| cannot delete the rules of iptables\n") || !strings.Contains(transcript, "ip6tables-legacy-restore") {
		t.Errorf("it did\n%s", transcript)
	}
}

// A host without programs for netfilter has no rules.
func TestResetWithoutNetfilter(t *testing.T) {
	s := newHost(t, nil)
	s.put("/var/lib/fairlead/saved/chains", "")
	s.wantRun("| removing netfilter rules\n", resetPart(t, "remove_netfilter"))
}

// Tables and base chains of nft go if they were not there before and, those that are not of the
// cluster alone, if nothing is in them.
func TestResetRemovesTables(t *testing.T) {
	const (
		base  = "table ip %s {\n\tchain %s {\n\t\ttype filter hook forward priority filter; policy %s;\n%s\t}\n}\n"
		plain = "table ip %s {\n}\n"
	)
	s := netfilterHost(t)
	s.put("/var/lib/fairlead/saved/chains", "ip filter\nip filter INPUT\nip mangle\nip theirs\n")
	s.write("nft/chains", "table ip filter {\n\tchain INPUT {\n\t\ttype filter hook input priority filter; policy accept;\n\t}\n\tchain FORWARD {\n\t}\n\tchain OUTPUT {\n\t}\n\tchain USED {\n\t}\n\tchain lower {\n\t}\n}\n"+
		"table ip theirs {\n\tchain INPUT {\n\t}\n}\ntable ip6 nat {\n\tchain POSTROUTING {\n\t}\n}\n")
	s.write("nft/chain ip filter INPUT", fmt.Sprintf(base, "filter", "INPUT", "accept", ""))
	s.write("nft/chain ip filter FORWARD", fmt.Sprintf(base, "filter", "FORWARD", "accept", ""))
	s.write("nft/chain ip filter OUTPUT", fmt.Sprintf(base, "filter", "OUTPUT", "drop", ""))
	s.write("nft/chain ip filter USED", fmt.Sprintf(base, "filter", "USED", "accept", "\t\tip saddr 192.0.2.1 drop\n"))
	s.write("nft/chain ip filter lower", fmt.Sprintf(base, "filter", "lower", "accept", ""))
	s.write("nft/chain ip theirs INPUT", fmt.Sprintf(base, "theirs", "INPUT", "accept", ""))
	s.write("nft/chain ip6 nat POSTROUTING", fmt.Sprintf(base, "nat", "POSTROUTING", "accept", ""))
	s.write("nft/tables", "table ip filter\ntable ip mangle\ntable ip theirs\ntable ip raw\ntable ip6 nat\ntable ip6 filter\ntable ip kube-proxy\ntable ip6 flannel-ipv6\ntable inet new\n")
	s.write("nft/table ip filter", fmt.Sprintf(plain, "filter"))
	s.write("nft/table ip mangle", fmt.Sprintf(plain, "mangle"))
	s.write("nft/table ip raw", fmt.Sprintf(plain, "raw"))
	s.write("nft/table ip6 nat", fmt.Sprintf(base, "nat", "POSTROUTING", "accept", ""))
	s.write("nft/table ip6 filter", fmt.Sprintf(base, "filter", "FORWARD", "accept", "\t\tdrop\n"))
	transcript, _ := s.onHost(resetPart(t, "remove_tables"))
	var deleted []string
	for line := range strings.Lines(transcript) {
		if what, ok := strings.CutPrefix(line, "nft delete "); ok {
			deleted = append(deleted, strings.TrimSpace(what))
		}
	}
	want := "chain ip filter FORWARD, chain ip6 nat POSTROUTING, table ip raw, table ip6 nat, table ip kube-proxy, table ip6 flannel-ipv6"
	if is := strings.Join(deleted, ", "); is != want {
		t.Errorf("gone are\n%s\ninstead of\n%s\nby\n%s", is, want, transcript)
	}
	// Nothing goes where it is not known what was before.
	s.remove("/var/lib/fairlead/saved/chains")
	s.wantRun("", resetPart(t, "remove_tables"))
}

// Interfaces of the cluster go, and those of a Docker that fairlead brought; none that was there before.
func TestResetRemovesLinks(t *testing.T) {
	const links = "lo eth0 cni0 flannel.1 flannel-v6.1 kube-ipvs0 docker0 br-0123456789ab br-lan cni0x flannel.2"
	for name, c := range map[string]struct {
		ledger, before string
		want           string
	}{
		"kubernetes":     {"net all saved\n", "lo\neth0\n", "veth1 veth2 cni0 flannel-v6.1 flannel.1 kube-ipvs0"},
		"docker":         {"unit docker.service not-found inactive\n", "lo\neth0\n", "veth1 veth2 br-0123456789ab cni0 docker0 flannel-v6.1 flannel.1 kube-ipvs0"},
		"theirs, before": {"net all saved\n", "lo\neth0\nflannel.1\nkube-ipvs\n", "veth1 veth2 cni0 flannel-v6.1 kube-ipvs0"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newHost(t, map[string]string{"ip": `case $* in "-o link show master cni0") cat "$S/ports" ;; esac; [ ! -e "$S/stuck" ] || [ "$1" != link ]`})
			s.write("ports", "7: veth1@if2: <BROADCAST> mtu 1450\n8: veth2@if2: <BROADCAST> mtu 1450\n")
			s.put("/var/lib/fairlead/ledger", c.ledger)
			s.put("/var/lib/fairlead/saved/links", c.before)
			for _, link := range strings.Fields(links) {
				s.mkdir("/sys/class/net/" + link)
			}
			want := "ip -o link show master cni0\n"
			for _, link := range strings.Fields(c.want) {
				want += "ip link delete " + link + "\n"
			}
			s.wantRun(want+"| removing interfaces\n", resetPart(t, "remove_links"))
			s.write("stuck", "")
			if transcript, ok := s.onHost(resetPart(t, "remove_links")); ok || !strings.Contains(transcript, "| cannot delete interface cni0\n") {
				t.Errorf("it did\n%s", transcript)
			}
		})
	}
}

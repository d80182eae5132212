package inventory

import (
	_ "embed" // the files are part of the program
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

//go:embed starter.yaml
var starter string

//go:embed schema.json
var schema string

// Starter gives a commented cluster file to start from.
func Starter() []byte { return []byte(starter) }

// Schema gives the JSON schema (draft 2020-12) of the cluster file, for editors.
func Schema() []byte { return []byte(schema) }

// StarterVersion is the version of Kubernetes in the starter.
const StarterVersion = "1.37.2"

// starterSubnets are subnets for pods and services, of which the first pair that has none of the hosts is taken: those that are
// usual, others of private networks (RFC 1918), and unique local ones (RFC 4193).
func starterSubnets() [][2]string {
	return [][2]string{
		{DefaultPodSubnet, DefaultServiceSubnet}, {"172.20.0.0/16", "172.21.0.0/16"}, {"10.244.0.0/16", "172.21.0.0/16"},
		{"fd00:10:244::/56", "fd00:10:96::/112"}, {"fd00:10:245::/56", "fd00:10:97::/112"},
	}
}

// subnetsFor returns the pair for hosts; the first one where no pair goes with them. Hosts of two addresses get one of each family, in
// their order.
func subnetsFor(hosts []Host) [2]string {
	var firsts, seconds []netip.Addr
	for _, h := range hosts {
		firsts = append(firsts, h.Address)
		if h.Second.IsValid() {
			seconds = append(seconds, h.Second)
		}
	}
	pair := subnetsAround(firsts)
	if len(seconds) > 0 {
		second := subnetsAround(seconds)
		pair = [2]string{pair[0] + "," + second[0], pair[1] + "," + second[1]}
	}
	return pair
}

// subnetsAround returns the pair that none of the addresses, which are of one family, is in.
func subnetsAround(addresses []netip.Addr) [2]string {
	all := starterSubnets()
	i := slices.IndexFunc(all, func(pair [2]string) bool {
		return !slices.ContainsFunc(addresses, func(a netip.Addr) bool {
			pods, services := parseSubnets(pair[0]), parseSubnets(pair[1])
			return !pods.speaks(a) || pods.Of(a).IsValid() || services.Of(a).IsValid()
		})
	})
	return all[max(0, i)]
}

// Draft is what a cluster file is written from. What is empty is as in the starter.
type Draft struct {
	Name          string
	Version       string
	PodSubnet     string
	ServiceSubnet string
	Endpoint      string
	Schedulable   bool
	Hosts         []Host // with their roles; of SSH what is empty is left to the file's top or its defaults
	Comments      []string
}

// StarterFor is Starter with hosts in the place of the examples: the first one is the control plane, the others are workers.
// Of their SSH it writes the address, the user and the port, at the top what the first has, if all
// have one: for those that have none it is ssh's configuration that says it. The error is an *Invalid when the hosts do not
// go together or break a rule of the file.
func StarterFor(hosts []Host) ([]byte, error) {
	if len(hosts) == 0 {
		return Starter(), nil
	}
	draft := Draft{Hosts: slices.Clone(hosts), Schedulable: len(hosts) == 1} // else pods would have no place
	for i := range draft.Hosts {
		draft.Hosts[i].Role = RoleWorker
	}
	draft.Hosts[0].Role = RoleControlPlane
	return draft.File()
}

// File is the starter with all that the draft has, its comments above everything else. The error is an *Invalid when the draft
// breaks a rule of the file.
func (d Draft) File() ([]byte, error) {
	shared := sharedSSH(d.Hosts)
	lines := map[Role]string{}
	for _, h := range d.Hosts {
		lines[h.Role] += "    - {" + hostText(h, shared, false) + "}\n"
	}
	text := []byte(strings.NewReplacer(slices.Concat([]string{
		"    - {name: cp1, address: 192.0.2.11}\n", lines[RoleControlPlane],
		"    - {name: w1, address: 192.0.2.21}\n    - {name: w2, address: 192.0.2.22}\n", lines[RoleWorker],
		"  schedulable: false\n", "  schedulable: " + strconv.FormatBool(d.Schedulable) + "\n",
	}, d.headTexts(), shared.starterTexts())...).Replace(starter))
	if _, _, err := Parse("", text); err != nil {
		return nil, fmt.Errorf("write the hosts: %w", err)
	}
	return text, nil
}

// headTexts are lines of the starter, and what stands in their place.
func (d Draft) headTexts() []string {
	subnets := subnetsFor(d.Hosts)
	texts := []string{
		"podSubnet: " + DefaultPodSubnet, "podSubnet: " + givenText(d.PodSubnet, subnets[0]),
		"serviceSubnet: " + DefaultServiceSubnet, "serviceSubnet: " + givenText(d.ServiceSubnet, subnets[1]),
	}
	if d.Name != "" {
		texts = append(texts, "\nname: lab\n", "\nname: "+quoteText(d.Name, false)+"\n")
	}
	if d.Version != "" {
		texts = append(texts, "  version: "+StarterVersion, "  version: "+quoteText(d.Version, false))
	}
	if d.Endpoint != "" {
		texts = append(texts, "  # endpoint: api.lab.example:6443\n", "  endpoint: "+quoteText(d.Endpoint, false)+"\n")
	}
	if len(d.Comments) > 0 {
		texts = append(texts, "apiVersion: "+APIVersion+"\n", commentText(d.Comments)+"apiVersion: "+APIVersion+"\n")
	}
	return texts
}

func givenText(given, other string) string {
	if given == "" {
		return other
	}
	return quoteText(given, false)
}

// commentText writes one comment a line. What could end a line, or is no text, does not come through.
func commentText(comments []string) string {
	var b strings.Builder
	b.WriteString("#\n")
	for _, comment := range comments {
		b.WriteString(strings.TrimRight("# "+strings.Map(func(r rune) rune {
			if unicode.IsPrint(r) {
				return r
			}
			return unicode.ReplacementChar
		}, comment), " ") + "\n")
	}
	return b.String()
}

// sharedSSH is what stands at the file's top, so that it need not stand at each host: the first host's user and port,
// if all have one, and of the rest what all hosts have.
func sharedSSH(hosts []Host) SSH {
	all := func(same func(SSH) bool) bool {
		return !slices.ContainsFunc(hosts, func(h Host) bool { return !same(h.SSH) })
	}
	if len(hosts) > 0 && all(func(s SSH) bool {
		return s.InContainer() && s.Transport == hosts[0].SSH.Transport && s.Context == hosts[0].SSH.Context
	}) {
		return SSH{Transport: hosts[0].SSH.Transport, Context: hosts[0].SSH.Context}
	}
	hosts = slices.DeleteFunc(slices.Clone(hosts), func(h Host) bool { return !h.SSH.logsIn() })
	if len(hosts) == 0 {
		return SSH{}
	}
	first := hosts[0].SSH
	var shared SSH
	if all(func(s SSH) bool { return s.Port != 0 }) {
		shared.Port = first.Port
	}
	if all(func(s SSH) bool { return s.User != "" }) {
		shared.User = first.User
	}
	if all(func(s SSH) bool { return JumpText(s.Jump) == JumpText(first.Jump) }) {
		shared.Jump = first.Jump
	}
	if all(func(s SSH) bool { return s.IdentityFile == first.IdentityFile }) {
		shared.IdentityFile = first.IdentityFile
	}
	return shared
}

// starterTexts are lines of the starter about ssh, and what stands in their place.
func (s SSH) starterTexts() []string {
	texts := []string{"  user: ubuntu\n", "  # user: ubuntu\n"}
	if s.User != "" {
		texts[1] = "  user: " + quoteText(s.User, false) + "\n"
	}
	if s.InContainer() {
		texts[1] += "  transport: " + s.Transport + "\n"
	}
	if s.Context != "" {
		texts[1] += "  context: " + quoteText(s.Context, false) + "\n"
	}
	port := ""
	if s.Port != 0 {
		port = "  port: " + strconv.Itoa(s.Port) + "\n"
	}
	if jump := JumpText(s.Jump); jump != "" {
		port += "  jump: " + quoteText(jump, false) + "\n"
	}
	if port != "" {
		texts = append(texts, "  # port: 22\n", port)
	}
	if s.IdentityFile != "" {
		texts = append(texts, "  # identityFile: ~/.ssh/id_ed25519\n", "  identityFile: "+quoteText(s.IdentityFile, false)+"\n")
	}
	return texts
}

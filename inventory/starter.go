package inventory

import (
	_ "embed" // the files are part of the program
	"fmt"
	"slices"
	"strconv"
	"strings"
)

//go:embed starter.yaml
var starter string

//go:embed schema.json
var schema string

// Starter gives a commented cluster file to start from.
func Starter() []byte { return []byte(starter) }

// Schema gives the JSON schema (draft 2020-12) of the cluster file, for editors.
func Schema() []byte { return []byte(schema) }

// starterSubnets are subnets for pods and services, of which the first pair that has none of the hosts is taken: those that are
// usual, others of private networks (RFC 1918), and unique local ones (RFC 4193).
func starterSubnets() [][2]string {
	return [][2]string{
		{DefaultPodSubnet, DefaultServiceSubnet}, {"172.20.0.0/16", "172.21.0.0/16"}, {"10.244.0.0/16", "172.21.0.0/16"},
		{"fd00:10:244::/56", "fd00:10:96::/112"}, {"fd00:10:245::/56", "fd00:10:97::/112"},
	}
}

// subnetsFor returns the pair for hosts; the first one where no pair goes with them.
func subnetsFor(hosts []Host) [2]string {
	all := starterSubnets()
	i := slices.IndexFunc(all, func(pair [2]string) bool {
		return !slices.ContainsFunc(hosts, func(h Host) bool {
			pods, services := parseSubnet(pair[0]), parseSubnet(pair[1])
			return h.Address.Is4() != pods.Addr().Is4() || pods.Contains(h.Address) || services.Contains(h.Address)
		})
	})
	return all[max(0, i)]
}

// StarterFor is Starter with hosts in the place of the examples: the first one is the control plane, the others are workers.
// Of their SSH it writes the address, the user and the port, at the top what the first has, if all
// have one: for those that have none it is ssh's configuration that says it. The error is an *Invalid when the hosts do not
// go together or break a rule of the file.
func StarterFor(hosts []Host) ([]byte, error) {
	if len(hosts) == 0 {
		return Starter(), nil
	}
	top := SSH{User: hosts[0].SSH.User, Port: hosts[0].SSH.Port}
	if slices.ContainsFunc(hosts, func(h Host) bool { return h.SSH.User == "" }) {
		top.User = ""
	}
	if slices.ContainsFunc(hosts, func(h Host) bool { return h.SSH.Port == 0 }) {
		top.Port = 0
	}
	lines := make([]string, len(hosts))
	for i, h := range hosts {
		lines[i] = "    - {" + hostText(h, top, false) + "}\n"
	}
	changes := []string{
		"    - {name: cp1, address: 192.0.2.11}\n", lines[0],
		"    - {name: w1, address: 192.0.2.21}\n    - {name: w2, address: 192.0.2.22}\n", strings.Join(lines[1:], ""),
	}
	if top.User == "" {
		changes = append(changes, "  user: ubuntu\n", "  # user: ubuntu\n")
	} else {
		changes = append(changes, "  user: ubuntu\n", "  user: "+quoteText(top.User, false)+"\n")
	}
	if top.Port != 0 {
		changes = append(changes, "  # port: 22\n", "  port: "+strconv.Itoa(top.Port)+"\n")
	}
	if len(hosts) == 1 { // else pods would have no place
		changes = append(changes, "  schedulable: false\n", "  schedulable: true\n")
	}
	subnets := subnetsFor(hosts)
	changes = append(changes, "podSubnet: "+DefaultPodSubnet, "podSubnet: "+subnets[0], "serviceSubnet: "+DefaultServiceSubnet, "serviceSubnet: "+subnets[1])
	text := []byte(strings.NewReplacer(changes...).Replace(starter))
	if _, _, err := Parse("", text); err != nil {
		return nil, fmt.Errorf("write the hosts: %w", err)
	}
	return text, nil
}

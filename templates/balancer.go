package templates

import (
	"crypto/sha256"
	_ "embed" // the files are part of the program
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"
)

// Where a control plane's balancer has its things.
const (
	HAProxyConfigFile    = "/etc/haproxy/haproxy.cfg"
	KeepalivedConfigFile = "/etc/keepalived/keepalived.conf"
	BalancerFolder       = "/etc/fairlead/balancer"
	// BalancerLoaded says which configurations the services have read.
	BalancerLoaded = BalancerFolder + "/loaded"
	// BalancerNext is what the name of a configuration ends in that is yet to be tested.
	BalancerNext = ".fairlead-next"

	balancerCheck    = BalancerFolder + "/check"
	balancerPassword = BalancerFolder + "/password"
)

//go:embed host/haproxy.cfg
var haproxyConfig string

//go:embed host/keepalived.conf
var keepalivedConfig string

//go:embed host/haproxy-drop-in.conf
var haproxyDropIn string

//go:embed host/keepalived-drop-in.conf
var keepalivedDropIn string

//go:embed host/balancer-check
var balancerCheckScript string

//go:embed host/balancer-password
var balancerPasswordScript string

// Balancer is the balancer of one control plane.
type Balancer struct {
	VIP        netip.Addr
	Port       int
	HealthPort int    // on the loopback interface
	Interface  string // that gets the shared address
	// Hosts are all control planes, Own the one that it is for.
	Hosts []BalancerHost
	Own   BalancerHost
}

// BalancerHost is a control plane as balancers know it.
type BalancerHost struct {
	Name    string
	Address netip.Addr
}

// HAProxyFiles are the configuration of a control plane's HAProxy, and what goes with it.
func HAProxyFiles(b Balancer) (config HostFile, others []HostFile) {
	bind := "*:" + strconv.Itoa(b.Port)
	if b.VIP.Is6() {
		bind = ":::" + strconv.Itoa(b.Port)
	}
	var servers strings.Builder
	for _, host := range b.Hosts {
		servers.WriteString("\tserver " + host.Name + " " + netip.AddrPortFrom(host.Address, APIServerPort).String() + " check\n")
	}
	text := strings.NewReplacer("{{BIND}}", bind, "{{SERVERS}}", servers.String(), "{{HEALTH}}", strconv.Itoa(b.HealthPort)).Replace(haproxyConfig)
	version := sha256.Sum256([]byte(text))
	text = strings.ReplaceAll(text, "{{VERSION}}", hex.EncodeToString(version[:8]))
	return HostFile{Path: HAProxyConfigFile, Mode: 0o644, Content: []byte(text)},
		[]HostFile{{Path: balancerDropIn(HAProxyService), Mode: 0o644, Content: []byte(haproxyDropIn)}}
}

// KeepalivedFiles are the configuration of a control plane's keepalived, and what goes with it. keepalived itself makes the secret
// that all control planes share, each time that it starts. VRRP of IPv6 knows none.
func KeepalivedFiles(b Balancer) (config HostFile, others []HostFile) {
	var peers strings.Builder
	priority := 254
	for i, host := range b.Hosts {
		if host.Address == b.Own.Address {
			priority = 254 - i
		}
	}
	if len(b.Hosts) > 1 {
		peers.WriteString("\tunicast_src_ip " + b.Own.Address.String() + "\n\tcheck_unicast_src\n\tunicast_peer {\n")
		for _, host := range b.Hosts {
			if host.Address != b.Own.Address {
				peers.WriteString("\t\t" + host.Address.String() + "\n")
			}
		}
		peers.WriteString("\t}\n")
	}
	if b.VIP.Is4() {
		peers.WriteString("\tinclude /run/fairlead-balancer/authentication.conf\n")
	}
	bytes := b.VIP.AsSlice()
	text := strings.NewReplacer("{{NAME}}", b.Own.Name, "{{CHECK}}", balancerCheck, "{{HEALTH}}", strconv.Itoa(b.HealthPort), "{{INTERFACE}}", b.Interface,
		"{{ROUTER}}", strconv.Itoa(max(1, int(bytes[len(bytes)-1]))), "{{PRIORITY}}", strconv.Itoa(max(1, priority)),
		"{{PEERS}}", peers.String(), "{{ADDRESS}}", netip.PrefixFrom(b.VIP, b.VIP.BitLen()).String()).Replace(keepalivedConfig)
	return HostFile{Path: KeepalivedConfigFile, Mode: 0o644, Content: []byte(text)}, []HostFile{
		{Path: balancerCheck, Mode: 0o755, Content: []byte(balancerCheckScript)},
		{Path: balancerPassword, Mode: 0o755, Content: []byte(balancerPasswordScript)},
		{Path: balancerDropIn(KeepalivedService), Mode: 0o644, Content: []byte(keepalivedDropIn)},
	}
}

// BalancerPaths are all files that fairlead has of a balancer, those that come last first.
func BalancerPaths() []string {
	return []string{
		BalancerLoaded, KeepalivedConfigFile + BalancerNext, KeepalivedConfigFile, balancerDropIn(KeepalivedService), balancerPassword, balancerCheck,
		HAProxyConfigFile + BalancerNext, HAProxyConfigFile, balancerDropIn(HAProxyService),
	}
}

// balancerDropIn is the part of a packaged unit that is fairlead's.
func balancerDropIn(unit string) string {
	return "/etc/systemd/system/" + unit + ".d/50-fairlead-balancer.conf"
}

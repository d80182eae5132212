package lab

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// DefaultVersion is the Kubernetes version of an inventory that asks for none.
const DefaultVersion = "1.37.2"

// InventoryOptions say what an inventory for lab hosts contains.
type InventoryOptions struct {
	ControlPlanes []string // names of the lab's hosts, in the inventory's order; at least one
	Workers       []string // likewise; may be empty
	Bundle        string   // path of the bundle
	Version       string   // Kubernetes version; default DefaultVersion
	DualStack     bool     // IPv6 beside IPv4, in a lab that has it
	Schedulable   bool     // whether ordinary pods may run on the control plane
}

// Inventory returns an inventory, YAML text, of the named hosts: how to reach them, and what the kubelet and
// kube-proxy need where all hosts share one kernel and one disk.
func (l *Lab) Inventory(options InventoryOptions) (string, error) {
	legacy, err := cgroupV1()
	if err != nil {
		return "", err
	}
	return l.inventory(options, legacy)
}

// inventory is Inventory for a machine with or without the version 1 control group hierarchy.
func (l *Lab) inventory(options InventoryOptions, legacy bool) (string, error) {
	if len(options.ControlPlanes) == 0 {
		return "", errors.New("write inventory: no control plane")
	}
	if options.Version == "" {
		options.Version = DefaultVersion
	}
	if options.DualStack && !l.ipv6.IsValid() {
		return "", fmt.Errorf("write inventory: lab %s has no IPv6", l.options.Name)
	}
	controlPlanes, err := l.hostLines(options.ControlPlanes, options.DualStack)
	if err != nil {
		return "", err
	}
	workers, err := l.hostLines(options.Workers, options.DualStack)
	if err != nil {
		return "", err
	}
	text := inventoryHead(options, legacy) +
		"ssh:\n" +
		"  user: " + User + "\n" +
		"  identityFile: " + strconv.Quote(l.IdentityFile()) + "\n" +
		"  knownHosts: " + strconv.Quote(l.KnownHosts()) + "\n"
	if legacy {
		text += "ignorePreflight: [SystemVerification]\n"
	}
	text += "controlPlane:\n" +
		"  schedulable: " + strconv.FormatBool(options.Schedulable) + "\n" +
		"  hosts:\n" + controlPlanes
	if workers != "" {
		text += "workers:\n  hosts:\n" + workers
	}
	return text, nil
}

// inventoryHead returns the inventory up to and with its kubernetes part. The hosts share a disk whose free share
// may be small: the kubelet must neither delete images nor evict pods for it. They share the machine's connection
// tracking too, whose size kube-proxy must leave alone.
func inventoryHead(options InventoryOptions, legacyCgroups bool) string {
	pods, services := "10.244.0.0/16", rejectedSubnet
	if options.DualStack {
		pods, services = pods+",fd00:10:244::/56", services+",fd00:10:96::/112"
	}
	text := `apiVersion: fairlead/v1
kind: Cluster
name: lab
kubernetes:
  version: ` + options.Version + `
  source: bundle
  bundle: ` + strconv.Quote(options.Bundle) + `
  podSubnet: ` + pods + `
  serviceSubnet: ` + services + `
  config:
    KubeletConfiguration:
`
	if legacyCgroups {
		text += "      failCgroupV1: false\n"
	}
	return text + `      imageGCHighThresholdPercent: 100
      imageGCLowThresholdPercent: 99
      evictionHard:
        memory.available: 50Mi
        nodefs.available: "1%"
        nodefs.inodesFree: "1%"
        imagefs.available: "1%"
    KubeProxyConfiguration:
      conntrack: {maxPerCore: 0}
`
}

// hostLines returns the list items of the named hosts, with one of their addresses or with both.
func (l *Lab) hostLines(names []string, both bool) (string, error) {
	var text strings.Builder
	for _, name := range names {
		host, err := l.Host(name)
		if err != nil {
			return "", fmt.Errorf("write inventory: %w", err)
		}
		address := host.Address.String()
		if both {
			address = "[" + address + ", " + strconv.Quote(host.Second.String()) + "]"
		}
		text.WriteString("    - {name: " + host.Name + ", address: " + address + "}\n")
	}
	return text.String(), nil
}

package templates

import (
	"fmt"
	"maps"
	"slices"
)

// freePortsFirst has a workload whose pods are on their host's ports end a pod before it starts the
// next one: with one replica for each host that there is, the new pod would wait for the port of the
// old one, and the old one for the new.
func freePortsFirst(object map[string]any) error {
	field := map[string]string{"Deployment": "strategy", "DaemonSet": "updateStrategy"}[fmt.Sprint(object["kind"])]
	if field == "" {
		return nil // others end pods first
	}
	spec, err := mapAt(object, "spec")
	if err != nil {
		return err
	}
	strategy, _ := spec[field].(map[string]any)
	if kind, _ := strategy["type"].(string); kind != "" && kind != "RollingUpdate" {
		return nil // Recreate, OnDelete
	}
	rolling, _ := strategy["rollingUpdate"].(map[string]any)
	surges := rolling["maxSurge"] != nil && !isNone(rolling["maxSurge"])
	if field == "updateStrategy" && !surges {
		return nil // as it is by itself
	}
	rolling = maps.Clone(rolling)
	if rolling == nil {
		rolling = map[string]any{}
	}
	rolling["maxSurge"] = int64(0)
	if isNone(rolling["maxUnavailable"]) {
		rolling["maxUnavailable"] = int64(1)
	}
	spec[field] = map[string]any{"type": "RollingUpdate", "rollingUpdate": rolling}
	return nil
}

// isNone says that a number of pods, or a part of them, is none.
func isNone(value any) bool {
	return slices.Contains([]string{"<nil>", "0", "0%"}, fmt.Sprint(value))
}

// HostPort is a port that pods take on their hosts.
type HostPort struct {
	Protocol string
	Port     int64
	IP       string // empty for all addresses of the host
}

// HostPorts are the ports that the pods of a workload take on their hosts, each once: all that they
// name where they are in the host's network. Jobs come and go, and take none.
func HostPorts(object map[string]any) []HostPort {
	kind, _ := object["kind"].(string)
	pod := podOf(object)
	if pod == nil || kind == "Job" || kind == "CronJob" || kind == "PodTemplate" {
		return nil
	}
	onHost, _ := pod["hostNetwork"].(bool)
	var all []HostPort
	for _, container := range containersOf(pod) {
		ports, _ := container["ports"].([]any)
		for _, p := range ports {
			fields, _ := p.(map[string]any)
			if port := hostPort(fields, onHost); port.Port > 0 && !slices.Contains(all, port) {
				all = append(all, port)
			}
		}
	}
	return all
}

// hostPort is the port of a host that a container's port takes; 0: none.
func hostPort(fields map[string]any, onHost bool) HostPort {
	port := HostPort{Protocol: "TCP"}
	var given bool
	if port.Port, given = fields["hostPort"].(int64); onHost && !given {
		port.Port, _ = fields["containerPort"].(int64)
	}
	if protocol, _ := fields["protocol"].(string); protocol != "" {
		port.Protocol = protocol
	}
	if ip, _ := fields["hostIP"].(string); ip != "0.0.0.0" && ip != "::" {
		port.IP = ip
	}
	return port
}

// NodeSelector are the labels that a workload's pods ask of their nodes.
func NodeSelector(object map[string]any) map[string]any {
	selector, _ := podOf(object)["nodeSelector"].(map[string]any)
	return selector
}

// Affinity is what a workload's pods say of the nodes and pods that they run beside.
func Affinity(object map[string]any) any { return podOf(object)["affinity"] }

// Clashes says that both ports cannot be taken on one host.
func (p HostPort) Clashes(other HostPort) bool {
	return p.Protocol == other.Protocol && p.Port == other.Port && (p.IP == "" || other.IP == "" || p.IP == other.IP)
}

// String is "80/TCP".
func (p HostPort) String() string {
	text := fmt.Sprintf("%d/%s", p.Port, p.Protocol)
	if p.IP != "" {
		text += " of " + p.IP
	}
	return text
}

func listens(pod map[string]any) bool {
	return slices.ContainsFunc(containersOf(pod), func(c map[string]any) bool {
		ports, _ := c["ports"].([]any)
		return len(ports) > 0
	})
}

package templates

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

//go:embed addon/metrics-server.yaml
var metricsServerManifest string

//go:embed addon/kubelet-approver.yaml
var approverManifest string

//go:embed addon/traefik.yaml
var traefikManifest string

// MetricsServerOptions is what metrics-server needs to know.
type MetricsServerOptions struct {
	Image string
	// InsecureTLS takes the kubelets' certificates as they are. Otherwise they are
	// verified against the cluster's CA, which must have signed them.
	InsecureTLS bool
}

// MetricsServer returns the objects of metrics-server (flags: kubernetes-sigs/metrics-server
// cmd/metrics-server/app/options) in the order in which they can be created.
func MetricsServer(o MetricsServerOptions) ([]map[string]any, error) {
	// By address: what hosts are called is not known to the cluster's name service.
	flags := []string{"--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname"}
	if o.InsecureTLS {
		flags = append(flags, "--kubelet-insecure-tls")
	} else {
		flags = append(flags, "--kubelet-certificate-authority=/var/run/secrets/kubernetes.io/serviceaccount/ca.crt")
	}
	return addon("metrics-server", metricsServerManifest, o.Image, func(object map[string]any) error {
		return addFlags(object, flags)
	})
}

// ApproverNode is what the kubelet of a node may have in its serving certificate.
type ApproverNode struct {
	Node      string       `json:"node"`
	DNSNames  []string     `json:"dnsNames"`
	Addresses []netip.Addr `json:"addresses"`
}

// ApproverOptions is what the approver of kubelet certificates needs to know.
type ApproverOptions struct {
	Image string
	Nodes []ApproverNode
}

// ServingApprover returns the objects of the approver, which runs on control planes.
func ServingApprover(o ApproverOptions) ([]map[string]any, error) {
	nodes, err := json.MarshalIndent(o.Nodes, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the approver's nodes: %w", err)
	}
	return addon("kubelet-approver", approverManifest, o.Image, func(object map[string]any) error {
		if object["kind"] == "ConfigMap" {
			object["data"] = map[string]any{"nodes.json": string(nodes) + "\n"}
		}
		return EditPods(object, PodEdits{Placement: Placement{On: OnControlPlane}})
	})
}

// TraefikOptions is what the ingress controller needs to know.
type TraefikOptions struct {
	Image string
	// HostNetwork puts it on the ports 80 and 443 of its hosts; otherwise a Service of
	// type LoadBalancer leads to it.
	HostNetwork bool
	Placement   Placement
}

// Traefik returns the objects of Traefik as an ingress controller (flags: traefik.io,
// reference of the static configuration), with an IngressClass of that name which is
// the default.
func Traefik(o TraefikOptions) ([]map[string]any, error) {
	objects, err := addon("ingress controller", traefikManifest, o.Image, func(object map[string]any) error {
		if object["kind"] != "DaemonSet" {
			return nil
		}
		if err := traefikNetwork(object, o.HostNetwork); err != nil {
			return err
		}
		return EditPods(object, PodEdits{HostNetwork: o.HostNetwork, Placement: o.Placement})
	})
	if err == nil && o.HostNetwork {
		objects = slices.DeleteFunc(objects, func(object map[string]any) bool { return object["kind"] == "Service" })
	}
	return objects, err
}

// traefikNetwork sets the ports and the rights that they need. On a host's network ports
// below 1024 need root with one capability (a container's other users get none), and the
// health page is for the kubelet alone.
func traefikNetwork(daemonSet map[string]any, hostNetwork bool) error {
	web, secure, ping := int64(8000), int64(8443), ""
	rights := map[string]any{"runAsNonRoot": true, "runAsUser": int64(65532), "capabilities": map[string]any{"drop": []any{"ALL"}}}
	if hostNetwork {
		web, secure, ping = 80, 443, "127.0.0.1"
		rights = map[string]any{"runAsUser": int64(0), "capabilities": map[string]any{"drop": []any{"ALL"}, "add": []any{"NET_BIND_SERVICE"}}}
	}
	container := containersOf(podOf(daemonSet))[0]
	security, err := mapAt(container, "securityContext")
	if err != nil {
		return err
	}
	for key, value := range rights {
		security[key] = value
	}
	port := func(name string, number int64) map[string]any {
		p := map[string]any{"name": name, "containerPort": number, "protocol": "TCP"}
		if hostNetwork {
			p["hostPort"] = number // the API server sets it so
		}
		return p
	}
	container["ports"] = []any{port("web", web), port("websecure", secure)}
	if ping != "" {
		for _, probe := range []string{"livenessProbe", "readinessProbe"} {
			get, err := mapAt(container, probe, "httpGet")
			if err != nil {
				return err
			}
			get["host"] = ping
		}
	}
	flags := []string{
		fmt.Sprintf("--entrypoints.web.address=:%d", web), fmt.Sprintf("--entrypoints.websecure.address=:%d", secure),
		"--entrypoints.traefik.address=" + ping + ":8080",
	}
	if !hostNetwork { // Ingresses show the load balancer's address
		flags = append(flags, "--providers.kubernetesingress.ingressendpoint.publishedservice=ingress/traefik")
	}
	return addFlags(daemonSet, flags)
}

// addon decodes a manifest of ours, gives its containers the image, and lets edit change
// each object.
func addon(name, manifest, image string, edit func(map[string]any) error) ([]map[string]any, error) {
	if image == "" {
		return nil, fmt.Errorf("write the objects of %s: %w", name, errors.New("image is empty"))
	}
	var objects []map[string]any
	for text := range strings.SplitSeq(manifest, "\n---\n") {
		object, err := decodeObject(text)
		if err != nil {
			return nil, fmt.Errorf("write the objects of %s: %w", name, err)
		}
		if pod := podOf(object); pod != nil {
			for _, container := range containersOf(pod) {
				container["image"] = image
			}
		}
		if err := edit(object); err != nil {
			return nil, fmt.Errorf("write the objects of %s: %w", name, err)
		}
		objects = append(objects, object)
	}
	return objects, nil
}

// addFlags adds flags to the containers of a workload, and does nothing to other objects.
func addFlags(object map[string]any, flags []string) error {
	pod := podOf(object)
	if pod == nil {
		return nil
	}
	for _, container := range containersOf(pod) {
		args, ok := container["args"].([]any)
		if !ok {
			return errors.New("read args: not a list")
		}
		for _, flag := range flags {
			args = append(args, flag)
		}
		container["args"] = args
	}
	return nil
}

package templates

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	kubejson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"
)

//go:embed addon/flannel.yaml
var flannelManifest string

//go:embed addon/flannel-cni-conf.json
var flannelCNIConf string

// flannelConfigAnnotation on the pods holds the hash of the ConfigMap's data, so
// that a change of it restarts them.
const flannelConfigAnnotation = "fairlead/flannel-config"

// flannelInterface is the argument in the manifest that names the host's interface.
const flannelInterface = "--iface=$(HOST_IP)"

// FlannelOptions is what the pod network needs to know.
type FlannelOptions struct {
	// PodSubnet is the cluster's pod subnet, or an IPv4 and an IPv6 one joined by
	// a comma, that of the nodes' first address first. It must be the one that the cluster was made with.
	PodSubnet string
	// Image is flannel's image, such as ghcr.io/flannel-io/flannel:v0.28.7. It
	// must hold cp.
	Image string
	// PluginImage is the image of flannel's CNI plugin, which the pods then install on their
	// hosts; empty when the hosts have it.
	PluginImage string
	// APIServer is the control plane endpoint, host:port. flannel talks to it
	// directly: the Service address works only once kube-proxy has set it up, and
	// until then flannel would fail and be backed off.
	APIServer string
}

// Flannel returns the objects of the pod network in the order in which they can
// be created: Namespace, ServiceAccount, ClusterRole, ClusterRoleBinding,
// ConfigMap, DaemonSet. Every field has the form in which the API server returns
// it, and fields that it fills in are left out, so that the objects are a subset
// of the live ones. Numbers are int64.
//
// The pods write the CNI configuration, and flannel's own CNI plugin if PluginImage is
// given: all other plugins must be in /opt/cni/bin of each host.
func Flannel(o FlannelOptions) ([]map[string]any, error) {
	netConf, err := flannelNetConf(o.PodSubnet)
	if err != nil {
		return nil, fmt.Errorf("write flannel objects: %w", err)
	}
	if o.Image == "" {
		return nil, errors.New("write flannel objects: image is empty")
	}
	host, port, err := net.SplitHostPort(o.APIServer)
	if err != nil {
		return nil, fmt.Errorf("write flannel objects: API server: %w", err)
	}
	server := []any{
		map[string]any{"name": "KUBERNETES_SERVICE_HOST", "value": host},
		map[string]any{"name": "KUBERNETES_SERVICE_PORT", "value": port},
	}
	var objects []map[string]any
	for text := range strings.SplitSeq(flannelManifest, "\n---\n") {
		object, err := decodeObject(text)
		if err != nil {
			return nil, fmt.Errorf("write flannel objects: %w", err)
		}
		switch object["kind"] {
		case "ConfigMap":
			object["data"] = map[string]any{"cni-conf.json": flannelCNIConf, "net-conf.json": netConf}
		case "DaemonSet":
			if err := fillFlannelPods(object, o.Image, netConf, server); err != nil {
				return nil, fmt.Errorf("write flannel objects: %w", err)
			}
			if err := findFlannelInterface(object, o.PodSubnet); err != nil {
				return nil, fmt.Errorf("write flannel objects: %w", err)
			}
			if o.PluginImage == "" {
				break
			}
			if err := addFlannelPlugin(object, o.PluginImage); err != nil {
				return nil, fmt.Errorf("write flannel objects: %w", err)
			}
		}
		objects = append(objects, object)
	}
	return objects, nil
}

// fillFlannelPods sets the image, the API server and the configuration's hash in the
// DaemonSet.
func fillFlannelPods(daemonSet map[string]any, image, netConf string, server []any) error {
	metadata, err := mapAt(daemonSet, "spec", "template", "metadata")
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(flannelCNIConf + netConf))
	metadata["annotations"] = map[string]any{flannelConfigAnnotation: hex.EncodeToString(sum[:])}

	pod, err := mapAt(daemonSet, "spec", "template", "spec")
	if err != nil {
		return err
	}
	for _, field := range []string{"initContainers", "containers"} {
		list, _ := pod[field].([]any)
		for _, element := range list {
			container, ok := element.(map[string]any)
			if !ok {
				return fmt.Errorf("read %s: not a map", field)
			}
			container["image"] = image
			if env, ok := container["env"].([]any); ok {
				container["env"] = append(env, server...)
			}
		}
	}
	return nil
}

// findFlannelInterface has flannel find a host's interface, and in a dual-stack cluster the address of the other family on it.
// Given an address with --iface, flannel takes that alone and sets up no VXLAN for the other family (flannel's
// pkg/ipmatch/match.go); an expression is held against the addresses of both. The one of the other family is the
// first by flannel's order, as the environment of a pod does not have it by itself.
func findFlannelInterface(daemonSet map[string]any, podSubnet string) error {
	first, _, dual := strings.Cut(podSubnet, ",")
	if !dual {
		return nil
	}
	ofOther := ":"
	if strings.Contains(first, ":") {
		ofOther = "[.]"
	}
	pod, err := mapAt(daemonSet, "spec", "template", "spec")
	if err != nil {
		return err
	}
	containers, _ := pod["containers"].([]any)
	for _, element := range containers {
		container, _ := element.(map[string]any)
		args, _ := container["args"].([]any)
		for i, arg := range args {
			if arg == flannelInterface {
				args[i] = "--iface-regex=^$(HOST_IP)$|" + ofOther
				return nil
			}
		}
	}
	return fmt.Errorf("find %s in the DaemonSet: it is not there", flannelInterface)
}

// addFlannelPlugin lets the pods install flannel's CNI plugin first, as upstream's manifest does:
// once the configuration is there, it is used.
func addFlannelPlugin(daemonSet map[string]any, image string) error {
	pod, err := mapAt(daemonSet, "spec", "template", "spec")
	if err != nil {
		return err
	}
	plugin := map[string]any{
		"name": "install-cni-plugin", "image": image, "command": []any{"cp"},
		"args":         []any{"-f", "/flannel", "/opt/cni/bin/flannel"},
		"volumeMounts": []any{map[string]any{"name": "cni-plugin", "mountPath": "/opt/cni/bin"}},
	}
	containers, _ := pod["initContainers"].([]any)
	pod["initContainers"] = append([]any{plugin}, containers...)
	volumes, _ := pod["volumes"].([]any)
	pod["volumes"] = append(volumes, map[string]any{
		"name": "cni-plugin", "hostPath": map[string]any{"path": "/opt/cni/bin", "type": "DirectoryOrCreate"},
	})
	return nil
}

// flannelNetConf is flannel's own configuration: VXLAN over the given subnets.
func flannelNetConf(podSubnet string) (string, error) {
	conf := struct {
		EnableIPv4     bool
		EnableIPv6     bool
		Network        string `json:",omitempty"`
		IPv6Network    string `json:",omitempty"`
		EnableNFTables bool
		Backend        map[string]string
	}{Backend: map[string]string{"Type": "vxlan"}}
	for subnet := range strings.SplitSeq(podSubnet, ",") {
		prefix, err := netip.ParsePrefix(subnet)
		switch {
		case err != nil:
			return "", fmt.Errorf("parse pod subnet: %w", err)
		case prefix.Addr().Is4() && !conf.EnableIPv4:
			conf.EnableIPv4, conf.Network = true, prefix.Masked().String()
		case prefix.Addr().Is6() && !conf.EnableIPv6:
			conf.EnableIPv6, conf.IPv6Network = true, prefix.Masked().String()
		default:
			return "", fmt.Errorf("parse pod subnet: %q has two subnets of one family", podSubnet)
		}
	}
	text, err := json.MarshalIndent(conf, "", "  ")
	if err != nil {
		return "", fmt.Errorf("encode net-conf.json: %w", err)
	}
	return string(text) + "\n", nil
}

// decodeObject reads one YAML document with whole numbers as int64.
func decodeObject(text string) (map[string]any, error) {
	raw, err := yaml.YAMLToJSONStrict([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("decode object: %w", err)
	}
	var object map[string]any
	if err := kubejson.Unmarshal(raw, &object); err != nil {
		return nil, fmt.Errorf("decode object: %w", err)
	}
	return object, nil
}

// mapAt follows keys into nested maps.
func mapAt(object map[string]any, keys ...string) (map[string]any, error) {
	for _, key := range keys {
		inner, ok := object[key].(map[string]any)
		if !ok {
			return nil, fmt.Errorf("read %s: not a map", strings.Join(keys, "."))
		}
		object = inner
	}
	return object, nil
}

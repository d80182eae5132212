package pki

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"

	"gopkg.in/yaml.v3"
)

// RenameKubeconfig returns the kubeconfig that kubeadm wrote as admin.conf with its entries
// named after the cluster: cluster and context become cluster, the user becomes
// cluster-admin. kubeadm names them alike in every cluster (kubernetes-admin@kubernetes), so
// that two of them cannot live in one file. The result holds these three entries alone, and in them what kubeadm writes: a
// kubeconfig that has more, such as a program to run or a server that is not verified, is an error.
func RenameKubeconfig(admin []byte, cluster string) ([]byte, error) {
	out, err := merge(nil, admin, cluster)
	if err != nil {
		return nil, fmt.Errorf("rename kubeconfig entries: %w", err)
	}
	return out, nil
}

// MergeKubeconfig puts what the current context of add stands for (its cluster, user and
// context) into existing under the names name, name-admin and name, and makes it the current
// context. Entries of these names are replaced; of a replaced context the keys other than
// cluster and user, such as its namespace, stay. Everything else in existing stays: other
// entries, unknown fields, order and comments. What is added is taken as RenameKubeconfig takes it. An empty existing gives a new kubeconfig.
func MergeKubeconfig(existing, add []byte, name string) ([]byte, error) {
	out, err := merge(existing, add, name)
	if err != nil {
		return nil, fmt.Errorf("merge kubeconfig: %w", err)
	}
	return out, nil
}

// PointKubeconfig returns the kubeconfig with another server, host:port, in the cluster of its current context; an empty one leaves
// that as it is. name is what the server's certificate has to be for, where that is not the host; empty otherwise.
func PointKubeconfig(content []byte, server, name string) ([]byte, error) {
	doc, err := parseKubeconfig(content)
	if err != nil {
		return nil, fmt.Errorf("point kubeconfig at %s: %w", server, err)
	}
	root := doc.Content[0]
	context := field(root, "current-context")
	if context == nil {
		return nil, fmt.Errorf("point kubeconfig at %s: it has no current context", server)
	}
	used := field(field(find(field(root, "contexts"), context.Value), "context"), "cluster")
	if used == nil {
		return nil, fmt.Errorf("point kubeconfig at %s: its current context %q names no cluster", server, context.Value)
	}
	cluster := field(find(field(root, "clusters"), used.Value), "cluster")
	if cluster == nil || cluster.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("point kubeconfig at %s: its cluster %q is not in it", server, used.Value)
	}
	if server != "" {
		set(cluster, "server", scalar("https://"+server))
	}
	if name != "" {
		set(cluster, "tls-server-name", scalar(name))
	}
	return encode(doc)
}

// KubeconfigServer is the server of the cluster of a kubeconfig's current context, host:port.
func KubeconfigServer(content []byte) (string, error) {
	cluster, _, err := currentEntries(content)
	if err != nil {
		return "", fmt.Errorf("read the server of a kubeconfig: %w", err)
	}
	server, err := url.Parse(field(cluster, "server").Value)
	if err != nil {
		return "", fmt.Errorf("read the server of a kubeconfig: %w", err)
	}
	return net.JoinHostPort(server.Hostname(), cmp.Or(server.Port(), "443")), nil
}

func merge(existing, add []byte, name string) ([]byte, error) {
	if name == "" {
		return nil, errors.New("the name is empty")
	}
	cluster, user, err := currentEntries(add)
	if err != nil {
		return nil, fmt.Errorf("read new kubeconfig: %w", err)
	}
	doc, err := parseKubeconfig(existing)
	if err != nil {
		return nil, fmt.Errorf("read existing kubeconfig: %w", err)
	}
	root := doc.Content[0]
	userName := name + "-admin"
	for _, part := range []struct {
		list, key, name string
		value           *yaml.Node
	}{{"clusters", "cluster", name, cluster}, {"users", "user", userName, user}} {
		if err := putEntry(root, part.list, entry(part.key, part.name, part.value)); err != nil {
			return nil, fmt.Errorf("read existing kubeconfig: %w", err)
		}
	}
	context := mapping("cluster", scalar(name), "user", scalar(userName))
	if old := field(find(field(root, "contexts"), name), "context"); old != nil && old.Kind == yaml.MappingNode {
		context = old
		set(context, "cluster", scalar(name))
		set(context, "user", scalar(userName))
	}
	if err := putEntry(root, "contexts", entry("context", name, context)); err != nil {
		return nil, fmt.Errorf("read existing kubeconfig: %w", err)
	}
	set(root, "current-context", scalar(name))
	return encode(doc)
}

// currentEntries returns the cluster and the user that the current context refers to, with what kubeadm writes alone.
func currentEntries(data []byte) (cluster, user *yaml.Node, err error) {
	doc, err := parseKubeconfig(data)
	if err != nil {
		return nil, nil, err
	}
	root := doc.Content[0]
	current := field(root, "current-context")
	if current == nil || current.Value == "" {
		return nil, nil, errors.New("it has no current context")
	}
	context := field(find(field(root, "contexts"), current.Value), "context")
	if context == nil {
		return nil, nil, fmt.Errorf("its current context %q is not in it", current.Value)
	}
	for _, part := range []struct {
		list, key string
		fields    []string
		to        **yaml.Node
	}{{"clusters", "cluster", clusterFields(), &cluster}, {"users", "user", userFields(), &user}} {
		ref := field(context, part.key)
		if ref == nil {
			return nil, nil, fmt.Errorf("its context %q names no %s", current.Value, part.key)
		}
		found := field(find(field(root, part.list), ref.Value), part.key)
		if found == nil {
			return nil, nil, fmt.Errorf("its %s %q is not in it", part.key, ref.Value)
		}
		if *part.to, err = onlyFields(found, part.fields); err != nil {
			return nil, nil, fmt.Errorf("its %s %q: %w", part.key, ref.Value, err)
		}
	}
	return cluster, user, nil
}

// parseKubeconfig returns the document node of a kubeconfig; its only child is a mapping.
func parseKubeconfig(data []byte) (*yaml.Node, error) {
	var doc, more yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	err := decoder.Decode(&doc)
	if err == nil {
		if err = decoder.Decode(&more); err == nil {
			return nil, errors.New("it holds more than one YAML document")
		}
	}
	if !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("parse YAML: %w", err)
	}
	if doc.Kind == 0 || doc.Content[0].Tag == "!!null" {
		doc = yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{
			mapping("apiVersion", scalar("v1"), "kind", scalar("Config")),
		}}
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, errors.New("it is not a mapping")
	}
	if kind := field(root, "kind"); kind != nil && kind.Value != "Config" {
		return nil, fmt.Errorf("its kind is %q, not Config", kind.Value)
	}
	return &doc, nil
}

// encode writes the document and reads it back: a replaced entry may have carried a YAML
// anchor that another one refers to, and a broken file must never leave here.
func encode(doc *yaml.Node) ([]byte, error) {
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(doc); err != nil {
		return nil, fmt.Errorf("write YAML: %w", err)
	}
	if err := encoder.Close(); err != nil {
		return nil, fmt.Errorf("write YAML: %w", err)
	}
	if _, err := parseKubeconfig(out.Bytes()); err != nil {
		return nil, fmt.Errorf("read back what was written: %w", err)
	}
	return out.Bytes(), nil
}

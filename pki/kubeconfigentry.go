package pki

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"gopkg.in/yaml.v3"
)

// What kubeadm writes into admin.conf, in its order (cmd/kubeadm/app/util/kubeconfig: CreateWithCerts). A host may write more:
// programs to run, files to read, a server that is not verified. All of that would happen on the machine of whoever uses the
// kubeconfig, so that nothing else is taken over, and a file that has something else is refused.
func clusterFields() []string { return []string{"certificate-authority-data", "server"} }
func userFields() []string    { return []string{"client-certificate-data", "client-key-data"} }

// onlyFields is a mapping with these fields of an entry, all of which it must have, and no other.
func onlyFields(entry *yaml.Node, fields []string) (*yaml.Node, error) {
	entry = resolve(entry)
	if entry.Kind != yaml.MappingNode {
		return nil, errors.New("it is no mapping")
	}
	for i := 0; i+1 < len(entry.Content); i += 2 {
		if key := entry.Content[i].Value; !slices.Contains(fields, key) {
			return nil, fmt.Errorf("it has %q, which is not taken from another machine", key)
		}
	}
	only := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for _, key := range fields {
		value := field(entry, key)
		if value == nil || value.Kind != yaml.ScalarNode || value.Value == "" {
			return nil, fmt.Errorf("it has no %s", key)
		}
		if err := checkField(key, value.Value); err != nil {
			return nil, err
		}
		only.Content = append(only.Content, scalar(key), scalar(value.Value))
	}
	return only, nil
}

// checkField says what is wrong with a value, which it does not show: it may be a key.
func checkField(key, value string) error {
	if key == "server" {
		if server, err := url.Parse(value); err != nil || server.Scheme != "https" || server.Host == "" || server.User != nil {
			return errors.New("its server is no https URL")
		}
		return nil
	}
	if _, err := base64.StdEncoding.DecodeString(value); err != nil {
		return fmt.Errorf("its %s is not base64", key)
	}
	return nil
}

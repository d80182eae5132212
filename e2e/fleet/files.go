package fleet

import (
	"bytes"
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Files is the folder of what servers and clients share.
type Files string

func (f Files) hostKey() string  { return filepath.Join(string(f), "host_ed25519") }
func (f Files) identity() string { return filepath.Join(string(f), "id_ed25519") }
func (f Files) line() string     { return filepath.Join(string(f), "exec-line") }
func (f Files) input() string    { return filepath.Join(string(f), "exec-input") }

// Cluster is the cluster file of the first n hosts.
func (f Files) Cluster(n int) string {
	return filepath.Join(string(f), fmt.Sprintf("cluster-%d.yaml", n))
}

// known is the known_hosts file of the first n hosts.
func (f Files) known(n int) string { return filepath.Join(string(f), fmt.Sprintf("known_hosts-%d", n)) }

// WriteKeys makes the key of all hosts and the key that may log in.
func (f Files) WriteKeys() error {
	for _, name := range []string{f.hostKey(), f.identity()} {
		public, private, err := ed25519.GenerateKey(nil)
		if err != nil {
			return fmt.Errorf("make key: %w", err)
		}
		block, err := ssh.MarshalPrivateKey(private, "")
		if err != nil {
			return fmt.Errorf("make key: %w", err)
		}
		key, err := ssh.NewPublicKey(public)
		if err != nil {
			return fmt.Errorf("make key: %w", err)
		}
		err = errors.Join(
			os.WriteFile(name, pem.EncodeToMemory(block), 0o600),
			os.WriteFile(name+".pub", ssh.MarshalAuthorizedKey(key), 0o644),
		)
		if err != nil {
			return fmt.Errorf("write key: %w", err)
		}
	}
	return nil
}

// WriteCluster writes the cluster file of some hosts, the first of which is the control plane,
// and their known_hosts. There is no bundle: the hosts are to get packages and pull images, so
// that there is nothing large to read.
func (f Files) WriteCluster(hosts []netip.Addr) error {
	key, err := os.ReadFile(f.hostKey() + ".pub")
	if err != nil {
		return fmt.Errorf("read host key: %w", err)
	}
	var known, cluster strings.Builder
	for _, host := range hosts {
		fmt.Fprintf(&known, "%s %s", host, key)
	}
	fmt.Fprintf(&cluster, `apiVersion: fairlead/v1
kind: Cluster
name: fleet
kubernetes: {version: 1.37.2, source: packages, podSubnet: 10.128.0.0/10} # a /24 for each of 16384 nodes
ssh: {user: root, identityFile: %q, knownHosts: %q}
controlPlane:
  hosts:
    - {name: %s, address: %s}
workers:
  hosts:
`, f.identity(), f.known(len(hosts)), NameOf(hosts[0]), hosts[0])
	for _, host := range hosts[1:] {
		fmt.Fprintf(&cluster, "    - {name: %s, address: %s}\n", NameOf(host), host)
	}
	err = errors.Join(
		os.WriteFile(f.known(len(hosts)), []byte(known.String()), 0o600),
		os.WriteFile(f.Cluster(len(hosts)), []byte(cluster.String()), 0o600),
	)
	if err != nil {
		return fmt.Errorf("write cluster file: %w", err)
	}
	return nil
}

// readSigner reads a private key.
func readSigner(name string) (ssh.Signer, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	signer, err := ssh.ParsePrivateKey(text)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return signer, nil
}

// readKnown reads a known_hosts file of WriteCluster: the hosts in order, and their keys.
func readKnown(name string) (hosts []string, keys map[string][]byte, err error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, nil, err
	}
	keys = map[string][]byte{}
	for line := range bytes.Lines(text) {
		_, names, key, _, _, err := ssh.ParseKnownHosts(line)
		if err != nil {
			return nil, nil, fmt.Errorf("read %s: %w", name, err)
		}
		hosts = append(hosts, names[0])
		keys[names[0]] = key.Marshal()
	}
	return hosts, keys, nil
}

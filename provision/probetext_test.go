package provision

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"fairlead/provision/facts"
	"fairlead/templates"
)

// answer is the text of a probe's answer.
type answer struct{ strings.Builder }

func (a *answer) fact(fields ...any) {
	words := make([]string, len(fields))
	for i, field := range fields {
		words[i] = fmt.Sprint(field)
	}
	a.WriteString(strings.Join(words, "\t") + "\n")
}

// probeText is what a host with these facts answers to the probe now.
func probeText(t *testing.T, h facts.Host) string {
	t.Helper()
	a := &answer{}
	a.machine(h)
	a.files(t, h)
	a.cluster(h)
	a.fact("end")
	return a.String()
}

func (a *answer) machine(h facts.Host) {
	a.fact("uid", 0)
	a.fact("clock", time.Now().UnixNano())
	a.fact("os", h.OS.ID, h.OS.Version, h.OS.Like, h.OS.Name, h.OS.Codename)
	a.fact("arch", map[string]string{"amd64": "x86_64"}[h.Architecture])
	a.fact("cpus", h.CPUs)
	a.fact("memory", h.MemoryKiB)
	a.fact("hostname", h.Hostname)
	a.fact("machine-id", h.MachineID)
	a.fact("boot-id", h.BootID)
	a.fact("systemd", h.Systemd)
	a.fact("container", h.Container)
	a.fact("cgroup", "v2")
	a.fact("capabilities", fmt.Sprintf("%x", h.Capabilities))
	if h.AppArmor {
		a.fact("apparmor", "enabled")
	}
	for _, disk := range h.Disks {
		a.fact("disk", disk.Folder, disk.Device, disk.SizeKiB, disk.FreeKiB)
	}
	for _, address := range h.Addresses {
		a.fact("address", address.Link, address.Prefix)
	}
	for _, server := range h.Nameservers {
		a.fact("nameserver", server)
	}
	for port, process := range h.Ports {
		a.fact("port", port, process)
	}
	for name, loaded := range h.Modules {
		a.fact("module", name, map[bool]string{true: "loaded", false: "absent"}[loaded])
	}
	for name, value := range h.Sysctls {
		a.fact("sysctl", name, value)
	}
	for _, process := range h.Processes {
		a.fact("process", process.Program, process.PID)
	}
}

func (a *answer) files(t *testing.T, h facts.Host) {
	t.Helper()
	for path, file := range h.Files {
		a.fact("file", path, fmt.Sprintf("%o", file.Mode), file.UID, file.GID, file.Size)
		a.fact("sha256", path, file.SHA256)
	}
	for path, content := range h.Contents {
		a.fact("content", path, strings.NewReplacer("\n", "\x1f", "\t", "\x1e").Replace(string(content)))
	}
	for name, unit := range h.Units {
		a.fact("unit", name, unit.Load, unit.Active, "", unit.Enabled, unit.Path, 0, "", "no")
	}
	for name, image := range h.Images {
		a.fact("image", name, image.Digest, "complete", image.Complete)
	}
	for _, c := range h.Certificates {
		a.fact("certificate", c.Path, strings.ReplaceAll(certificateFor(t, c.Names), "\n", "|"))
	}
	if h.CA != nil {
		a.fact("certificate", templates.CACertificate, strings.ReplaceAll(string(h.CA), "\n", "|"))
	}
}

func (a *answer) cluster(h facts.Host) {
	for _, name := range h.Manifests {
		a.fact("manifest", name)
	}
	for name := range h.Kubeconfigs {
		a.fact("kubeconfig", name)
	}
	for name, server := range h.Servers {
		a.fact("server", name, server)
	}
	if h.KubeletConfig {
		a.fact("kubelet-config", "present")
	}
	if h.KubeletCredentials {
		a.fact("kubelet-credentials", "present")
	}
	for folder := range h.NotEmpty {
		a.fact("not-empty", folder)
	}
	for _, entry := range h.Ledger {
		a.fact("ledger", entry.Kind+" "+entry.Key+" "+entry.Was)
	}
}

// certificateFor is one for names and addresses.
func certificateFor(t *testing.T, names []string) string {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	for _, name := range names {
		template.IPAddresses = append(template.IPAddresses, net.ParseIP(name))
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

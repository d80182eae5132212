package templates

import (
	"bytes"
	"errors"
	"net/netip"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// EtcdPeerURL is where other members of etcd reach the one of a host, as kubeadm has it.
func EtcdPeerURL(host netip.Addr) string { return "https://" + netip.AddrPortFrom(host, 2380).String() }

// What the recovery of an etcd that has lost its quorum keeps on the survivor's host.
const (
	recoveryFolder = StateFolder + "/recovery"
	// RecoveryMark is there while a recovery is under way; see Recovery.
	RecoveryMark = recoveryFolder + "/mark"
	// RecoveryManifest is etcd's manifest as it was before, while a recovery is under way.
	RecoveryManifest = recoveryFolder + "/etcd.yaml"
	// RecoveryCopy is etcd's data as it was before; it stays until the host is reset.
	RecoveryCopy = recoveryFolder + "/member"
)

// Recovery is how far one has come that makes a cluster of one etcd member that has survived.
type Recovery struct {
	// Forced says that etcd may have forgotten the other members: from there on there is only one way, to the end.
	Forced bool
	// Lost are the nodes whose members are given up.
	Lost []string
}

// Text is what the mark holds.
func (r Recovery) Text() []byte {
	lines := []string{"begun"}
	if r.Forced {
		lines[0] = "forced"
	}
	for _, node := range r.Lost {
		lines = append(lines, "lost "+node)
	}
	return []byte(strings.Join(lines, "\n") + "\n")
}

// ReadRecovery reads a mark. It says whether there is one; what is not understood counts as begun, from where the way back is open.
func ReadRecovery(mark []byte) (r Recovery, underWay bool) {
	lines := strings.Split(strings.TrimSpace(string(mark)), "\n")
	for _, line := range lines[1:] {
		if node, found := strings.CutPrefix(line, "lost "); found {
			r.Lost = append(r.Lost, node)
		}
	}
	r.Forced = lines[0] == "forced"
	return r, len(bytes.TrimSpace(mark)) > 0
}

// forceFlag has etcd forget all other members when it starts. A second start with it would forget those that have joined since.
const forceFlag = "--force-new-cluster"

// Forced says that a manifest of etcd has the flag with which it forgets all other members.
func Forced(manifest []byte) bool {
	return slices.ContainsFunc(etcdCommand(manifest), isForce)
}

func isForce(arg string) bool {
	return arg == forceFlag || strings.HasPrefix(arg, forceFlag+"=") && arg != forceFlag+"=false"
}

// ErrManifest says that a manifest of etcd is none that kubeadm writes.
var ErrManifest = errors.New("the manifest of etcd is not as kubeadm writes it")

// Force is a manifest of etcd with that flag. All else of it stays, to the letter.
func Force(manifest []byte) ([]byte, error) {
	lines := strings.SplitAfter(string(Unforce(manifest)), "\n")
	i := slices.IndexFunc(lines, func(line string) bool { return strings.TrimSpace(line) == "- "+ComponentEtcd })
	if i < 0 {
		return nil, ErrManifest
	}
	indent := lines[i][:strings.Index(lines[i], "-")]
	forced := []byte(strings.Join(slices.Insert(lines, i+1, indent+"- "+forceFlag+"=true\n"), ""))
	if !Forced(forced) {
		return nil, ErrManifest
	}
	return forced, nil
}

// Unforce is a manifest of etcd without that flag.
func Unforce(manifest []byte) []byte {
	lines := strings.SplitAfter(string(manifest), "\n")
	return []byte(strings.Join(slices.DeleteFunc(lines, func(line string) bool {
		arg, item := strings.CutPrefix(strings.TrimSpace(line), "- ")
		arg = strings.Trim(arg, `"'`)
		return item && (arg == forceFlag || strings.HasPrefix(arg, forceFlag+"="))
	}), ""))
}

func etcdCommand(manifest []byte) []string {
	var pod struct {
		Spec struct {
			Containers []struct {
				Command []string `json:"command"`
				Args    []string `json:"args"`
			} `json:"containers"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(manifest, &pod); err != nil || len(pod.Spec.Containers) == 0 {
		return nil
	}
	return slices.Concat(pod.Spec.Containers[0].Command, pod.Spec.Containers[0].Args)
}

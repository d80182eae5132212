package templates

import (
	"embed"
	"slices"
	"strings"
)

// scripts are the files of the scripts that run on hosts.
//
//go:embed scripts/*.sh
var scripts embed.FS

// Script names a script that runs on hosts. It travels on the standard input of /bin/sh, or, where
// that carries data, as its argument; what varies comes to it as positional parameters.
type Script string

// The scripts.
const (
	// ScriptProbe prints all facts of a host.
	ScriptProbe Script = "probe"
	// ScriptRecord writes the ledger; its arguments are KIND:KEY.
	ScriptRecord Script = "record"
	// ScriptReset undoes what the ledger says.
	ScriptReset Script = "reset"
	// ScriptResetKind takes a cluster that kind has made off a node of kind, without a ledger.
	ScriptResetKind Script = "reset-kind"
	// ScriptLeaveEtcd removes the host's etcd member from a cluster that lives on.
	ScriptLeaveEtcd Script = "leave-etcd"
	// ScriptBeginEtcd lets an etcd begin anew whose log proves that it never began.
	ScriptBeginEtcd Script = "begin-etcd"
	// ScriptRecoverEtcd does the parts of a recovery of etcd that need its host; see scripts/recover-etcd.sh.
	ScriptRecoverEtcd Script = "recover-etcd"
	// ScriptLock keeps the record of the run that changes the cluster; see scripts/lock.sh.
	ScriptLock Script = "lock"
	// ScriptKubeadm runs or follows kubeadm in a transient unit.
	ScriptKubeadm Script = "kubeadm"
	// ScriptSwapOff turns swap off for good; its arguments are swap units to mask.
	ScriptSwapOff Script = "swapoff"
	// ScriptWatchKubelet ends once the kubelet keeps failing.
	ScriptWatchKubelet Script = "watch-kubelet"
	// ScriptLastWords prints what the kubelet and the static pods in its arguments said last.
	ScriptLastWords Script = "last-words"
	// ScriptLoadModules loads the kernel modules in its arguments.
	ScriptLoadModules Script = "modules"
	// ScriptSetSysctls sets the KEY=VALUE in its arguments and reads them back.
	ScriptSetSysctls Script = "sysctls"
	// ScriptStopUnit stops the systemd unit in its argument.
	ScriptStopUnit Script = "stop-unit"
	// ScriptStartUnit enables the systemd unit in its argument, and starts it if "start" follows.
	ScriptStartUnit Script = "start-unit"
	// ScriptRestartUnit restarts the systemd unit in its argument.
	ScriptRestartUnit Script = "restart-unit"
	// ScriptPointKubeconfig has a kubeconfig name another server: its file, and the URL.
	ScriptPointKubeconfig Script = "point-kubeconfig"
	// ScriptBalancer tests and takes up configurations of the host's balancer; see scripts/balancer.sh.
	ScriptBalancer Script = "balancer"
	// ScriptRemoveFiles takes away files that fairlead wrote, puts back what was in their place before, and has the ledger
	// forget them.
	ScriptRemoveFiles Script = "remove-files"
	// ScriptCollectGarbage frees what no image in fairlead's own registry uses any more.
	ScriptCollectGarbage Script = "collect-garbage"
	// ScriptInstallLayers installs the files of a bundle's layers from its standard input.
	ScriptInstallLayers Script = "install-layers"
	// ScriptImportImages imports an OCI layout from its standard input.
	ScriptImportImages Script = "import-images"
	// ScriptListBlobs prints the digests in containerd's content store, one a line.
	ScriptListBlobs Script = "list-blobs"
	// ScriptPackagesApt and ScriptPackagesDnf get packages; their arguments are a verb of
	// scripts/packages.sh and what that needs.
	ScriptPackagesApt Script = "packages-apt"
	ScriptPackagesDnf Script = "packages-dnf"
)

// before are the texts that a script goes on from: functions that it shares with others.
func (s Script) before() []Script {
	switch s {
	case ScriptProbe:
		return []Script{"facts", "etcd-log", "probe-machine", "probe-files", "probe-software", "probe-endpoint", "probe-remains"}
	case ScriptBeginEtcd:
		return []Script{"etcd-log", "open-files"}
	case ScriptRecoverEtcd:
		return []Script{"open-files"}
	case ScriptRecord:
		return []Script{"ledger", "mounts"}
	case ScriptReset:
		return []Script{"ledger", "mounts", "open-files", "installed", "uninstall", "reset-programs", "reset-network", "reset-packages"}
	case ScriptResetKind:
		return []Script{"ledger", "mounts", "reset-programs", "reset-network"}
	case ScriptRemoveFiles:
		return []Script{"ledger"}
	case ScriptWatchKubelet, ScriptLastWords:
		return []Script{"said"}
	case ScriptPackagesApt, ScriptPackagesDnf:
		return []Script{"ledger", "open-files", "installed", "uninstall"}
	}
	return nil
}

// after are the texts that go on from a script.
func (s Script) after() []Script {
	if s == ScriptPackagesApt || s == ScriptPackagesDnf {
		return []Script{"packages"}
	}
	return nil
}

// Text is the script itself; empty for a name that none of the constants has.
func (s Script) Text() string {
	var text strings.Builder
	for _, part := range slices.Concat(s.before(), []Script{s}, s.after()) {
		content, err := scripts.ReadFile("scripts/" + string(part) + ".sh")
		if err != nil {
			return ""
		}
		text.Write(content)
	}
	return text.String()
}

// Packages is the script that works with a package manager.
func Packages(manager PackageManager) Script {
	if manager == Apt {
		return ScriptPackagesApt
	}
	return ScriptPackagesDnf
}

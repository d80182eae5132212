package templates

import _ "embed"

// The scripts that run on hosts. They travel on the standard input of /bin/sh, or, where
// that carries data, as its argument; what varies comes to them as positional parameters.
var (
	//go:embed scripts/probe.sh
	probe string
	//go:embed scripts/record.sh
	record string
	//go:embed scripts/reset.sh
	reset string
	//go:embed scripts/leave-etcd.sh
	leaveEtcd string
	//go:embed scripts/kubeadm.sh
	kubeadm string
	//go:embed scripts/swapoff.sh
	swapOff string
	//go:embed scripts/modules.sh
	loadModules string
	//go:embed scripts/sysctls.sh
	setSysctls string
	//go:embed scripts/stop-unit.sh
	stopUnit string
	//go:embed scripts/start-unit.sh
	startUnit string
	//go:embed scripts/restart-unit.sh
	restartUnit string
	//go:embed scripts/remove-files.sh
	removeFiles string
	//go:embed scripts/collect-garbage.sh
	collectGarbage string
	//go:embed scripts/install-layers.sh
	installLayers string
	//go:embed scripts/list-blobs.sh
	listBlobs string
	//go:embed scripts/packages.sh
	packages string
	//go:embed scripts/packages-apt.sh
	packagesApt string
	//go:embed scripts/packages-dnf.sh
	packagesDnf string
	//go:embed scripts/import-images.sh
	importImages string
)

// Probe prints all facts of a host; its arguments are the files to examine.
func Probe() string { return probe }

// Record writes the ledger; its arguments are KIND:KEY.
func Record() string { return record }

// Reset undoes what the ledger says.
func Reset() string { return reset }

// LeaveEtcd removes the host's etcd member from a cluster that lives on.
func LeaveEtcd() string { return leaveEtcd }

// Kubeadm runs or follows kubeadm in a transient unit.
func Kubeadm() string { return kubeadm }

// SwapOff turns swap off for good; its arguments are swap units to mask.
func SwapOff() string { return swapOff }

// LoadModules loads the kernel modules in its arguments.
func LoadModules() string { return loadModules }

// SetSysctls sets the KEY=VALUE in its arguments and reads them back.
func SetSysctls() string { return setSysctls }

// StopUnit stops the systemd unit in its argument.
func StopUnit() string { return stopUnit }

// StartUnit enables the systemd unit in its argument, and starts it if "start" follows.
func StartUnit() string { return startUnit }

// RestartUnit restarts the systemd unit in its argument.
func RestartUnit() string { return restartUnit }

// RemoveFiles removes the files in its arguments, and folders that get empty by it.
func RemoveFiles() string { return removeFiles }

// CollectGarbage frees what no image in fairlead's own registry uses any more.
func CollectGarbage() string { return collectGarbage }

// InstallLayers installs the files of a bundle's layers from its standard input.
func InstallLayers() string { return installLayers }

// ImportImages imports an OCI layout from its standard input.
func ImportImages() string { return importImages }

// ListBlobs prints the digests in containerd's content store, one a line.
func ListBlobs() string { return listBlobs }

// Packages gets packages; its arguments are a verb of scripts/packages.sh and what that needs.
func Packages(manager PackageManager) string {
	if manager == Apt {
		return packagesApt + packages
	}
	return packagesDnf + packages
}

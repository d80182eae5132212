package facts

import (
	"net/netip"
	"time"

	"fairlead/provision/ledger"
	"fairlead/provision/object"
)

// Facts are what was observed in one look: nothing in them was remembered.
type Facts struct {
	// ObservedAt is the laptop's time when the observation ended.
	ObservedAt time.Time
	// Hosts has an entry for every host of the inventory, by name.
	Hosts map[string]Host
	// API is what the API server said.
	API API
	// ImageProblems are why images that hosts are going to pull cannot be had.
	ImageProblems []ImageProblem
}

// Host are one host's answer to the probe.
type Host struct {
	// Unreachable is why there is no answer; nil says that all other fields are valid.
	Unreachable *Problem

	Root         bool
	ClockOffset  time.Duration // host's clock minus the laptop's; 0 when within the round trip
	OS           OS
	Kernel       string
	Architecture string // in Go's words
	CPUs         int
	MemoryKiB    int64
	Disks        []Disk
	Hostname     string
	MachineID    string
	ProductUUID  string
	BootID       string
	Systemd      int    // version; 0 when systemd does not run the host
	Container    string // what systemd-detect-virt calls it; empty or "none" on machines
	CgroupV2     bool
	Capabilities uint64 // bounding set, as in /proc/PID/status
	AppArmor     bool
	SELinux      bool // enforcing
	MissingTools []string

	Addresses   []LinkAddress
	Links       []string
	Nameservers []netip.Addr
	Ports       map[int]string // listening TCP port → process

	Swaps         []Swap
	FstabSwaps    []string // devices of active swap lines
	SwapUnits     []SwapUnit
	ZramGenerator bool // would make a swap device at the next boot
	Modules       map[string]bool
	Sysctls       map[string]string

	Files    map[string]File
	Trees    map[string]bool   // folders among the paths that were asked for
	Contents map[string][]byte // of our own small files, for the plan's diff
	Units    map[string]Unit
	Versions map[string]Version
	// Packages are those of Kubernetes and of container runtimes that are installed, by name.
	Packages map[string]Package
	// Candidates are the versions of packages of runtimes that the host's repositories offer, as
	// far as it was asked for and the host knows.
	Candidates map[string]string
	// InstallCut says that an install of packages was cut off before the ledger had them.
	InstallCut bool
	// Environment are the proxies in the environment that systemd gives every service, by the
	// upper-case name of their variable.
	Environment map[string]string
	Sockets     map[string]bool // of the paths that were asked for
	// RuntimeSettings are containerd's effective ones.
	RuntimeSettings map[string]string
	Images          map[string]Image

	Manifests     []string        // static pods
	Kubeconfigs   map[string]bool // in /etc/kubernetes
	KubeletConfig bool
	Certificates  []Certificate
	CA            []byte // PEM of the cluster CA that the host has, nil without
	NotEmpty      map[string]bool
	// NetworkConfigurations are the files of pod networks in /etc/cni/net.d.
	NetworkConfigurations []string
	Ledger                []ledger.Entry

	// RegistryCA and RegistryCertificate are those of fairlead's own registry, PEM, nil
	// without one. RegistryImages are the images it holds: REPOSITORY:TAG → digest.
	RegistryCA, RegistryCertificate []byte
	RegistryImages                  map[string]string

	Processes []Process
	Mounts    []string
	Netfilter []string
}

// OS is what os-release says.
type OS struct{ ID, Version, Like, Name, Codename string }

// Disk is the file system below Folder.
type Disk struct {
	Folder, Device string
	SizeKiB        int64
	FreeKiB        int64
}

// LinkAddress is an address of a network interface.
type LinkAddress struct {
	Link   string
	Prefix netip.Prefix
}

// Swap is an active swap device.
type Swap struct{ Device, Kind string }

// SwapUnit is a systemd swap unit and its enablement.
type SwapUnit struct{ Name, State string }

// File describe a regular file.
type File struct {
	Mode     uint32
	UID, GID int
	Size     int64
	SHA256   string // hexadecimal
}

// Unit describe a systemd unit in systemd's own words.
type Unit struct {
	Load, Active, Sub, Enabled, Path, PID, Result string
	NeedsReload                                   bool
}

// Version is an installed program.
type Version struct{ Path, Version string }

// Package describe an installed package.
type Package struct {
	Version string // upstream's part of it
	Held    bool   // stays at its version when others are upgraded
}

// Image describe an image in containerd's store.
type Image struct {
	Digest   string
	Complete bool // all blobs are there and unpacked
}

// Certificate are the validity of one certificate file.
type Certificate struct {
	Path     string
	Subject  string
	NotAfter time.Time
	Names    []string // DNS names and IP addresses that it is for
}

// Process is a program that a cluster runs.
type Process struct{ Program, PID string }

// API are what the API server said. Err nil says that it answered.
type API struct {
	// Err is why there is no answer; when no control plane exists yet it is of kind APINoCluster.
	Err *Problem
	// Via is the control-plane host whose admin.conf and connection were used.
	Via string
	// ServerVersion is the API server's version without "v".
	ServerVersion string
	// Missing are the objects that kubeadm init creates last and that are not there.
	Missing []string
	Nodes   map[string]object.Node
	// Objects are the live add-on objects, by objectKey; absent ones are missing.
	Objects map[string]object.Live
	// Unready are the reasons why an add-on's object is not as it should be, by objectKey.
	Unready map[string]string
	// Applied is the cluster's own record of what was applied, by add-on set.
	Applied map[string][]object.Applied
	// Orphans are those recorded objects that live, bear their set's label, and are in no set
	// any more.
	Orphans map[string][]object.Applied
	// Settings are the documents of kubeadm that the cluster keeps, by kind, and
	// RecordedSettings what the inventory said of them at the end of the last run.
	Settings, RecordedSettings map[string]string
	// Serving are requests of kubelets for serving certificates that nobody has decided on.
	Serving []object.ServingRequest
	// StaleTokens are ids of bootstrap tokens that a killed run left.
	StaleTokens []string
}

// ImageProblem is why a host cannot have an image.
type ImageProblem struct {
	Host string
	// Image is the name by which the host's runtime asks for it.
	Image string
	// Registry is where the problem was met. It is Whole when it concerns all images of that
	// registry, of which Image is only the first.
	Registry string
	Whole    bool
	Err      *Problem
}

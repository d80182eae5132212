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
	ObservedAt time.Time `json:"observedAt,omitzero"`
	// Hosts has an entry for every host of the inventory, by name.
	Hosts map[string]Host `json:"hosts,omitzero"`
	// API is what the API server said.
	API API `json:"api,omitzero"`
	// ImageProblems are why images that hosts are going to pull cannot be had.
	ImageProblems []ImageProblem `json:"imageProblems,omitzero"`
}

// Host are one host's answer to the probe.
type Host struct {
	// Unreachable is why there is no answer; nil says that all other fields are valid, but for what is in Unread.
	Unreachable *Problem `json:"unreachable,omitzero"`
	// Unread are the lines of the answer that cannot be read, in their order. What they were to say is in no other field: that
	// something is not there is proven by an answer without any of them (see Facts.Understood).
	Unread []Unread `json:"unread,omitzero"`
	// Asked is what the host has answered beside what every host is asked.
	Asked Query `json:"asked,omitzero"`
	// Absent are kernel parameters that were asked for and are not there: "sysctl:NAME".
	Absent map[string]bool `json:"absent,omitzero"`

	Root         bool          `json:"root,omitzero"`
	ClockOffset  time.Duration `json:"clockOffsetNanoseconds,omitzero"` // host's clock minus the laptop's; 0 when within the round trip
	OS           OS            `json:"os,omitzero"`
	Architecture string        `json:"architecture,omitzero"` // in Go's words
	CPUs         int           `json:"cpus,omitzero"`
	MemoryKiB    int64         `json:"memoryKiB,omitzero"`
	Disks        []Disk        `json:"disks,omitzero"`
	Hostname     string        `json:"hostname,omitzero"`
	MachineID    string        `json:"machineID,omitzero"`
	ProductUUID  string        `json:"productUUID,omitzero"`
	BootID       string        `json:"bootID,omitzero"`
	Systemd      int           `json:"systemd,omitzero"`   // version; 0 when systemd does not run the host
	Container    string        `json:"container,omitzero"` // what systemd-detect-virt calls it; empty or "none" on machines
	CgroupV2     bool          `json:"cgroupV2,omitzero"`
	Capabilities uint64        `json:"capabilities,omitzero"` // bounding set, as in /proc/PID/status
	AppArmor     bool          `json:"appArmor,omitzero"`
	SELinux      bool          `json:"selinux,omitzero"` // enforcing
	MissingTools []string      `json:"missingTools,omitzero"`

	Addresses   []LinkAddress  `json:"addresses,omitzero"`
	Links       []string       `json:"links,omitzero"`
	Nameservers []netip.Addr   `json:"nameservers,omitzero"`
	Ports       map[int]string `json:"ports,omitzero"` // listening TCP port → process
	// LoopbackNames are localhost and the host's own name where /etc/hosts has them lead back into the host.
	LoopbackNames []LoopbackName `json:"loopbackNames,omitzero"`
	// NoLocalhost says that /etc/hosts has no IPv4 address for localhost.
	NoLocalhost bool `json:"noLocalhost,omitzero"`
	// LoginKeys are those of the asked public keys that let somebody log in.
	LoginKeys []LoginKey `json:"loginKeys,omitzero"`
	// Reach is what came of connecting to HOST:PORT, as far as that was asked for and the host can tell. Readyz is what a control
	// plane got from the API server behind it: ready, or why not.
	Reach  map[string]Reached `json:"reach,omitzero"`
	Readyz map[string]string  `json:"readyz,omitzero"`
	// SSHSessions is how many sessions sshd allows on one connection; 0 where that is not known.
	SSHSessions int `json:"sshSessions,omitzero"`
	// Forwarding is why the API server of a control-plane host could not be reached if it ran; nil where it could, and where
	// an API server has answered.
	Forwarding *Problem `json:"forwarding,omitzero"`

	Swaps         []Swap            `json:"swaps,omitzero"`
	FstabSwaps    []string          `json:"fstabSwaps,omitzero"` // devices of active swap lines
	SwapUnits     []SwapUnit        `json:"swapUnits,omitzero"`
	ZramGenerator bool              `json:"zramGenerator,omitzero"` // would make a swap device at the next boot
	Modules       map[string]bool   `json:"modules,omitzero"`
	Sysctls       map[string]string `json:"sysctls,omitzero"`
	// SysctlLines are those that set asked kernel parameters at boot, in the order in which that is done.
	SysctlLines []SysctlLine `json:"sysctlLines,omitzero"`

	Files    map[string]File    `json:"files,omitzero"`
	Trees    map[string]bool    `json:"trees,omitzero"`    // folders among the paths that were asked for
	Contents map[string][]byte  `json:"contents,omitzero"` // of our own small files, for the plan's diff
	Units    map[string]Unit    `json:"units,omitzero"`
	Versions map[string]Version `json:"versions,omitzero"`
	// Packages are those among the asked ones that are installed, by name.
	Packages map[string]Package `json:"packages,omitzero"`
	// Candidates are the versions of packages that the host's repositories offer, as far as it was asked for and the host
	// knows; empty for a package that they do not have.
	Candidates map[string]string `json:"candidates,omitzero"`
	// InstallCut says that an install of packages was cut off before the ledger had them.
	InstallCut bool `json:"installCut,omitzero"`
	// Environment are the proxies in the environment that systemd gives every service, by the
	// upper-case name of their variable.
	Environment map[string]string `json:"environment,omitzero"`
	// Sockets and Symlinks are of the paths that were asked for; a link to a folder counts as that.
	Sockets  map[string]bool  `json:"sockets,omitzero"`
	Symlinks map[string]bool  `json:"symlinks,omitzero"`
	Images   map[string]Image `json:"images,omitzero"`

	Manifests   []string        `json:"manifests,omitzero"`   // static pods
	Kubeconfigs map[string]bool `json:"kubeconfigs,omitzero"` // in /etc/kubernetes
	// Servers are the servers that these kubeconfigs name, by file; one that names none, or several, has no entry.
	Servers       map[string]string `json:"servers,omitzero"`
	KubeletConfig bool              `json:"kubeletConfig,omitzero"`
	// KubeletCredentials: the kubelet does not wait for its client certificate. kubelet.conf alone does not say so: the
	// kubelet writes it before it asks for the certificate (kubernetes/pkg/kubelet/certificate/bootstrap).
	KubeletCredentials bool            `json:"kubeletCredentials,omitzero"`
	Certificates       []Certificate   `json:"certificates,omitzero"`
	CA                 []byte          `json:"ca,omitzero"` // PEM of the cluster CA that the host has, nil without, or where it is in Unread
	NotEmpty           map[string]bool `json:"notEmpty,omitzero"`
	// EtcdUnbegun says that the log of the host's etcd holds no entry: there is nothing in it that could be lost.
	EtcdUnbegun bool `json:"etcdUnbegun,omitzero"`
	// NetworkConfigurations are the files of pod networks in /etc/cni/net.d.
	NetworkConfigurations []string `json:"networkConfigurations,omitzero"`
	// Ledger is what fairlead has touched, and how it was before. LedgerDamage is why it cannot be trusted as a whole; the
	// entries are those that could be read then.
	Ledger       []ledger.Entry `json:"ledger,omitzero"`
	LedgerDamage string         `json:"ledgerDamage,omitzero"`

	// RegistryCA and RegistryCertificate are those of fairlead's own registry, PEM, nil
	// without one. RegistryImages are the images it holds: REPOSITORY:TAG → digest.
	RegistryCA          []byte            `json:"registryCA,omitzero"`
	RegistryCertificate []byte            `json:"registryCertificate,omitzero"`
	RegistryImages      map[string]string `json:"registryImages,omitzero"`

	Processes []Process `json:"processes,omitzero"`
	Mounts    []string  `json:"mounts,omitzero"`
	Netfilter []string  `json:"netfilter,omitzero"`

	// Withheld are the paths among Contents, and the names in Environment, that were read from a
	// file of facts and are not, or not wholly, what the host has: the rest may be secret. The
	// hashes in Files are the host's.
	Withheld []string `json:"withheld,omitzero"`
}

// OS is what os-release says.
type OS struct {
	ID       string `json:"id,omitzero"`
	Version  string `json:"version,omitzero"`
	Like     string `json:"like,omitzero"`
	Name     string `json:"name,omitzero"`
	Codename string `json:"codename,omitzero"`
}

// Disk is the file system below Folder.
type Disk struct {
	Folder  string `json:"folder,omitzero"`
	Device  string `json:"device,omitzero"`
	SizeKiB int64  `json:"sizeKiB,omitzero"`
	FreeKiB int64  `json:"freeKiB,omitzero"`
}

// Reached is what comes of connecting to an endpoint.
type Reached string

// What may come of it.
const (
	Connected   Reached = "connected"
	Refused     Reached = "refused"     // somebody is there
	Unreachable Reached = "unreachable" // nobody has the address
	NoAddress   Reached = "unknown"     // the name has no address
	NoAnswer    Reached = "silent"
)

// LinkAddress is an address of a network interface.
type LinkAddress struct {
	Link   string       `json:"link,omitzero"`
	Prefix netip.Prefix `json:"prefix,omitzero"`
}

// LoopbackName is a name that /etc/hosts gives an address of loopback.
type LoopbackName struct {
	Name    string `json:"name,omitzero"`    // in lower case
	Address string `json:"address,omitzero"` // as it stands there
}

// LoginKey is a public key in a file that lets its holder log in.
type LoginKey struct {
	Path string `json:"path,omitzero"`
	Key  string `json:"key,omitzero"`
}

// Swap is an active swap device.
type Swap struct {
	Device string `json:"device,omitzero"`
}

// SwapUnit is a systemd swap unit and its enablement.
type SwapUnit struct {
	Name  string `json:"name,omitzero"`
	State string `json:"state,omitzero"`
}

// SysctlLine is a line of a file that systemd reads at boot.
type SysctlLine struct {
	Path  string `json:"path,omitzero"`
	Line  int    `json:"line,omitzero"`
	Key   string `json:"key,omitzero"` // as it was asked for
	Value string `json:"value,omitzero"`
}

// File describe a regular file.
type File struct {
	Mode   uint32 `json:"mode,omitzero"`
	UID    int    `json:"uid,omitzero"`
	GID    int    `json:"gid,omitzero"`
	Size   int64  `json:"size,omitzero"`
	SHA256 string `json:"sha256,omitzero"` // hexadecimal
}

// Unit describe a systemd unit in systemd's own words.
type Unit struct {
	Load        string `json:"load,omitzero"`
	Active      string `json:"active,omitzero"`
	Enabled     string `json:"enabled,omitzero"`
	Path        string `json:"path,omitzero"`
	NeedsReload bool   `json:"needsReload,omitzero"`
}

// Version is an installed program.
type Version struct {
	Path    string `json:"path,omitzero"`
	Version string `json:"version,omitzero"`
}

// Package describe an installed package.
type Package struct {
	Version string `json:"version,omitzero"` // upstream's part of it
	Held    bool   `json:"held,omitzero"`    // stays at its version when others are upgraded
}

// Image describe an image in containerd's store.
type Image struct {
	Digest   string `json:"digest,omitzero"`
	Complete bool   `json:"complete,omitzero"` // all blobs are there and unpacked
}

// Certificate is one of a file of certificates.
type Certificate struct {
	Path    string   `json:"path,omitzero"`
	Subject string   `json:"subject,omitzero"` // as in RFC 2253
	Names   []string `json:"names,omitzero"`   // DNS names and IP addresses that it is for
}

// Process is a program that a cluster runs.
type Process struct {
	Program string `json:"program,omitzero"`
	PID     string `json:"pid,omitzero"`
}

// API are what the API server said. Err nil says that it answered.
type API struct {
	// Err is why there is no answer; when no control plane exists yet it is of kind APINoCluster.
	Err *Problem `json:"err,omitzero"`
	// Via is the control-plane host whose admin.conf and connection were used.
	Via string `json:"via,omitzero"`
	// ServerVersion is the API server's version without "v".
	ServerVersion string `json:"serverVersion,omitzero"`
	// Missing are the objects that kubeadm init creates last and that are not there.
	Missing []string               `json:"missing,omitzero"`
	Nodes   map[string]object.Node `json:"nodes,omitzero"`
	// Objects are the live add-on objects, by objectKey; absent ones are missing.
	Objects map[string]object.Live `json:"objects,omitzero"`
	// Unready are the reasons why an add-on's object is not as it should be, by objectKey.
	Unready map[string]string `json:"unready,omitzero"`
	// Applied is the cluster's own record of what was applied, by add-on set.
	Applied map[string][]object.Applied `json:"applied,omitzero"`
	// Orphans are those recorded objects that live, bear their set's label, and are in no set
	// any more.
	Orphans map[string][]object.Applied `json:"orphans,omitzero"`
	// Settings are the documents of kubeadm that the cluster keeps, by kind, and
	// RecordedSettings what the inventory said of them at the end of the last run.
	Settings         map[string]string `json:"settings,omitzero"`
	RecordedSettings map[string]string `json:"recordedSettings,omitzero"`
	// Kubeconfigs are those that the cluster hands out, without secrets, by NAMESPACE/NAME of their ConfigMaps; empty where one
	// holds none.
	Kubeconfigs map[string]string `json:"kubeconfigs,omitzero"`
	// Serving are requests of kubelets for serving certificates that nobody has decided on.
	Serving []object.ServingRequest `json:"serving,omitzero"`
	// StaleTokens are ids of fairlead's bootstrap tokens that nobody joins with any more: they have expired, or their run is over.
	// OtherTokens are those of other runs that have not expired.
	StaleTokens []string `json:"staleTokens,omitzero"`
	OtherTokens []string `json:"otherTokens,omitzero"`
	// Etcd is what the cluster's etcd said of its members, also where the API server does not answer.
	Etcd Etcd `json:"etcd,omitzero"`
	// Removed are the nodes that were taken out of the cluster without their machines, by name, until these are reset.
	Removed map[string]object.Removed `json:"removed,omitzero"`
}

// ImageProblem is why a host cannot have an image.
type ImageProblem struct {
	Host string `json:"host,omitzero"`
	// Image is the name by which the host's runtime asks for it.
	Image string `json:"image,omitzero"`
	// Registry is where the problem was met. It is Whole when it concerns all images of that
	// registry, of which Image is only the first.
	Registry string   `json:"registry,omitzero"`
	Whole    bool     `json:"whole,omitzero"`
	Err      *Problem `json:"err,omitzero"`
}

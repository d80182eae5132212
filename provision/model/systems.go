package model

import (
	"strings"

	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/templates"
)

// OnSystem makes a host one of another operating system, as packages are got there.
func OnSystem(id, like string, packages ...string) func(*facts.Host) {
	return func(h *facts.Host) {
		h.OS = facts.OS{ID: id, Like: like, Name: id, Codename: "bookworm"}
		h.Candidates["containerd"] = ""
		if id == "debian" {
			h.Candidates["containerd"] = packageModels()[templates.PackageContainerd].version
		}
		for _, name := range packages { // the user's, from before
			for _, repository := range []string{"docker", "kubernetes"} {
				world.Written(h, index(repository), 0o644, []byte("of the user, /v1.37/ and /v1.36/"))
			}
			name, version, _ := strings.Cut(name, " ")
			if err := installPackage(h, name, version); err != nil {
				panic(err)
			}
			delete(h.Files, index("docker"))
			delete(h.Files, index("kubernetes"))
			delete(h.Contents, index("docker"))
			delete(h.Contents, index("kubernetes"))
		}
	}
}

// ofUser puts things on a host that were there before fairlead and are to be there after it. All
// hosts are containers of one kernel.
func ofUser(h *facts.Host) {
	h.BootID = "boot of the machine below"
	world.Written(h, "/etc/own.conf", 0o640, []byte("own"))
	world.Written(h, "/etc/cni/net.d/own.txt", 0o600, []byte("in a folder that the cluster uses"))
	world.Written(h, "/etc/modules-load.d/own.conf", 0o644, []byte("nfs\n"))
	world.Written(h, templates.Fstab, 0o600, []byte("/dev/vda / ext4 defaults 0 1\n/dev/vdb none swap sw 0 0\n"))
	world.Written(h, "/etc/systemd/system/dev-vdc.swap", 0o644, []byte("[Swap]\nWhat=/dev/vdc\n"))
	world.Written(h, "/etc/systemd/system/own.service", 0o644, []byte("[Service]\n"))
	h.Swaps = []facts.Swap{{Device: "/dev/vdb"}, {Device: "/dev/vdc"}, {Device: "/dev/vdd2"}, {Device: "/dev/zram0"}}
	for _, name := range []string{"dev-vdc.swap", "own.service"} {
		h.Units[name] = facts.Unit{Load: "loaded", Active: "active", Enabled: "enabled", Path: "/etc/systemd/system/" + name}
	}
	generated := `dev-disk-by\x2ddiskseq-4\x2dpart2.swap`
	h.Units[generated] = facts.Unit{Load: "loaded", Active: "active", Enabled: "generated", Path: "/run/systemd/generator.late/" + generated}
	h.Units["swap.target"] = facts.Unit{Load: "loaded", Active: "active", Enabled: "static", Path: "/usr/lib/systemd/system/swap.target"}
	h.Units["zramswap.service"] = facts.Unit{Load: "loaded", Active: "active", Enabled: "enabled", Path: "/usr/lib/systemd/system/zramswap.service"}
	h.Sysctls[kubeletSysctl] = "0"
	h.Modules["nfs"] = true
	h.Links = []string{"eth0"}
}

package model

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/provision/model/world"
	"fairlead/provision/plan"
	"fairlead/templates"
)

// packageModel is what a package brings and what it wants.
type packageModel struct {
	from     string // the repository that has it; empty: the distribution's
	version  string // without a wish for one
	program  string // in /usr/bin
	unit     string
	config   string // which goes with it
	needs    []string
	excludes string
}

func packageModels() map[string]packageModel {
	return map[string]packageModel{
		templates.PackageKubelet:         {from: "kubernetes", program: templates.PackageKubelet, unit: templates.KubeletService, needs: []string{"kubernetes-cni"}},
		templates.PackageKubeadm:         {from: "kubernetes", program: templates.PackageKubeadm, needs: []string{templates.PackageCRITools}},
		templates.PackageKubectl:         {from: "kubernetes", program: templates.PackageKubectl},
		templates.PackageCRITools:        {from: "kubernetes", version: "1.37.0"},
		"kubernetes-cni":                 {from: "kubernetes", version: "1.8.0"},
		templates.PackageContainerdIO:    {from: "docker", version: "2.2.1", program: templates.PackageContainerd, unit: templates.ContainerdService, excludes: templates.PackageContainerd},
		desired.PackageDockerCE:          {from: "docker", version: "29.1.3", program: "dockerd", unit: templates.DockerService, needs: []string{templates.PackageContainerdIO}},
		"docker-ce-cli":                  {from: "docker", version: "29.1.3"},
		templates.PackageContainerd:      {version: "2.4.0", program: templates.PackageContainerd, unit: templates.ContainerdService, excludes: templates.PackageContainerdIO},
		"docker.io":                      {version: "28.1.1", program: "dockerd", unit: templates.DockerService, needs: []string{templates.PackageContainerd}},
		"docker":                         {version: "28.1.1", program: "dockerd", unit: templates.DockerService, needs: []string{templates.PackageContainerd}},
		"python3-dnf-plugin-versionlock": {version: "4.3.0"},
		"haproxy":                        {version: "2.6.12", program: "haproxy", unit: templates.HAProxyService, config: templates.HAProxyConfigFile},
		"keepalived":                     {version: "2.2.7", program: "keepalived", unit: templates.KeepalivedService},
		"nfs-common":                     {version: "2.6.2", program: "mount.nfs", needs: []string{"libnfsidmap1", "rpcbind"}},
		"open-iscsi":                     {version: "2.1.8", program: "iscsiadm", unit: "iscsid.service"},
		"autofs":                         {version: "5.1.8", needs: []string{"nfs-common"}},
		"rpcbind":                        {version: "1.2.6", program: "rpcinfo", unit: "rpcbind.service"},
		"libnfsidmap1":                   {version: "2.6.2"},
	}
}

// packagesPending is where an install that was cut off has left the names of what it was going to bring.
const packagesPending = templates.StateFolder + "/packages.pending"

// runPackages does what the script of a package manager does. With half an install is cut off:
// after the first package, or late, when all packages are there and the ledger has none of them.
func runPackages(h *facts.Host, a plan.Script, half, late bool) error {
	verb, args := a.Args[0], a.Args[1:]
	family, _ := h.Family()
	if a.Name != templates.Packages(family.Manager) {
		return fmt.Errorf("%s is not for %s", a.Title, h.OS.ID)
	}
	switch verb {
	case "install", "reinstall":
		return getPackages(h, args, half, late)
	case "add":
		return addPackages(h, args, half, late)
	case "keep":
		keepPackages(h, args, half, late)
		return nil
	}
	if half {
		return nil
	}
	switch verb {
	case "key":
		world.Written(h, args[1], 0o644, []byte("the key of "+args[0]))
	case "refresh":
		for _, name := range args {
			if err := readIndex(h, name); err != nil {
				return err
			}
		}
	case "account":
		settlePackages(h)
	case "hold":
		if family.Manager == templates.Dnf {
			if err := getPackages(h, []string{"python3-dnf-plugin-versionlock"}, false, false); err != nil {
				return err
			}
		}
		for _, name := range args {
			is, installed := h.Packages[name]
			if !installed {
				return fmt.Errorf("%s is not installed", name)
			}
			is.Held = true
			h.Packages[name] = is
		}
	default:
		return fmt.Errorf("unknown verb %s", verb)
	}
	return nil
}

// getPackages installs packages. What that is going to bring is worked out before, and nothing else is ever fairlead's.
func getPackages(h *facts.Host, specs []string, half, late bool) error {
	settlePackages(h)
	brought, err := transaction(*h, specs)
	if err != nil {
		return err
	}
	h.Contents[packagesPending] = []byte(strings.Join(brought, " "))
	if err := installPackages(h, specs, half && !late); err != nil || half {
		return err
	}
	settlePackages(h)
	return nil
}

// settlePackages writes into the ledger which of the packages that the last install was going to bring are there.
func settlePackages(h *facts.Host) {
	for _, name := range strings.Fields(string(h.Contents[packagesPending])) {
		entry := ledger.Entry{Kind: ledger.Package, Key: name, Was: "absent"}
		if _, there := h.Packages[name]; there && !slices.Contains(h.Ledger, entry) {
			h.Ledger = append(h.Ledger, entry)
		}
	}
	delete(h.Contents, packagesPending)
}

// indexFolder is where the indexes of repositories are.
const indexFolder = "/var/cache/indexes"

func index(repository string) string { return indexFolder + "/" + repository }

// readIndex reads the index of a repository, which its key has to go with.
func readIndex(h *facts.Host, name string) error {
	for _, file := range []string{name, "/etc/yum.repos.d/" + strings.TrimSuffix(name, "-stable") + ".repo"} {
		definition, exists := h.Contents[file]
		if !exists {
			continue
		}
		key := ""
		if _, after, found := strings.Cut(string(definition), "signed-by="); found {
			key, _, _ = strings.Cut(after, "]")
		}
		if _, after, found := strings.Cut(string(definition), "gpgkey=file://"); found {
			key, _, _ = strings.Cut(after, "\n")
		}
		if _, there := h.Files[key]; key != "" && !there {
			return fmt.Errorf("%s: no key %s", name, key)
		}
		repository, _, _ := strings.Cut(path.Base(file), ".")
		world.Written(h, index(strings.TrimSuffix(repository, "-ce")), 0o644, definition)
		return nil
	}
	return fmt.Errorf("%s is not known", name)
}

// installPackages brings packages and what they need. Half of it is the first one.
func installPackages(h *facts.Host, specs []string, half bool) error {
	for _, spec := range specs {
		name, version, _ := strings.Cut(strings.TrimSuffix(spec, "-*"), "=")
		if _, known := packageModels()[name]; !known {
			at := strings.LastIndex(name, "-")
			name, version = name[:max(at, 0)], name[at+1:]
		}
		if err := installPackage(h, name, version); err != nil {
			return err
		}
		if half {
			return nil
		}
	}
	return nil
}

func installPackage(h *facts.Host, name, version string) error {
	model, known := packageModels()[name]
	if !known {
		return fmt.Errorf("there is no package %q", name)
	}
	definition, indexed := h.Contents[index(model.from)]
	if version == "" {
		version = model.version
	} else if minor := fmt.Sprintf("/v1.%d/", desired.MinorOf(version)); !strings.Contains(string(definition), minor) {
		return fmt.Errorf("%s has no %s %s", model.from, name, version)
	}
	if model.from != "" && !indexed {
		return fmt.Errorf("no repository has the package %s", name)
	}
	if _, excluded := h.Packages[model.excludes]; excluded {
		return fmt.Errorf("%s would remove %s", name, model.excludes)
	}
	for _, need := range model.needs {
		if _, there := h.Packages[need]; !there {
			if err := installPackage(h, need, ""); err != nil {
				return err
			}
		}
	}
	h.Packages[name] = facts.Package{Version: version}
	bring := func(path string) { h.Files[path] = facts.File{Mode: 0o755, SHA256: name + " " + version} }
	if model.program != "" {
		bring("/usr/bin/" + model.program)
	}
	if _, there := h.Files[model.config]; model.config != "" && !there {
		world.Written(h, model.config, 0o644, []byte("of the package"))
	}
	if model.unit == "" {
		return nil
	}
	bring("/usr/lib/systemd/system/" + model.unit)
	unit, was := h.Units[model.unit]
	unit.Load, unit.Path = "loaded", unitPath(h, model.unit)
	family, _ := h.Family()
	if family.Manager == templates.Apt { // enables and starts
		unit.Enabled, unit.Active = "enabled", afterStart(h, model.unit)
	} else if !was {
		unit.Enabled, unit.Active = "disabled", "inactive"
	}
	h.Units[model.unit] = unit
	return nil
}

// unitPath is the file of a unit that systemd uses; empty without one.
func unitPath(h *facts.Host, unit string) string {
	for _, folder := range []string{"/etc/systemd/system/", "/usr/lib/systemd/system/"} {
		if _, exists := h.Files[folder+unit]; exists {
			return folder + unit
		}
	}
	return ""
}

// afterStart is the state of a unit that was started: the kubelet ends and is started again,
// until it has a configuration.
func afterStart(h *facts.Host, unit string) string {
	if config := balancerConfigs()[unit]; config != "" {
		if _, there := h.Files[config]; !there {
			return "inactive"
		}
	}
	if unit == templates.KubeletService && !h.KubeletConfig {
		return "activating"
	}
	return "active"
}

// Versions are those of the programs that a shell finds, as the probe tells them. Programs of
// the bundle it knows by their hashes; it does not ask one that fairlead installed and nobody
// has changed since.
func (s *Simulation) Versions(h facts.Host) map[string]facts.Version {
	inWish, inTest := bundleFiles(s.State), bundleFiles(desired.State{Bundle: world.TestBundle()})
	versions := map[string]facts.Version{}
	for _, program := range []string{templates.PackageKubeadm, templates.PackageKubelet, templates.PackageContainerd} {
		for _, folder := range []string{"/usr/local/bin/", "/usr/bin/"} {
			file, exists := h.Files[folder+program]
			if !exists {
				continue
			}
			_, version, _ := strings.Cut(file.SHA256, " ")
			if of, installed := inTest[folder+program]; installed && of.digest == file.SHA256 {
				version = of.version
			}
			if of, asked := inWish[folder+program]; asked && of.digest != file.SHA256 {
				version = ""
			}
			versions[program] = facts.Version{Path: folder + program, Version: version}
			break
		}
	}
	return versions
}

type bundled struct{ digest, version string }

func bundleFiles(wish desired.State) map[string]bundled {
	files := map[string]bundled{}
	for _, component := range wish.Bundle.Components {
		for _, layer := range component.Layers {
			for _, file := range layer.Files {
				files[file.Path] = bundled{file.Digest.Encoded(), component.Version}
			}
		}
	}
	return files
}

// packagesOf are the packages of a host and those that its ledger has.
func packagesOf(h facts.Host) string {
	var ours []string
	for _, entry := range h.Ledger {
		if entry.Kind == ledger.Package {
			ours = append(ours, entry.Key)
		}
	}
	return fmt.Sprint(maps.Clone(h.Packages), " of which ", slices.Sorted(slices.Values(ours)), " are ours")
}

// OfPackages says that an action works with the package manager.
func OfPackages(action plan.Action) bool {
	script, ok := action.(plan.Script)
	return ok && slices.Contains([]templates.Script{templates.ScriptPackagesApt, templates.ScriptPackagesDnf}, script.Name)
}

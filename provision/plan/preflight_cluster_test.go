package plan

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/provision/model/world"
	"fairlead/provision/object"
	"fairlead/templates"
)

// softwareCases are about the software that hosts have already.
func softwareCases() []preflightCase {
	packages := world.All(world.FromRepositories, world.OnlyControlPlane)
	const kubernetes = ", and are not 1.37.2 (remove them, so that fairlead installs its own; or choose the other kubernetes.source)"
	const unproxied = ": kubeadm and the kubelet would ask the API server through the proxy, and wait for minutes" +
		" (name the proxy in the inventory (proxy: {https: …}), which completes NO_PROXY on every host; or add them to NO_PROXY of systemd (DefaultEnvironment in system.conf))"
	proxies := func(https, no string) func(*facts.Host) {
		return func(h *facts.Host) { h.Environment = map[string]string{"HTTPS_PROXY": https, "NO_PROXY": no} }
	}
	networks := func(names ...string) func(*facts.Host) {
		return func(h *facts.Host) { h.NetworkConfigurations = names }
	}
	return []preflightCase{
		{name: "another Kubernetes from packages", edit: world.OnlyControlPlane, host: onDebian("kubelet 1.36.3", "kubeadm 1.36.3"),
			change: versioned("kubelet /usr/bin 1.36.3", "kubeadm /usr/bin 1.36.3"),
			want:   "error cp1 ForeignKubernetes: kubelet 1.36.3 (/usr/bin/kubelet) and kubeadm 1.36.3 (/usr/bin/kubeadm) were installed from packages" + kubernetes},
		{name: "a kubelet from packages", edit: world.OnlyControlPlane, host: onDebian("kubelet 1.37.2"), change: versioned("kubelet /usr/bin 1.37.2"),
			want: "error cp1 ForeignKubernetes: kubelet 1.37.2 (/usr/bin/kubelet) and kubeadm (none) were installed from packages" + kubernetes},
		{name: "the same Kubernetes from packages", edit: world.OnlyControlPlane, host: onDebian("kubelet 1.37.2", "kubeadm 1.37.2"),
			change: versioned("kubelet /usr/bin 1.37.2", "kubeadm /usr/bin 1.37.2")},
		{name: "another Kubernetes by hand", edit: packages, change: versioned("kubelet /opt/bin 1.36.3", "kubeadm /usr/bin 1.37.2"),
			want: "error cp1 ForeignKubernetes: kubelet 1.36.3 (/opt/bin/kubelet) and kubeadm 1.37.2 (/usr/bin/kubeadm) were not installed from packages" + kubernetes},
		{name: "the same Kubernetes by hand", edit: packages, change: versioned("kubelet /opt/bin 1.37.2", "kubeadm /opt/bin 1.37.2")},
		{name: "kind's image without a bundle", edit: packages, host: func(h *facts.Host) { nodeOfKind(h); world.KubernetesOf("/usr/bin", "1.37.2")(h) },
			want: "error cp1 KindPlugins: kind's image has no /opt/cni/bin/bridge, which flannel needs (have a bundle bring it (kubernetes.bundle), put it there, " +
				"or write addons.network: {name: none} and bring kind's own network as a manifest)"},
		{name: "kind's image with a bundle", edit: world.OnlyControlPlane, host: func(h *facts.Host) { nodeOfKind(h); world.KubernetesOf("/usr/bin", "1.37.2")(h) }},
		{name: "a containerd by hand under Docker", edit: world.All(packages, world.WithDocker), change: versioned("containerd /usr/local/bin 2.4.2"),
			want: "error cp1 ForeignRuntime: containerd 2.4.2 (/usr/local/bin/containerd) was not installed from a package, and the package of Docker Engine brings its own (remove that containerd first)"},
		{name: "a unit of containerd by hand under Docker", edit: world.All(packages, world.WithDocker), host: func(h *facts.Host) {
			h.Units[templates.ContainerdService] = facts.Unit{Load: "loaded", Path: "/etc/systemd/system/containerd.service"}
		}, want: "error cp1 ForeignRuntime: containerd (none) was not installed from a package, and the package of Docker Engine brings its own (remove that containerd first)"},
		{name: "a unit of containerd's package under Docker", edit: world.All(packages, world.WithDocker), host: func(h *facts.Host) {
			h.Units[templates.ContainerdService] = facts.Unit{Load: "loaded", Path: "/usr/lib/systemd/system/containerd.service"}
		}},
		{name: "a containerd by hand", edit: packages, change: versioned("containerd /usr/local/bin 2.4.2")},
		{name: "an old containerd of the distribution", edit: packages, host: func(h *facts.Host) { world.Packaged(h, "containerd 1.6.20") }, change: versioned("containerd /usr/bin 1.6.20"),
			want: "error cp1 ContainerdVersion: containerd is 1.6.20, and Kubernetes 1.37 wants containerd 2.2.0, 2.3.0 or newer of that series, or a later one (remove the package containerd, so that fairlead installs containerd.io of Docker's repository (or that of the bundle))"},
		{name: "an old containerd of Docker", edit: packages, host: func(h *facts.Host) { world.Packaged(h, "containerd.io 1.7.28") }, change: versioned("containerd /usr/bin 1.7.28"),
			want: "error cp1 ContainerdVersion: containerd is 1.7.28, and Kubernetes 1.37 wants containerd 2.2.0, 2.3.0 or newer of that series, or a later one (remove it, so that fairlead installs one that fits)"},
		{name: "the oldest containerd", edit: packages, host: func(h *facts.Host) { world.Packaged(h, "containerd.io 2.2.0") }, change: versioned("containerd /usr/bin 2.2.0")},
		{name: "no socket", edit: world.All(world.OnlyControlPlane, world.WithSocket),
			want: "error cp1 CRISocket: there is no socket unix:///run/crio/crio.sock (install and start that container runtime, or correct runtime.criSocket)"},
		{name: "a socket", edit: world.All(world.OnlyControlPlane, world.WithSocket), host: func(h *facts.Host) { h.Sockets["/run/crio/crio.sock"] = true }},
		{name: "a daemon.json with a mistake", edit: world.All(packages, world.WithDocker, world.WithRegistries), host: world.DaemonJSON("{\n  \"a\": 1,\n}\n"),
			want: "error cp1 DaemonJSON: /etc/docker/daemon.json:3:1: invalid character '}' looking for beginning of object key string (correct it: fairlead only adds to what is there)"},
		{name: "a daemon.json that nobody changes", edit: world.All(packages, world.WithDocker), host: world.DaemonJSON("{")},
		{name: "packages of an unknown system", edit: packages, host: func(h *facts.Host) { h.OS = facts.OS{ID: "void", Name: "Void Linux"} },
			want: "error cp1 OS: Void Linux (ID=void) is not supported (supported are Debian, Ubuntu and the RHEL family; ignorePreflight: [OS] if you know that it works)\n" +
				"error cp1 Packages: it is not known how packages are got on Void Linux (ID=void) (use a bundle)"},
		{name: "Docker on an unknown system without a name", edit: world.All(world.OnlyControlPlane, world.WithDocker), host: func(h *facts.Host) { h.OS = facts.OS{ID: "void"} },
			want: "error cp1 OS: this operating system (ID=void) is not supported (supported are Debian, Ubuntu and the RHEL family; ignorePreflight: [OS] if you know that it works)\n" +
				"error cp1 Packages: it is not known how packages are got on this operating system (ID=void) (use a bundle, with its own containerd: runtime.name: containerd)"},
		{name: "a proxy of the host", edit: world.OnlyControlPlane, host: proxies("http://user:secret@proxy.lab:3128", "10.0.0.0/8"),
			want: "error cp1 Proxy: services of the host get HTTPS_PROXY=http://proxy.lab:3128 from systemd, and NO_PROXY lacks 192.0.2.11" + unproxied},
		{name: "a NO_PROXY with quotation marks", host: func(h *facts.Host) {
			h.Environment = map[string]string{"HTTPS_PROXY": "http://proxy.lab:3128", "NO_PROXY": `"localhost,192.0.2.0/24,10.96.0.0/12"`}
		}, want: "error cp1 Proxy: NO_PROXY of the environment that systemd gives services has quotation marks in its value: programs take them for a part of it, and do not know what it names " +
			"(write it without quotation marks within the value (DefaultEnvironment in system.conf, systemctl set-environment), and systemctl daemon-reexec; or name the proxy in the inventory (proxy: {https: …}))"},
		{name: "a NO_PROXY with quotation marks, and no proxy", host: func(h *facts.Host) { h.Environment = map[string]string{"NO_PROXY": `"localhost"`} }},
		{name: "a proxy of the host without a scheme", edit: world.OnlyControlPlane, host: proxies("192.0.2.9:3128", "192.0.2.11"),
			want: "error cp1 Proxy: services of the host get HTTPS_PROXY=http://192.0.2.9:3128 from systemd, and NO_PROXY lacks 10.96.0.1" + unproxied},
		{name: "a proxy of the host with a password and no scheme", edit: world.OnlyControlPlane, host: proxies("user:secret@proxy.lab:3128", "192.0.2.11"),
			want: "error cp1 Proxy: services of the host get HTTPS_PROXY=http://proxy.lab:3128 from systemd, and NO_PROXY lacks 10.96.0.1" + unproxied},
		{name: "a proxy of the host that nobody needs", edit: world.OnlyControlPlane, host: proxies("http://proxy.lab:3128", "10.0.0.0/8,192.0.2.11")},
		{name: "another pod network", on: "w1", host: networks(flannelConfiguration, "87-podman-bridge.conflist"),
			want: "error w1 Network: another pod network is configured: /etc/cni/net.d/87-podman-bridge.conflist (addons.network.name: none, if the cluster has that network; else remove the file)"},
		{name: "flannel's own configuration", on: "w1", host: networks(flannelConfiguration)},
		{name: "the cluster has another pod network", edit: func(c *inventory.Cluster) { c.Addons.Network.Name = inventory.NetworkNone }, host: networks("10-calico.conflist")},
	}
}

// onDebian is a host of Debian with packages that the user has installed.
func onDebian(packages ...string) func(*facts.Host) {
	return func(h *facts.Host) {
		h.OS = facts.OS{ID: "debian", Name: "Debian", Codename: "bookworm"}
		world.Packaged(h, packages...)
	}
}

// versioned says which programs cp1 has, and nothing else.
func versioned(has ...string) func(*facts.Facts) {
	return func(f *facts.Facts) {
		world.ChangeHost(*f, "cp1", func(h *facts.Host) {
			h.Versions = map[string]facts.Version{}
			world.Programs(h, has...)
		})
	}
}

// imageCases are about images that cannot be had.
func imageCases(t *testing.T) []preflightCase {
	t.Helper()
	suspicious := func(text string) func(*inventory.Cluster) {
		path := filepath.Join(t.TempDir(), "app.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return func(c *inventory.Cluster) { c.Addons.Manifests = []inventory.Manifest{{Name: "app", Path: path}} }
	}
	const pause = "registry.lab:5000/k8s/pause:3.10.2"
	problem := func(whole bool, kind facts.Kind, text string) func(*facts.Facts) {
		return func(f *facts.Facts) {
			f.ImageProblems = []facts.ImageProblem{{Host: "w1", Image: pause, Registry: "registry.lab:5000", Whole: whole, Err: &facts.Problem{Kind: kind, Text: text}}}
		}
	}
	rewrite := func(from, to string) func(*inventory.Cluster) {
		return func(c *inventory.Cluster) { c.Images.Rewrite = []inventory.RewriteRule{{From: from, To: to}} }
	}
	const asked = "error w1 Images: images cannot be had from registry.lab:5000 (asked for registry.lab:5000/k8s/pause:3.10.2): "
	const oneTarget = " (name one target for registry.k8s.io in images.rewrite, and others only for etcd and coredns)"
	return []preflightCase{
		{name: "a registry that cannot be reached", change: problem(true, facts.RegistryUnreachable, "registry is unreachable"),
			want: asked + "registry is unreachable (let the host reach it (address, port, firewall, proxy), or correct images.registries)"},
		{name: "a registry that nobody trusts", change: problem(true, facts.RegistryCertificate, "registry's certificate is not trusted"),
			want: asked + "registry's certificate is not trusted (give its CA in images.registries[].ca, or plainHTTP: true if it has no TLS)"},
		{name: "a registry that denies access", change: problem(true, facts.RegistryCredentials, "registry denies access"),
			want: asked + "registry denies access (correct user and password in images.registries)"},
		{name: "a registry with another fault", change: problem(true, facts.ImageUnknown, "status 500"), want: asked + "status 500 ()"},
		{name: "an image that is not in the registry", change: problem(false, facts.ImageMissing, "not in the registry"),
			want: "error w1 Images: image registry.lab:5000/k8s/pause:3.10.2 cannot be had: not in the registry (fairlead images mirror --to registry.lab:5000 copies what is missing; or correct images.rewrite)"},
		{name: "two repositories for kubeadm", edit: world.All(world.FromRepositories, world.WithoutBundle, rewrite("registry.k8s.io/kube-proxy", "registry.lab:5000/other/kube-proxy")),
			want: "error all Images: images.rewrite puts kube-proxy into registry.lab:5000/other and kube-apiserver into registry.k8s.io: kubeadm takes them from one repository" + oneTarget},
		{name: "another name for kubeadm", edit: rewrite("registry.k8s.io/kube-proxy", "registry.lab:5000/k8s/proxy"),
			want: "error all Images: images.rewrite makes registry.lab:5000/k8s/proxy:v1.37.2 of registry.k8s.io/kube-proxy:v1.37.2: kubeadm wants its images under their own last names" + oneTarget},
		{name: "another repository for etcd", edit: rewrite("registry.k8s.io/etcd", "registry.lab:5000/other/etcd")},
		{name: "another repository for coredns", edit: rewrite("registry.k8s.io/coredns", "registry.lab:5000/other")},
		{name: "an argument that looks like an image", edit: suspicious("apiVersion: v1\nkind: Pod\nmetadata: {name: x, namespace: app}\nspec:\n  containers:\n  - name: x\n    image: quay.io/x/y:1\n    args: [--sidecar=quay.io/x/sidecar:1]\n"),
			want: "warning all Images: the manifest app, line 8: Pod app/x: spec.containers[0].args[0]: quay.io/x/sidecar:1 looks like an image and keeps its name (name it in images.extra to have it renamed)"},
		{name: "a field that looks like an image", edit: suspicious("apiVersion: lab.example/v1\nkind: Thing\nmetadata: {name: x, namespace: app}\nspec:\n  image: quay.io/x/y:1\n"),
			want: "warning all Images: the manifest app, line 5: Thing app/x: spec.image: quay.io/x/y:1 looks like an image and keeps its name (name it in images.extra to have it renamed)"},
	}
}

// portCases are about workloads on the ports of their hosts.
func portCases(t *testing.T) []preflightCase {
	t.Helper()
	workload := func(kind, name, placing string, port int) string {
		return fmt.Sprintf("---\napiVersion: apps/v1\nkind: %s\nmetadata: {name: %s, namespace: app}\nspec:\n  template:\n    spec:\n      %s\n"+
			"      containers: [{name: c, image: a.b/c:1, ports: [{containerPort: %d}]}]\n", kind, name, placing, port)
	}
	manifest := func(hostNetwork bool, texts ...string) func(*inventory.Cluster) {
		path := filepath.Join(t.TempDir(), "app.yaml")
		if err := os.WriteFile(path, []byte(strings.Join(texts, "")), 0o600); err != nil {
			t.Fatal(err)
		}
		return func(c *inventory.Cluster) {
			c.Addons.Manifests = []inventory.Manifest{{Name: "app", Path: path, HostNetwork: hostNetwork}}
		}
	}
	ingress := func(c *inventory.Cluster) { c.Addons.Ingress = &inventory.Ingress{HostNetwork: true} }
	const mend = " (give one of them another port, place them on different hosts, or take one of them out of the host's network)"
	anywhere := "nodeSelector: {}"
	return []preflightCase{
		{name: "two Deployments on one port of their hosts", edit: manifest(true, workload("Deployment", "a", anywhere, 80), workload("Deployment", "b", anywhere, 80)),
			want: "warning all HostPorts: Deployment app/a of the manifest app and Deployment app/b of the manifest app both take port 80/TCP of their hosts" + mend},
		{name: "a DaemonSet leaves no port to others", edit: manifest(true, workload("DaemonSet", "a", anywhere, 80), workload("Deployment", "b", anywhere, 80)),
			want: "error all HostPorts: DaemonSet app/a of the manifest app and Deployment app/b of the manifest app both take port 80/TCP of their hosts" + mend},
		{name: "the ingress controller has the port", edit: world.All(ingress, manifest(true, workload("DaemonSet", "a", anywhere, 443))),
			want: "error all HostPorts: DaemonSet ingress/traefik of the ingress controller  and DaemonSet app/a of the manifest app both take port 443/TCP of their hosts" + mend},
		{name: "other ports", edit: manifest(true, workload("DaemonSet", "a", anywhere, 80), workload("DaemonSet", "b", anywhere, 81))},
		{name: "other hosts", edit: manifest(true, workload("DaemonSet", "a", "nodeSelector: {arch: x}", 80), workload("DaemonSet", "b", "nodeSelector: {arch: y}", 80))},
		{name: "hosts that affinities may keep apart", edit: manifest(true, workload("DaemonSet", "a", "affinity: {nodeAffinity: {}}", 80), workload("DaemonSet", "b", anywhere, 80)),
			want: "warning all HostPorts: DaemonSet app/a of the manifest app and DaemonSet app/b of the manifest app both take port 80/TCP of their hosts" + mend},
		{name: "not on their hosts", edit: manifest(false, workload("DaemonSet", "a", anywhere, 80), workload("DaemonSet", "b", anywhere, 80))},
	}
}

// memberCases are about members of a cluster: of this one, or of another.
func memberCases(t *testing.T) []preflightCase {
	t.Helper()
	const foreign = " ForeignCluster: the host belongs to another cluster: its /etc/kubernetes/pki/ca.crt is not this cluster's (correct the host's address; or, if that cluster is no longer wanted on it: "
	byHand := func(name string) string {
		return "kubeadm reset --force as root on " + name + ", where fairlead has made nothing and would undo nothing)"
	}
	made := func(pem, cluster string) func(*facts.Host) {
		return func(h *facts.Host) {
			h.Kubeconfigs["kubelet.conf"], h.KubeletConfig, h.CA = true, true, []byte(pem)
			h.Ledger = []ledger.Entry{{Kind: ledger.Tree, Key: "/etc/kubernetes", Was: "absent"}}
			world.Claimed(h, cluster)
		}
	}
	ca := func(pem string) func(*facts.Host) {
		return func(h *facts.Host) { h.CA = []byte(pem) }
	}
	joined := func(pem string) func(*facts.Host) {
		return func(h *facts.Host) { h.Kubeconfigs["kubelet.conf"], h.KubeletConfig, h.CA = true, true, []byte(pem) }
	}
	member := func(node string) func(*facts.Host) {
		return func(h *facts.Host) {
			h.Certificates = append(h.Certificates, facts.Certificate{Path: templates.KubeletClientCertificate, Subject: "CN=system:node:" + node + ",O=system:nodes"})
		}
	}
	ready := func(is bool) func(*facts.Facts) {
		return func(f *facts.Facts) {
			world.ChangeNode(*f, "w1", func(n *object.Node) { n.Ready = is })
			world.ChangeHost(*f, "w1", func(h *facts.Host) { *h = world.FreshHost(world.Host("w1", "192.0.2.21", inventory.RoleWorker)) })
		}
	}
	cases := []preflightCase{
		{name: "a worker of another cluster", living: true, on: "w1", host: ca(world.ForeignCA), want: "error w1" + foreign + byHand("w1")},
		{name: "a worker that fairlead made one of another cluster", living: true, on: "w1", host: made(world.ForeignCA, "prod"), want: "error w1" + foreign + "fairlead reset w1 --foreign)"},
		{name: "a control plane of another cluster", living: true, edit: world.ThreeControlPlanes, on: "cp3", host: ca(world.ForeignCA), want: "error cp3" + foreign + byHand("cp3")},
		{name: "a worker whose CA was issued again", living: true, on: "w1", host: ca(world.RenewedCA)},
		{name: "a worker without a CA", living: true, on: "w1", host: func(h *facts.Host) { h.CA = nil }},
		{name: "a worker with a CA that cannot be read", living: true, on: "w1", host: ca("-----BEGIN CERTIFICATE-----\n")},
		{name: "a member where there is no cluster", on: "w1", host: joined(world.ForeignCA), want: "error w1" + foreign + byHand("w1")},
		{name: "a member whose control plane was reset", on: "w1", host: made(world.CA, "lab"), want: "error w1" + foreign + "fairlead reset w1)"},
		{name: "a member by another name", living: true, on: "w1", host: member("ip-192-0-2-21.lab.example"), change: func(f *facts.Facts) { delete(f.API.Nodes, "w1") },
			want: "error w1 NodeName: the host is in the cluster as node ip-192-0-2-21.lab.example, and the inventory calls its node w1 (write nodeName: ip-192-0-2-21.lab.example beside the host's name in the inventory)", firm: true},
		{name: "a control plane by another name", living: true, host: member("master"), change: func(f *facts.Facts) { delete(f.API.Nodes, "cp1") },
			want: "error cp1 NodeName: the host is in the cluster as node master, and the inventory calls its node cp1 (write nodeName: master beside the host's name in the inventory)", firm: true},
		{name: "a member by its own name", living: true, on: "w1", host: member("w1")},
		{name: "a member by the name that the inventory has", living: true, on: "w1", host: member("ip-192-0-2-21"), edit: func(c *inventory.Cluster) { c.Workers[0].Node = "ip-192-0-2-21" }},
		{name: "a host with the certificate of a node that it no longer is", on: "w1", host: member("old")},
		{name: "a CA where there is no cluster", on: "w1", host: ca(world.ForeignCA)},
		{name: "a cluster whose CA is not known", living: true, on: "w1", host: ca(world.ForeignCA), change: func(f *facts.Facts) {
			world.ChangeHost(*f, "cp1", func(h *facts.Host) { h.CA = nil })
		}},
		{name: "another machine of that name", living: true, change: ready(true),
			want: "error w1 DuplicateNode: the cluster has a Ready node of this name that is another machine (give the host another name, or remove that node first; if it is this host, emptied or replaced a moment ago, run the same command again in a minute)"},
		{name: "a machine of that name that is gone", living: true, change: ready(false)},
		{name: "a member that lost its kubeconfig", living: true, on: "w1", host: func(h *facts.Host) { delete(h.Kubeconfigs, "kubelet.conf") }},
		{name: "a cordoned node", living: true, change: func(f *facts.Facts) { world.ChangeNode(*f, "w1", func(n *object.Node) { n.Unschedulable = true }) },
			want: "warning w1 Cordoned: the node is cordoned (kubectl uncordon w1 when it may take pods again)"},
		{name: "a cordoned control plane", living: true, change: func(f *facts.Facts) { world.ChangeNode(*f, "cp1", func(n *object.Node) { n.Unschedulable = true }) },
			want: "warning cp1 Cordoned: the node is cordoned (kubectl uncordon cp1 when it may take pods again)"},
		{name: "a kubeconfig that names no server", living: true, on: "w1", host: noServer,
			want: "warning w1 Endpoint: /etc/kubernetes/kubelet.conf names no server, or several: it stays as it is (have it name https://192.0.2.11:6443)"},
		{name: "an endpoint of nobody", living: true, edit: derivedEndpoint, change: clusterHas(t, "192.0.2.99:6443", "controlPlaneEndpoint"),
			want: "warning all Endpoint: the cluster's control plane endpoint is 192.0.2.99:6443, which the inventory does not name (write endpoint: 192.0.2.99:6443 below controlPlane, or the one that it is to become)"},
		{name: "an endpoint of a host that leaves", living: true, edit: world.All(derivedEndpoint, func(c *inventory.Cluster) { c.IgnorePreflight = []string{unknownNode} }), change: endpointOfNode(t),
			want: "error cp0 EndpointLeaves: the control plane endpoint is 192.0.2.99:6443, the address of cp0, which leaves: nobody would answer there (give controlPlane.endpoint, a name or an address that the control planes share (or controlPlane.loadBalancer), and run fairlead up while that host is still there; or give a name or an address that leads to another control plane by now)"},
		{name: "a host that was removed and has woken", living: true, on: "w1", host: made(world.CA, "lab"), change: removed("w1"),
			want: "error w1 Removed: the host was removed from the cluster at 2026-11-30 12:00:00 UTC while it could not be reached, and still has what it had (fairlead reset w1, then fairlead up, if it is to be in the cluster again; or take it out of the inventory)"},
		{name: "another name of a machine that was removed", living: true, on: "w1", host: func(h *facts.Host) { made(world.CA, "lab")(h); h.MachineID = "id-of-w7" }, change: removed("w7"),
			want: "error w1 Removed: the host was removed from the cluster at 2026-11-30 12:00:00 UTC while it could not be reached, and still has what it had (fairlead reset w1, then fairlead up, if it is to be in the cluster again; or take it out of the inventory)"},
		{name: "a host that was removed and reset", living: true, on: "w1", host: func(h *facts.Host) { *h = world.FreshHost(world.Host("w1", "192.0.2.21", inventory.RoleWorker)) }, change: func(f *facts.Facts) {
			removed("w1")(f)
			delete(f.API.Nodes, "w1")
		}},
		{name: "a node that was removed and has come back", living: true, change: func(f *facts.Facts) { removed("w7")(f); stranger(f) },
			want: "warning all Removed: node w7 was removed at 2026-11-30 12:00:00 UTC, and has come back: its machine has woken with what it had (put its host into the inventory again and reset it: fairlead reset w7; or switch the machine off, and: fairlead remove w7 --unreachable)"},
		{name: "a control plane whose etcd has lost its data", living: true, edit: world.ThreeControlPlanes, on: "cp3", host: func(h *facts.Host) { delete(h.NotEmpty, etcdFolder) }, change: silent("cp3"),
			want: "error cp3 EtcdData: the host's etcd has lost its data in /var/lib/etcd, and cannot go on as the member that it was (have it leave and join anew: fairlead remove cp3 --force-drain 1m, then fairlead join cp3 with its address and --control-plane)"},
		{name: "one whose etcd began anew with nothing", living: true, edit: world.ThreeControlPlanes, on: "cp3", host: func(h *facts.Host) { h.EtcdUnbegun = true }, change: silent("cp3"),
			want: "error cp3 EtcdData: the host's etcd has lost its data in /var/lib/etcd, and cannot go on as the member that it was (have it leave and join anew: fairlead remove cp3 --force-drain 1m, then fairlead join cp3 with its address and --control-plane)"},
		{name: "one that is heard", living: true, edit: world.ThreeControlPlanes, on: "cp3", host: func(h *facts.Host) { h.EtcdUnbegun = true }},
		{name: "a control plane that is silent", living: true, edit: world.ThreeControlPlanes, on: "cp3", host: func(h *facts.Host) { h.NotEmpty = map[string]bool{etcdFolder: true} }, change: silent("cp3")},
		{name: "a setting that is fixed", living: true, edit: world.Config(templates.KindCluster, map[string]any{"networking": map[string]any{"dnsDomain": "lab.example"}}), change: clusterHas(t, "cluster.local", "networking", "dnsDomain"),
			want: `error all Settings: networking.dnsDomain is "cluster.local", want "lab.example", and it is fixed when a cluster is made (put back the value that the cluster has; or reset the cluster and make it anew)`},
	}
	for i := range cases {
		cases[i].firm = true
	}
	return append(cases, preflightCase{name: "a worker of a cluster of another name", living: true, on: "w1", host: made(world.CA, "prod"), want: "error w1 ClusterName: fairlead has made the host one of cluster prod, says /var/lib/fairlead/cluster, and the inventory is of cluster lab (correct the host's address, or the inventory's name; if the cluster got another name, run up once with ignorePreflight: [ClusterName])"})
}

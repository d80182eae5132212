package templates

// ownedFields maps kind and dotted path to the reason why an override may not
// set the field: fairlead computes it, or relies on its value, and the inventory
// has another key for what the user may want.
func ownedFields() map[string]map[string]string {
	const (
		name   = "fairlead sets this from the name of the host's node: use hosts[].nodeName"
		socket = "fairlead sets this from the runtime: use runtime.name"
		taints = "fairlead manages taints: use controlPlane.schedulable and hosts[].taints"
		token  = "fairlead makes a short-lived token for each run; it cannot be set"
		certs  = "fairlead hands the certificates over itself; there is no certificate key"
		pki    = "fairlead relies on kubeadm's default folder /etc/kubernetes/pki"
		dryRun = "fairlead shows what it would do by itself: use `fairlead plan`"
		cgroup = "fairlead configures the container runtime for the systemd cgroup driver"
	)
	return map[string]map[string]string{
		KindInit: {
			"bootstrapTokens":                   token,
			"certificateKey":                    certs,
			"dryRun":                            dryRun,
			"localAPIEndpoint.advertiseAddress": "fairlead sets this from the host's address: use controlPlane.hosts[].address",
			"localAPIEndpoint.bindPort":         "fairlead's API servers listen on 6443; use controlPlane.endpoint for a load balancer's port",
			"nodeRegistration.criSocket":        socket,
			"nodeRegistration.name":             name,
			"nodeRegistration.taints":           taints,
		},
		KindCluster: {
			"certificatesDir":          pki,
			"clusterName":              "fairlead sets this from the cluster's name: use name",
			"controlPlaneEndpoint":     "use controlPlane.endpoint",
			"etcd.external":            "fairlead runs etcd on the control planes",
			"etcd.local.dataDir":       "fairlead records and resets etcd's data in /var/lib/etcd: mount another disk there",
			"kubernetesVersion":        "use kubernetes.version",
			"networking.podSubnet":     "use kubernetes.podSubnet",
			"networking.serviceSubnet": "use kubernetes.serviceSubnet",
		},
		KindJoin: {
			"caCertPath":                 pki,
			"controlPlane":               "fairlead sets this from the inventory: use controlPlane.hosts or workers.hosts",
			"discovery":                  token + ", and the CA is always pinned",
			"dryRun":                     dryRun,
			"nodeRegistration.criSocket": socket,
			"nodeRegistration.name":      name,
			"nodeRegistration.taints":    taints,
		},
		KindKubelet: {
			"cgroupDriver":             cgroup,
			"containerRuntimeEndpoint": socket,
			"staticPodPath":            "kubeadm's static pods are in /etc/kubernetes/manifests",
		},
		KindKubeProxy: {
			"clusterCIDR": "use kubernetes.podSubnet",
		},
	}
}

// ownedKubeletArgs maps the name of a kubelet flag to the reason why
// kubeletExtraArgs may not hold it.
func ownedKubeletArgs() map[string]string {
	return map[string]string{
		"hostname-override":    "fairlead sets --hostname-override from the name of the host's node: use hosts[].nodeName",
		"node-ip":              "fairlead sets --node-ip from the host's address: use hosts[].address, which takes one of each IP family",
		"register-with-taints": "fairlead manages taints: use hosts[].taints",
	}
}

package plan

import (
	"slices"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/templates"
)

// clusterHas makes the cluster keep a field of ClusterConfiguration.
func clusterHas(t *testing.T, value any, path ...string) func(*facts.Facts) {
	t.Helper()
	return func(f *facts.Facts) {
		fields, err := templates.ReadSettings(templates.KindCluster, []byte(f.API.Settings[templates.KindCluster]))
		if err != nil {
			t.Fatal(err)
		}
		at := fields
		for _, name := range path[:len(path)-1] {
			next, _ := at[name].(templates.Fields)
			if next == nil {
				next = templates.Fields{}
				at[name] = next
			}
			at = next
		}
		at[path[len(path)-1]] = value
		text, err := templates.SettingsDocument(templates.KindCluster, fields)
		if err != nil {
			t.Fatal(err)
		}
		f.API.Settings[templates.KindCluster] = string(text)
	}
}

// What docs/settings.md says that a living cluster cannot take is a finding that has both values,
// and none of the settings is changed, not even those that could be.
func TestFixedSettings(t *testing.T) {
	cluster := func(fields map[string]any) func(*inventory.Cluster) {
		return world.Config(templates.KindCluster, fields)
	}
	const anew = ", and it is fixed when a cluster is made"
	for _, c := range []struct {
		name   string
		edit   func(*inventory.Cluster)
		change func(*facts.Facts)
		want   string
	}{
		{name: "pod subnet", edit: func(c *inventory.Cluster) { c.Kubernetes.PodSubnet = world.Subnets("10.0.0.0/16") },
			want: `networking.podSubnet is "10.244.0.0/16", want "10.0.0.0/16"` + anew},
		{name: "service subnet", edit: func(c *inventory.Cluster) { c.Kubernetes.ServiceSubnet = world.Subnets("10.1.0.0/16") },
			want: `networking.serviceSubnet is "10.96.0.0/12", want "10.1.0.0/16"` + anew},
		{name: "a second IP family", edit: world.DualStack, change: func(f *facts.Facts) {
			for _, name := range []string{"cp1", "w1", "w2"} {
				world.ChangeHost(*f, name, address("eth0", map[string]string{"cp1": "2001:db8::11/64", "w1": "2001:db8::21/64", "w2": "2001:db8::22/64"}[name]))
			}
		},
			want: `networking.podSubnet is "10.244.0.0/16", want "10.244.0.0/16,fd00:10:244::/56"` + anew + `|networking.serviceSubnet is "10.96.0.0/12", want "10.96.0.0/12,fd00:10:96::/112"` + anew},
		{name: "DNS domain", edit: cluster(map[string]any{"networking": map[string]any{"dnsDomain": "lab.example"}}),
			change: clusterHas(t, "cluster.local", "networking", "dnsDomain"),
			want:   `networking.dnsDomain is "cluster.local", want "lab.example"` + anew},
		{name: "etcd's data folder", edit: cluster(map[string]any{"etcd": map[string]any{"local": map[string]any{"dataDir": "/srv/etcd"}}}),
			change: clusterHas(t, "/var/lib/etcd", "etcd", "local", "dataDir"),
			want:   `etcd.local.dataDir is "/var/lib/etcd", want "/srv/etcd"` + anew},
		{name: "the certificates' folder", edit: cluster(map[string]any{"certificatesDir": "/srv/pki"}),
			change: clusterHas(t, "/etc/kubernetes/pki", "certificatesDir"),
			want:   `certificatesDir is "/etc/kubernetes/pki", want "/srv/pki"` + anew},
		{name: "a field that the cluster does not have yet", edit: cluster(map[string]any{"networking": map[string]any{"dnsDomain": "cluster.local"}})},
	} {
		t.Run(c.name, func(t *testing.T) {
			takes := world.Config(templates.KindKubelet, map[string]any{"maxPods": 200})
			wish := world.State(t, world.All(c.edit, takes))
			facts := world.Converged(t, world.State(t, nil))
			if c.change != nil {
				c.change(&facts)
			}
			plan := Make(wish, facts)
			var found []string
			for _, f := range plan.Errors() {
				found = append(found, f.Name+": "+f.Message)
			}
			var want []string
			if c.want != "" {
				for each := range strings.SplitSeq(c.want, "|") {
					want = append(want, "Settings: "+each)
				}
			}
			if !slices.Equal(found, want) {
				t.Errorf("found %q, want %q", found, want)
			}
			changes := slices.ContainsFunc(plan.Steps, func(s Step) bool { return settles(s) || s.Stage == StageRecord })
			if changes != (c.want == "") {
				t.Errorf("settings change: %v\n%s", changes, Show(plan))
			}
		})
	}
}

// ruleOf finds what is made from a field, and takes none for another that begins alike.
func TestSettingRules(t *testing.T) {
	everything := "etcd kube-apiserver kube-controller-manager kube-scheduler"
	for path, want := range map[string]string{
		"apiServer.extraArgs[v]":                 "kube-apiserver",
		"apiServer":                              "kube-apiserver",
		"apiServer.certSANs":                     "",
		"apiServer.certSANs[api.lab.example]":    "",
		"apiServer.certSANsOfOthers":             "kube-apiserver",
		"apiServer.timeoutForControlPlane":       "",
		"apiServers.extraArgs":                   "",
		"controllerManager.extraVolumes[x].name": "kube-controller-manager",
		"scheduler.extraEnvs[x]":                 "kube-scheduler",
		"etcd.local.extraArgs[v]":                "etcd",
		"etcd.local.imageRepository":             "etcd",
		"etcd.local.dataDir":                     "fixed",
		"etcd.local.dataDirs":                    "etcd",
		"imageRepository":                        everything + " + coredns kube-proxy",
		"imageRepositoryOfOthers":                "",
		"featureGates.X":                         everything,
		"featureGates[X]":                        everything,
		"dns.imageTag":                           "+ coredns",
		"proxy.disabled":                         "+ kube-proxy",
		"networking.podSubnet":                   "fixed",
		"networking.serviceSubnet":               "fixed",
		"networking.dnsDomain":                   "fixed",
		"controlPlaneEndpoint":                   "",
		"certificatesDir":                        "fixed",
		"encryptionAlgorithm":                    "",
		"caCertificateValidityPeriod":            "",
	} {
		rule := ruleOf(templates.SettingChange{Path: path})
		got := strings.Join(rule.components, " ")
		if len(rule.addons) > 0 {
			got = strings.TrimSpace(got + " + " + strings.Join(rule.addons, " "))
		}
		if rule.fixed != "" {
			got = strings.TrimSpace(got + "fixed")
		}
		if got != want {
			t.Errorf("%s makes %q, want %q", path, got, want)
		}
	}
}

package templates

import (
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"
)

// checkCase is one set of overrides and what is wrong with it, each problem as
// the beginning of "path: message".
type checkCase struct {
	name, in string
	want     []string
}

func (tt checkCase) run(t *testing.T) {
	t.Run(tt.name, func(t *testing.T) {
		checkProblems(t, CheckOverrides(decodeOverrides(t, tt.in)), tt.want)
	})
}

func TestCheckOverridesNames(t *testing.T) {
	for _, tt := range []checkCase{
		{"nothing", ``, nil},
		{"everything merged", overridesYAML, nil},
		{"empty kind", `KubeletConfiguration:`, nil},
		{"unknown kind", `KubletConfiguration: {}`, []string{
			"KubletConfiguration: unknown kind (did you mean KubeletConfiguration?); known are InitConfiguration, "}},
		{"kind that is not written", `ResetConfiguration: {}`, []string{"ResetConfiguration: unknown kind"}},
		{"apiVersion and kind", `{ClusterConfiguration: {apiVersion: kubeadm.k8s.io/v1beta3, kind: InitConfiguration}}`, []string{
			"ClusterConfiguration.apiVersion: must be kubeadm.k8s.io/v1beta4", "ClusterConfiguration.kind: must be ClusterConfiguration"}},
		{"all unknown fields, with their paths", `
KubeletConfiguration: {maxpods: 1, evictionhard: {}, authentication: {x509: {clientCaFile: a}}, zzz: 1}
ClusterConfiguration: {controllerManager: {extraArg: []}, etcd: {local: {datadir: /x}}}`, []string{
			"ClusterConfiguration.controllerManager.extraArg: unknown field (did you mean extraArgs?)",
			"ClusterConfiguration.etcd.local.datadir: unknown field (did you mean dataDir?)",
			"KubeletConfiguration.authentication.x509.clientCaFile: unknown field (did you mean clientCAFile?)",
			"KubeletConfiguration.evictionhard: unknown field (did you mean evictionHard?)",
			"KubeletConfiguration.maxpods: unknown field (did you mean maxPods?)",
			"KubeletConfiguration.zzz: unknown field"}},
		{"field of another kind", `ClusterConfiguration: {maxPods: 1}`, []string{
			"ClusterConfiguration.maxPods: unknown field; it is a field of KubeletConfiguration"}},
	} {
		tt.run(t)
	}
}

func TestCheckOverridesTypes(t *testing.T) {
	for _, tt := range []checkCase{
		{"wrong types", `
KubeletConfiguration:
  maxPods: "200"
  failCgroupV1: "no"
  evictionHard: {memory.available: 100, nodefs.available: 5%}
  evictionSoft: [a]
  syncFrequency: 10
  nodeStatusUpdateFrequency: ten
  allowedUnsafeSysctls: net.*
  authentication: true
  oomScoreAdj: 3000000000
  registryPullQPS: 1.5
  readOnlyPort: {}
  reservedMemory: [{numaNode: 0, limits: {memory: lots}}]
  logging: {verbosity: -1, flushFrequency: 5s, options: {json: {infoBufferSize: 1Mi}}}`, []string{
			`KubeletConfiguration.allowedUnsafeSysctls: must be a list, not the string "net.*"`,
			"KubeletConfiguration.authentication: must be a map, not true",
			"KubeletConfiguration.evictionHard.memory.available: must be a string, not the number 100; put it in quotes",
			"KubeletConfiguration.evictionSoft: must be a map, not a list",
			`KubeletConfiguration.failCgroupV1: must be true or false, not the string "no"`,
			"KubeletConfiguration.logging.verbosity: must be a whole number of 32 bits, 0 or more, not the number -1",
			`KubeletConfiguration.maxPods: must be a whole number of 32 bits, not the string "200"`,
			`KubeletConfiguration.nodeStatusUpdateFrequency: must be a duration such as 30s or 5m, not the string "ten"`,
			"KubeletConfiguration.oomScoreAdj: must be a whole number of 32 bits, not the number 3e+09",
			"KubeletConfiguration.readOnlyPort: must be a whole number of 32 bits, not a map",
			"KubeletConfiguration.registryPullQPS: must be a whole number of 32 bits, not the number 1.5",
			"KubeletConfiguration.reservedMemory.0.limits.memory: cannot be read: ",
			"KubeletConfiguration.syncFrequency: must be a duration such as 30s or 5m, not the number 10"}},
		{"lists of arguments", `
ClusterConfiguration:
  apiServer: {extraArgs: {v: "2"}}
  scheduler: {extraArgs: [{name: v, value: 2}, null, {nam: v}]}`, []string{
			"ClusterConfiguration.apiServer.extraArgs: must be a list, not a map",
			"ClusterConfiguration.scheduler.extraArgs.0.value: must be a string, not the number 2; put it in quotes",
			"ClusterConfiguration.scheduler.extraArgs.1: the list element is empty",
			"ClusterConfiguration.scheduler.extraArgs.2.nam: unknown field (did you mean name?)"}},
	} {
		tt.run(t)
	}
}

func TestCheckOverridesOwned(t *testing.T) {
	for _, tt := range []checkCase{
		{"owned fields", `
InitConfiguration: {bootstrapTokens: [], certificateKey: x, nodeRegistration: {name: a, taints: [], kubeletExtraArgs: [{name: node-ip, value: 192.0.2.1}]}, localAPIEndpoint: {advertiseAddress: 192.0.2.1, bindPort: 1}}
ClusterConfiguration: {kubernetesVersion: null, controlPlaneEndpoint: a, clusterName: a, networking: {podSubnet: a, serviceSubnet: b, dnsDomain: c.example}}
JoinConfiguration: {discovery: {file: {}}, controlPlane: {}, nodeRegistration: {criSocket: a}}
KubeletConfiguration: {cgroupDriver: cgroupfs}
KubeProxyConfiguration: {clusterCIDR: 10.0.0.0/8}`, []string{
			"ClusterConfiguration.clusterName: fairlead sets this from the cluster's name: use name",
			"ClusterConfiguration.controlPlaneEndpoint: use controlPlane.endpoint",
			"ClusterConfiguration.kubernetesVersion: use kubernetes.version",
			"ClusterConfiguration.networking.podSubnet: use kubernetes.podSubnet",
			"ClusterConfiguration.networking.serviceSubnet: use kubernetes.serviceSubnet",
			"InitConfiguration.bootstrapTokens: fairlead makes a short-lived token",
			"InitConfiguration.certificateKey: fairlead hands the certificates over itself",
			"InitConfiguration.localAPIEndpoint.advertiseAddress: ",
			"InitConfiguration.localAPIEndpoint.bindPort: ",
			"InitConfiguration.nodeRegistration.kubeletExtraArgs.0: fairlead sets --node-ip",
			"InitConfiguration.nodeRegistration.name: fairlead sets this from the name of the host's node: use hosts[].nodeName",
			"InitConfiguration.nodeRegistration.taints: fairlead manages taints",
			"JoinConfiguration.controlPlane: ",
			"JoinConfiguration.discovery: ",
			"JoinConfiguration.nodeRegistration.criSocket: fairlead sets this from the runtime: use runtime.name",
			"KubeProxyConfiguration.clusterCIDR: use kubernetes.podSubnet",
			"KubeletConfiguration.cgroupDriver: "}},
	} {
		tt.run(t)
	}
}

func checkProblems(t *testing.T, got []FieldProblem, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			t.Errorf("missing: %s", want[i])
		case i >= len(want):
			t.Errorf("unexpected: %v", got[i])
		case !strings.HasPrefix(got[i].Error(), want[i]):
			t.Errorf("problem %d is\n  %v, want\n  %s", i, got[i], want[i])
		}
	}
}

// Other decoders yield other plain values than encoding/json does.
func TestCheckOverridesValuesOfOtherDecoders(t *testing.T) {
	o := Overrides{KindKubelet: {
		"maxPods":       200,
		"podsPerCore":   uint64(5),
		"oomScoreAdj":   uint64(1) << 63,
		"clusterDomain": time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC),
		"evictionHard":  map[any]any{1: "a"},
		"eventBurst":    200.0,
		"logging":       map[string]any{"verbosity": 4},
	}}
	checkProblems(t, CheckOverrides(o), []string{
		"KubeletConfiguration.clusterDomain: must be a string, not a date; put it in quotes",
		"KubeletConfiguration.evictionHard: must be a map, not a map with keys that are no strings",
		"KubeletConfiguration.oomScoreAdj: must be a whole number of 32 bits",
	})
}

// Every owned path must exist upstream, or nobody would ever see its reason.
func TestOwnedFieldsExist(t *testing.T) {
	owned := ownedFields()
	for _, k := range kinds() {
		for path := range owned[k.name] {
			at := k.typ
			for name := range strings.SplitSeq(path, ".") {
				field, ok := fieldTypes(at)[name]
				if !ok {
					t.Errorf("%s.%s does not exist", k.name, path)
					break
				}
				for field.Kind().String() == "ptr" {
					field = field.Elem()
				}
				at = field
				if at.Kind().String() != "struct" {
					break
				}
			}
		}
		delete(owned, k.name)
	}
	if len(owned) > 0 {
		t.Errorf("unknown kinds %v", sortedKeys(owned))
	}
}

// FuzzCheckOverrides holds CheckOverrides to its word: what it lets pass can be
// written, and what it refuses has a path and a message.
func FuzzCheckOverrides(f *testing.F) {
	f.Add(overridesYAML)
	f.Add(`KubeletConfiguration: {evictionHard: {a: "<<"}, tlsCipherSuites: ["1e3", "=", "~"], logging: {flushFrequency: 5}}`)
	f.Add(`ClusterConfiguration: {etcd: {local: {extraArgs: [{name: a, value: b}]}}, featureGates: {a: true}}`)
	f.Add(`JoinConfiguration: {patches: {directory: /a}, timeouts: {discovery: 1s}}`)
	f.Add(`KubeProxyConfiguration: {clientConnection: {qps: 1.5}, logging: {vmodule: [{filePattern: a, verbosity: 1}]}}`)
	names := make([]string, 0, len(kinds()))
	for _, k := range kinds() {
		names = append(names, k.name)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var o Overrides
		if yaml.Unmarshal([]byte(text), &o) != nil {
			return
		}
		problems := CheckOverrides(o)
		for _, p := range problems {
			if len(p.Path) == 0 || p.Message == "" || (len(p.Path) > 1 && !slices.Contains(names, p.Path[0])) {
				t.Errorf("empty problem %+v", p)
			}
		}
		c := testCluster()
		c.Overrides = o
		_, initErr := Init(c, testNode("cp1", "192.0.2.11"))
		join := Join{Token: testToken, CAHashes: []string{testHash}, APIServer: "192.0.2.11:6443"}
		_, joinErr := JoinConfig(c, testNode("w1", "192.0.2.21"), join)
		if len(problems) == 0 && (initErr != nil || joinErr != nil) {
			t.Errorf("passed the check, but init: %v, join: %v", initErr, joinErr)
		}
	})
}

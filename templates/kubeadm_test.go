package templates

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	kubelet "k8s.io/kubelet/config/v1beta1"
	kubeadmv1beta4 "k8s.io/kubernetes/cmd/kubeadm/app/apis/kubeadm/v1beta4"
	"sigs.k8s.io/yaml"
)

const testToken = "abcdef.0123456789abcdef"

var testHash = "sha256:" + strings.Repeat("0f", 32)

func testCluster() Cluster {
	return Cluster{
		Name: "lab", KubernetesVersion: "1.37.2", Endpoint: "api.lab.example:6443",
		PodSubnet: "10.244.0.0/16", ServiceSubnet: "10.96.0.0/12",
		CertSANs: []string{"192.0.2.11", "api.lab.example"},
	}
}

func testNode(name, address string) Node {
	return Node{Name: name, Address: address, CRISocket: "unix:///run/containerd/containerd.sock"}
}

// overridesYAML is every way of merging in one.
const overridesYAML = `
InitConfiguration:
  nodeRegistration:
    kubeletExtraArgs: [{name: v, value: "4"}, {name: resolv-conf, value: /etc/other.conf}]
    ignorePreflightErrors: [Mem, NumCPU]
    imagePullPolicy: null
  skipPhases: [addon/kube-proxy]
ClusterConfiguration:
  apiVersion: kubeadm.k8s.io/v1beta4
  kind: ClusterConfiguration
  apiServer:
    certSANs: [192.0.2.11, lb.example]
    extraArgs: [{name: audit-log-maxage, value: "7"}]
  controllerManager: {extraArgs: [{name: horizontal-pod-autoscaler-sync-period, value: 10s}]}
  certificateValidityPeriod: 720h
JoinConfiguration:
  timeouts: {tlsBootstrap: 2m0s}
KubeletConfiguration:
  maxPods: 200
  failCgroupV1: false
  evictionHard: {memory.available: 50Mi}
  registerWithTaints: []
KubeProxyConfiguration: {conntrack: {maxPerCore: 0}, mode: nftables}
`

func decodeOverrides(t *testing.T, text string) Overrides {
	t.Helper()
	var o Overrides
	if err := yaml.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestInit(t *testing.T) {
	overridden := testCluster()
	overridden.Overrides = decodeOverrides(t, overridesYAML)
	odd := testNode("cp1", "192.0.2.11")
	odd.ResolvConf = "/run/systemd/resolve/resolv.conf"
	odd.IgnorePreflight = []string{"NumCPU"}
	odd.Taints = []Taint{}
	v6 := Cluster{KubernetesVersion: "v1.37.2", Endpoint: "[2001:db8::11]:6443", PodSubnet: "fd00:1::/56", ServiceSubnet: "fd00:2::/112"}
	dual := Cluster{
		KubernetesVersion: "v1.37.2", Endpoint: "192.0.2.11:6443", PublicEndpoint: "[2001:db8::ff]:443", PodSubnet: "10.244.0.0/16,fd00:1::/56", ServiceSubnet: "10.96.0.0/12,fd00:2::/112",
		CertSANs: []string{"192.0.2.11", "2001:db8::11", "2001:db8::ff"},
	}

	for _, tt := range []struct {
		file    string
		cluster Cluster
		node    Node
	}{
		{"init-single.yaml", testCluster(), testNode("cp1", "192.0.2.11")},
		{"init-overrides.yaml", overridden, odd},
		{"init-dual.yaml", dual, Node{Name: "cp1", Address: "192.0.2.11,2001:db8::11"}},
		{"init-ipv6.yaml", v6, Node{Name: "cp1", Address: "2001:db8::11"}},
	} {
		t.Run(tt.file, func(t *testing.T) {
			got, err := Init(tt.cluster, tt.node)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, tt.file, got)
			parseStrictly(t, got, KindInit, KindCluster, KindKubelet, KindKubeProxy)
			again, err := Init(tt.cluster, tt.node)
			if err != nil || string(again) != string(got) {
				t.Errorf("second call differs, or fails with %v", err)
			}
		})
	}
}

func TestJoinConfig(t *testing.T) {
	tainted := testNode("w1", "192.0.2.21")
	tainted.Taints = []Taint{{Key: "gpu", Value: "true", Effect: "NoSchedule"}, {Key: "old", Effect: "NoExecute"}}
	tainted.IgnorePreflight = []string{"SystemVerification"}
	worker := Join{Token: testToken, CAHashes: []string{testHash}, APIServer: "192.0.2.11:6443"}
	controlPlane := worker
	controlPlane.ControlPlane = true
	again := controlPlane
	again.KubeletStarted = true

	for _, tt := range []struct {
		file string
		node Node
		join Join
	}{
		{"join-worker.yaml", tainted, worker},
		{"join-control-plane.yaml", testNode("cp2", "192.0.2.12"), controlPlane},
		{"join-control-plane-again.yaml", testNode("cp2", "192.0.2.12"), again},
	} {
		t.Run(tt.file, func(t *testing.T) {
			got, err := JoinConfig(testCluster(), tt.node, tt.join)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, tt.file, got)
			parseStrictly(t, got, KindJoin)
			if strings.Contains(string(got), "unsafeSkipCAVerification") {
				t.Error("the CA is not pinned")
			}
		})
	}
}

// parseStrictly reads multi-document YAML into the upstream types and checks
// which kinds it holds.
func parseStrictly(t *testing.T, docs []byte, want ...string) map[string]any {
	t.Helper()
	parsed, order := map[string]any{}, []string(nil)
	for doc := range strings.SplitSeq(string(docs), "---\n") {
		var head struct{ APIVersion, Kind string }
		if err := yaml.Unmarshal([]byte(doc), &head); err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(kinds(), func(k kind) bool { return k.name == head.Kind && k.apiVersion == head.APIVersion })
		if i < 0 {
			t.Fatalf("unexpected document %+v", head)
		}
		value := reflect.New(kinds()[i].typ).Interface()
		if err := yaml.UnmarshalStrict([]byte(doc), value); err != nil {
			t.Errorf("%s: %v", head.Kind, err)
		}
		parsed[head.Kind] = value
		order = append(order, head.Kind)
	}
	if !slices.Equal(order, want) {
		t.Errorf("documents are %v, want %v", order, want)
	}
	return parsed
}

// kubeadm reads no taints as its default and an empty list as none.
func TestTaintsNilOrEmpty(t *testing.T) {
	for _, tt := range []struct {
		name    string
		taints  []Taint
		wantNil bool
	}{
		{"nil", nil, true},
		{"empty", []Taint{}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := testNode("cp1", "192.0.2.11")
			n.Taints = tt.taints
			docs, err := Init(testCluster(), n)
			if err != nil {
				t.Fatal(err)
			}
			init := parseStrictly(t, docs, KindInit, KindCluster, KindKubelet, KindKubeProxy)[KindInit].(*kubeadmv1beta4.InitConfiguration)
			if got := init.NodeRegistration.Taints; (got == nil) != tt.wantNil || len(got) != 0 {
				t.Errorf("taints are %#v", got)
			}
		})
	}
}

// kubeadm adds a token of 24 hours when it finds none, and one without end when
// the time to live is not positive.
func TestInitTokenIsUseless(t *testing.T) {
	docs, err := Init(testCluster(), testNode("cp1", "192.0.2.11"))
	if err != nil {
		t.Fatal(err)
	}
	init := parseStrictly(t, docs, KindInit, KindCluster, KindKubelet, KindKubeProxy)[KindInit].(*kubeadmv1beta4.InitConfiguration)
	if len(init.BootstrapTokens) != 1 {
		t.Fatalf("%d tokens, want 1", len(init.BootstrapTokens))
	}
	token := init.BootstrapTokens[0]
	if token.Token != nil || token.Expires != nil {
		t.Errorf("token %v expires %v, want kubeadm to choose", token.Token, token.Expires)
	}
	if token.TTL == nil || token.TTL.Duration <= 0 || token.TTL.Duration > 10*time.Second {
		t.Errorf("time to live is %v", token.TTL)
	}
	if slices.Contains(token.Usages, "signing") || slices.Contains(token.Groups, "system:bootstrappers:kubeadm:default-node-token") {
		t.Errorf("token has usages %v and groups %v", token.Usages, token.Groups)
	}
	if !strings.HasPrefix(token.Description, "fairlead") {
		t.Errorf("description is %q", token.Description)
	}
}

func TestOverridesAreMerged(t *testing.T) {
	c := testCluster()
	c.Overrides = decodeOverrides(t, overridesYAML)
	n := testNode("cp1", "192.0.2.11")
	n.ResolvConf, n.IgnorePreflight = "/etc/resolv.conf", []string{"NumCPU"}
	docs, err := Init(c, n)
	if err != nil {
		t.Fatal(err)
	}
	parsed := parseStrictly(t, docs, KindInit, KindCluster, KindKubelet, KindKubeProxy)
	init := parsed[KindInit].(*kubeadmv1beta4.InitConfiguration)
	cluster := parsed[KindCluster].(*kubeadmv1beta4.ClusterConfiguration)
	node := parsed[KindKubelet].(*kubelet.KubeletConfiguration)

	wantArgs := []kubeadmv1beta4.Arg{{Name: "node-ip", Value: "192.0.2.11"}, {Name: "v", Value: "4"}, {Name: "resolv-conf", Value: "/etc/other.conf"}}
	if got := init.NodeRegistration.KubeletExtraArgs; !slices.Equal(got, wantArgs) {
		t.Errorf("kubelet arguments are %v, want %v", got, wantArgs)
	}
	if got, want := init.NodeRegistration.IgnorePreflightErrors, []string{"NumCPU", "Mem"}; !slices.Equal(got, want) {
		t.Errorf("ignored checks are %v, want %v", got, want)
	}
	if got := init.NodeRegistration.ImagePullPolicy; got != "" {
		t.Errorf("null left imagePullPolicy at %q", got)
	}
	if got, want := cluster.APIServer.CertSANs, []string{"api.lab.example", "192.0.2.11", "lb.example"}; !slices.Equal(got, want) {
		t.Errorf("certSANs are %v, want %v", got, want)
	}
	if node.MaxPods != 200 || node.CgroupDriver != "systemd" || node.FailCgroupV1 == nil || *node.FailCgroupV1 {
		t.Errorf("kubelet configuration: maxPods %d, cgroupDriver %q, failCgroupV1 %v", node.MaxPods, node.CgroupDriver, node.FailCgroupV1)
	}
	if !reflect.DeepEqual(c.Overrides, decodeOverrides(t, overridesYAML)) {
		t.Error("the overrides were changed")
	}
}

func TestMergeNamedKeepsRepeatedNames(t *testing.T) {
	arg := func(name, value string) any { return map[string]any{"name": name, "value": value} }
	got := mergeList("extraArgs", []any{arg("a", "1"), arg("b", "2"), arg("a", "3")}, []any{arg("a", "4"), arg("a", "5")})
	if want := []any{arg("b", "2"), arg("a", "4"), arg("a", "5")}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestDocumentsAreRefused(t *testing.T) {
	noVersion, badEndpoint, badOverride := testCluster(), testCluster(), testCluster()
	noVersion.KubernetesVersion = ""
	badEndpoint.Endpoint = "api.lab.example"
	badOverride.Overrides = Overrides{KindJoin: {"discovery": map[string]any{}}, KindKubelet: {"maxPod": 1}}
	join := Join{Token: testToken, CAHashes: []string{testHash}, APIServer: "192.0.2.11:6443"}
	unpinned, wrongPin, noToken := join, join, join
	unpinned.CAHashes, wrongPin.CAHashes, noToken.Token = nil, []string{"md5:00"}, ""
	node := testNode("n1", "192.0.2.11")

	initErr := func(c Cluster, n Node) error { _, err := Init(c, n); return err }
	joinErr := func(c Cluster, j Join) error { _, err := JoinConfig(c, node, j); return err }
	for _, tt := range []struct {
		name, want string
		err        error
	}{
		{"no version", "kubernetes version is empty", initErr(noVersion, node)},
		{"endpoint without port", "parse control plane endpoint", initErr(badEndpoint, node)},
		{"no node name", "node name is empty", initErr(testCluster(), Node{Address: "192.0.2.11"})},
		{"override", "KubeletConfiguration.maxPod: unknown field", initErr(badOverride, node)},
		{"override of another document", "JoinConfiguration.discovery: ", initErr(badOverride, node)},
		{"override at join", "KubeletConfiguration.maxPod: unknown field", joinErr(badOverride, join)},
		{"no pin", "CA certificate hash", joinErr(testCluster(), unpinned)},
		{"wrong pin", "CA certificate hash", joinErr(testCluster(), wrongPin)},
		{"no token", "token is empty", joinErr(testCluster(), noToken)},
	} {
		if tt.err == nil || !strings.Contains(tt.err.Error(), tt.want) {
			t.Errorf("%s: error is %v, want %q in it", tt.name, tt.err, tt.want)
		}
		if tt.err != nil && strings.Contains(tt.err.Error(), testToken) {
			t.Errorf("%s: error shows the token", tt.name)
		}
	}
}

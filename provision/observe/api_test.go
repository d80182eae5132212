package observe

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/inventory"
	"fairlead/provision/facts"
	"fairlead/provision/kube/kubetest"
	"fairlead/provision/model/world"
	"fairlead/provision/object"
	"fairlead/provision/remote"
)

// wholeCluster are the objects of a cluster on which kubeadm init has come to its end.
func wholeCluster() []map[string]any {
	public := object.ConfigMap("cluster-info", nil)
	public["metadata"].(map[string]any)["namespace"] = "kube-public"
	binding := map[string]any{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": map[string]any{"name": "kubeadm:cluster-admins"}}
	return []map[string]any{
		object.ConfigMap("kubeadm-config", map[string]any{"ClusterConfiguration": "clusterName: lab\n"}),
		object.ConfigMap("kubelet-config", map[string]any{"kubelet": "maxPods: 110\n", "other": "x"}),
		object.ConfigMap("kube-proxy", map[string]any{"config.conf": "mode: nftables\n"}),
		public, binding,
		object.System("apps/v1", "Deployment", "coredns"), object.System("apps/v1", "DaemonSet", "kube-proxy"),
		{"apiVersion": "v1", "kind": "Node", "metadata": map[string]any{"name": "cp1", "labels": map[string]any{"a": "b"}}},
		{"apiVersion": "v1", "kind": "Node", "metadata": map[string]any{"name": "w1"}},
	}
}

// token is a bootstrap token; its description is in base64.
func token(id, description string, expires time.Duration) map[string]any {
	encoded := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	secret := object.System("v1", "Secret", "bootstrap-token-"+id)
	secret["type"] = "bootstrap.kubernetes.io/token"
	secret["data"] = map[string]any{"description": encoded(description), "expiration": encoded(time.Now().Add(expires).UTC().Format(time.RFC3339))}
	return secret
}

// Tokens of other runs are left alone as long as they live, whoever made them. This run's own and those of a run that is over
// are stale, and so is what has expired by the clock of the host.
func TestObserveTokens(t *testing.T) {
	const living, over = 20 * time.Minute, -20 * time.Minute
	for _, c := range []struct {
		name         string
		clock        string // of the host
		stale, other []string
	}{
		{"clocks agree", "NOW", []string{"dddddd", "eeeeee", "ffffff", "gggggg"}, []string{"aaaaaa", "bbbbbb"}},
		{"the host is in an hour", "LATER", []string{"aaaaaa", "bbbbbb", "dddddd", "eeeeee", "ffffff", "gggggg"}, nil},
	} {
		api := kubetest.New(t, wholeCluster()...)
		api.Put(token("aaaaaa", "fairlead join", living))
		api.Put(token("bbbbbb", "fairlead join, run other", living))
		api.Put(token("cccccc", "my own", over))
		api.Put(token("dddddd", "fairlead join, run mine", living))
		api.Put(token("eeeeee", "fairlead join, run other", over))
		api.Put(token("ffffff", "fairlead join", over))
		api.Put(token("gggggg", "fairlead join, run dead", living))
		api.Put(token("hhhhhh", "fairlead joins us", over))
		s := newScene(t, world.State(t, nil), true)
		s.Owns = func(run string) bool { return run == "mine" || run == "dead" }
		s.controlPlane("cp1", api)
		s.answers["cp1"] = strings.ReplaceAll(s.answers["cp1"], "NOW", strings.ReplaceAll(c.clock, "LATER", fmt.Sprint(time.Now().Add(time.Hour).UnixNano())))
		got := s.observe().API
		if got.Err != nil || !slices.Equal(got.StaleTokens, c.stale) || !slices.Equal(got.OtherTokens, c.other) {
			t.Errorf("%s: stale %v, of others %v, %v", c.name, got.StaleTokens, got.OtherTokens, got.Err)
		}
	}
}

// What the API server says are facts: of its version, of kubeadm's last objects, nodes, tokens and settings.
func TestObserveACluster(t *testing.T) {
	api := kubetest.New(t, wholeCluster()...)
	api.Put(token("aaaaaa", "fairlead join", -time.Minute))
	api.Put(token("bbbbbb", "my own", -time.Minute))
	api.Put(object.ConfigMap("fairlead-settings", map[string]any{"KubeletConfiguration": "maxPods: 100\n"}))
	s := newScene(t, world.State(t, nil), true)
	s.controlPlane("cp1", api)
	got := s.observe().API
	if got.Err != nil || got.Via != "cp1" || got.ServerVersion != kubetest.Version || len(got.Missing) != 0 {
		t.Errorf("%+v", got)
	}
	if len(got.Nodes) != 2 || got.Nodes["cp1"].Labels["a"] != "b" || got.Nodes["w1"].Name != "w1" {
		t.Errorf("nodes are %+v", got.Nodes)
	}
	if !slices.Equal(got.StaleTokens, []string{"aaaaaa"}) {
		t.Errorf("tokens are %v", got.StaleTokens)
	}
	want := map[string]string{"ClusterConfiguration": "clusterName: lab\n", "KubeletConfiguration": "maxPods: 110\n", "KubeProxyConfiguration": "mode: nftables\n"}
	if !maps.Equal(got.Settings, want) || !maps.Equal(got.RecordedSettings, map[string]string{"KubeletConfiguration": "maxPods: 100\n"}) {
		t.Errorf("settings are %v, recorded %v", got.Settings, got.RecordedSettings)
	}
	if got.Serving != nil || slices.Contains(api.Requests(), servingPath) {
		t.Errorf("certificates are asked for that nobody has wished for: %v", got.Serving)
	}
}

// An init that has not come to its end is known by what is missing. Settings without a text are none.
func TestObserveAnUnfinishedCluster(t *testing.T) {
	api := kubetest.New(t, object.ConfigMap("kubelet-config", map[string]any{"kubelet": ""}))
	s := newScene(t, world.State(t, nil), true)
	s.controlPlane("cp1", api)
	got := s.observe().API
	if got.Err != nil || !slices.Contains(got.Missing, "ConfigMap kube-system/kubeadm-config") || slices.Contains(got.Missing, "ConfigMap kube-system/kubelet-config") {
		t.Errorf("%+v", got)
	}
	if len(got.Settings) != 0 || got.RecordedSettings == nil || len(got.RecordedSettings) != 0 || len(got.Nodes) != 0 || len(got.Objects) != 0 {
		t.Errorf("%+v", got)
	}
}

// For a reset neither settings nor add-ons are asked for, but which nodes were removed.
func TestAResetNeedsLittle(t *testing.T) {
	api := kubetest.New(t, wholeCluster()...)
	s := newScene(t, world.State(t, nil), false)
	s.controlPlane("cp1", api)
	got := s.observe().API
	if got.Err != nil || len(got.Nodes) != 2 || got.Settings != nil || got.Applied != nil {
		t.Errorf("%+v", got)
	}
	for _, path := range api.Requests() {
		if strings.Contains(path, "fairlead") && !strings.HasSuffix(path, "/"+object.RemovedRecord) || strings.HasSuffix(path, "/configmaps/kube-proxy") {
			t.Errorf("asked for %s", path)
		}
	}
}

const (
	servingPath  = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
	systemFolder = "/api/v1/namespaces/kube-system/"
)

// An API server that refuses one answer gives none at all: nothing is taken for absent.
func TestRefusedAnswersAreNoAbsence(t *testing.T) {
	wish := world.State(t, world.AllAddons)
	for _, path := range []string{
		"/readyz", "/version", systemFolder + "configmaps/kubeadm-config", "/apis/apps/v1/namespaces/kube-system/daemonsets/kube-proxy",
		"/api/v1/nodes", systemFolder + "secrets", systemFolder + "configmaps/kube-proxy", systemFolder + "configmaps/fairlead-settings",
		systemFolder + "configmaps/fairlead-addons", servingPath,
		"/api/v1/namespaces/kube-flannel/serviceaccounts/flannel", // of an add-on that is wished for
		systemFolder + "serviceaccounts/old",                      // of one that is not any more
	} {
		api := kubetest.New(t, wholeCluster()...)
		api.Put(object.ConfigMap("fairlead-addons", map[string]any{"gone": `[{"apiVersion":"v1","kind":"ServiceAccount","namespace":"kube-system","name":"old"}]`}))
		s := newScene(t, wish, true)
		s.controlPlane("cp1", api)
		if got := s.observe().API; got.Err != nil {
			t.Fatalf("before anything is refused: %v", got.Err)
		}
		api.Refuse(path, http.StatusForbidden)
		got, kind := s.observe().API, facts.APINoAnswer
		if strings.HasSuffix(path, "/kubeadm-config") { // what is asked for first: nothing else would be answered either
			kind = facts.APIRefuses
		}
		if !got.Err.Of(kind) || !strings.HasPrefix(got.Err.Text, "cp1: ") || !reflect.DeepEqual(got, facts.API{Err: got.Err}) {
			t.Errorf("%s: %+v", path, got)
		}
	}
}

// Without an answer it is said whether there is a control plane, and what each one said.
func TestWithoutAnAPIServer(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*scene, *kubetest.API)
		kind   facts.Kind
		text   string
	}{
		{"only workers have something", func(s *scene, api *kubetest.API) { s.controlPlane("w1", api) }, facts.APINoCluster, "there is no control plane yet"},
		{"unreachable", func(s *scene, api *kubetest.API) {
			s.controlPlane("cp1", api)
			s.refused["cp1"] = remote.ErrUnreachable
		}, facts.APINoCluster, "there is no control plane yet"},
		{"no kubeconfig", func(s *scene, _ *kubetest.API) { s.says("cp2", "manifest\tetcd.yaml") }, facts.APINoKubeconfig, "cp2 has no /etc/kubernetes/admin.conf"},
		{"nobody listens", func(s *scene, api *kubetest.API) {
			s.controlPlane("cp1", api)
			s.controlPlane("cp3", api)
			s.hosts["cp1"].OnDial(nil)
			s.hosts["cp3"].PutFile("/etc/kubernetes/admin.conf", "damaged")
		}, facts.APINoAnswer, "cp1: ask API server for readiness: "},
	} {
		s := newScene(t, world.State(t, world.ThreeControlPlanes), true)
		c.change(s, kubetest.New(t))
		got := s.observe().API
		if !got.Err.Of(c.kind) || !strings.HasPrefix(got.Err.Text, c.text) {
			t.Errorf("%s: %+v", c.name, got.Err)
		}
		if c.name == "nobody listens" && !strings.Contains(got.Err.Text, "\ncp3: use /etc/kubernetes/admin.conf of cp3: ") {
			t.Errorf("the last one asked is not named: %s", got.Err.Text)
		}
	}
}

// The first control plane whose API server is ready is asked, and no other.
func TestTheNextControlPlaneIsAsked(t *testing.T) {
	s := newScene(t, world.State(t, world.ThreeControlPlanes), true)
	starting, ready, unasked := kubetest.New(t), kubetest.New(t), kubetest.New(t)
	starting.Refuse("/readyz", http.StatusServiceUnavailable)
	for name, api := range map[string]*kubetest.API{"cp1": starting, "cp2": ready, "cp3": unasked} {
		s.controlPlane(name, api)
	}
	if got := s.observe().API; got.Err != nil || got.Via != "cp2" || len(unasked.Requests()) != 0 || !slices.Equal(starting.Requests(), []string{"/readyz"}) {
		t.Errorf("%+v; cp1 was asked for %v, cp3 for %v", got, starting.Requests(), unasked.Requests())
	}
}

// labelled is an object that belongs to an add-on set.
func labelled(item map[string]any, set string) map[string]any {
	item["metadata"].(map[string]any)["labels"] = map[string]any{object.LabelAddon: set}
	return item
}

// Objects that are wished for are there, or not, or not ready. Of those that were applied once and
// are wished for no more only those count that live and bear their set's label.
func TestObserveAddons(t *testing.T) {
	api := kubetest.New(t, wholeCluster()...)
	s := newScene(t, world.State(t, world.AllAddons), true)
	var served int
	for _, set := range s.wish.Addons {
		for _, item := range set.Objects {
			switch item["kind"] {
			case "ServiceAccount", "Deployment", "DaemonSet":
				served++
				api.Put(item)
			}
		}
	}
	account := func(name string) map[string]any { return object.System("v1", "ServiceAccount", name) }
	api.Put(labelled(account("owned"), "gone"))
	api.Put(labelled(account("others"), "another"))
	api.Put(account("plain"))
	api.Put(object.ConfigMap("fairlead-addons", map[string]any{
		"gone": `[{"apiVersion":"v1","kind":"ServiceAccount","namespace":"kube-system","name":"owned"},
			{"apiVersion":"v1","kind":"ServiceAccount","namespace":"kube-system","name":"others"},
			{"apiVersion":"v1","kind":"ServiceAccount","namespace":"kube-system","name":"plain"},
			{"apiVersion":"v1","kind":"ServiceAccount","namespace":"kube-system","name":"deleted"},
			{"apiVersion":"apps/v1","kind":"DaemonSet","namespace":"kube-flannel","name":"kube-flannel-ds"}]`,
	}))
	api.Put(map[string]any{
		"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": map[string]any{"name": "csr-1"},
		"spec": map[string]any{"signerName": "kubernetes.io/kubelet-serving", "username": "system:node:w1"},
	})
	s.controlPlane("cp1", api)
	got := s.observe().API
	if got.Err != nil || len(got.Objects) != served || served < 6 {
		t.Fatalf("%d objects of %d: %v", len(got.Objects), served, got.Err)
	}
	for key, live := range got.Objects {
		kind, unready := live.Object["kind"], got.Unready[key]
		if object.Key(live.Object) != key || (kind == "Deployment") != (unready != "") {
			t.Errorf("%s is %v, not ready for: %q", key, live.Object, unready)
		}
	}
	owned := []object.Applied{{APIVersion: "v1", Kind: "ServiceAccount", Namespace: "kube-system", Name: "owned"}}
	if !reflect.DeepEqual(got.Orphans, map[string][]object.Applied{"gone": owned}) || len(got.Applied["gone"]) != 5 {
		t.Errorf("orphans are %v of %v", got.Orphans, got.Applied)
	}
	if !reflect.DeepEqual(got.Serving, []object.ServingRequest{{Name: "csr-1", Node: "w1"}}) {
		t.Errorf("requests are %v", got.Serving)
	}
}

// Certificates of kubelets are asked about only where metrics are to be verified.
func TestServingRequestsOnlyWhereWished(t *testing.T) {
	for insecure, asks := range map[bool]bool{false: true, true: false} {
		api := kubetest.New(t, wholeCluster()...)
		s := newScene(t, world.State(t, func(c *inventory.Cluster) {
			c.Addons.MetricsServer = &inventory.MetricsServer{InsecureTLS: insecure}
		}), true)
		s.controlPlane("cp1", api)
		if got := s.observe().API; got.Err != nil || slices.Contains(api.Requests(), servingPath) != asks {
			t.Errorf("insecure %v: %v, asked for %v", insecure, got.Err, api.Requests())
		}
	}
}

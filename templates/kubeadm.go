package templates

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubeproxy "k8s.io/kube-proxy/config/v1alpha1"
	kubelet "k8s.io/kubelet/config/v1beta1"
	bootstraptoken "k8s.io/kubernetes/cmd/kubeadm/app/apis/bootstraptoken/v1"
	kubeadmv1beta4 "k8s.io/kubernetes/cmd/kubeadm/app/apis/kubeadm/v1beta4"
)

const (
	// APIServerPort is the port on which every API server listens.
	APIServerPort = 6443

	// InitTokenDescription marks the bootstrap token that Init makes kubeadm
	// create; see Init.
	InitTokenDescription = "fairlead: takes the place of kubeadm's default token, expires at once, grants nothing"

	initTokenTTL   = time.Second
	initTokenGroup = "system:bootstrappers:fairlead:nothing"

	// discoveryTimeout bounds kubeadm's search for a signed cluster-info whose
	// CA is the pinned one. kubeadm's own 5 minutes are meant for joins that
	// start before the control plane is up.
	discoveryTimeout = time.Minute

	// shutdownDelay is how long an API server that ends goes on serving while it says that it is not ready. Balancers ask every
	// two seconds, and leave it at the second time (host/haproxy.cfg).
	shutdownDelay = "10s"
)

// Cluster is what the documents of all nodes have in common.
type Cluster struct {
	// Name becomes clusterName. Empty leaves kubeadm's default.
	Name string
	// KubernetesVersion is exact, such as 1.37.2; a leading v is accepted.
	KubernetesVersion string
	// Endpoint is the control plane endpoint, host:port.
	Endpoint string
	// PodSubnet and ServiceSubnet are CIDRs, two of them joined by a comma in a
	// dual-stack cluster.
	PodSubnet, ServiceSubnet string
	// PublicEndpoint is the host:port of the same API servers for people; empty where they use Endpoint.
	PublicEndpoint string
	// SharedAddress is the address that the control planes share in front of their API servers; empty where they share none.
	// It is in the certificates even where Endpoint is a name, and API servers that end go on serving until balancers know.
	SharedAddress string
	// CertSANs are added to the API server's certificate beside the endpoints'
	// hosts: the addresses of the control-plane hosts.
	CertSANs []string
	// FormerEndpoints are hosts of endpoints that the cluster had: who still uses them finds them in the API servers' certificates.
	FormerEndpoints []string
	// Images says from where kubeadm takes its images.
	Images KubeadmImages
	// KubeletServingCertificates makes kubelets ask the cluster for the certificates that
	// they serve with, instead of signing their own.
	KubeletServingCertificates bool
	// Overrides are merged over the documents; see Overrides.
	Overrides Overrides
}

// KubeadmImages are repositories, such as registry.example.com/k8s. An empty one leaves
// kubeadm's own choice, which for CoreDNS and etcd is Repository, if that is given.
type KubeadmImages struct{ Repository, CoreDNSRepository, EtcdRepository string }

// Node is the host for which a document is written.
type Node struct {
	// Name is the name of the Node object.
	Name string
	// Address is the host's own IP address, used as the node IP and, on a
	// control plane, as the advertise address. In a dual-stack cluster it is two
	// joined by a comma; the first is the advertise address.
	Address string
	// CRISocket is the runtime's socket, such as
	// unix:///run/containerd/containerd.sock. Empty lets kubeadm search.
	CRISocket string
	// Taints are the taints at registration. Nil leaves kubeadm's default (the
	// control-plane taint on a control plane, none on a worker); empty and not
	// nil means no taint.
	Taints []Taint
	// IgnorePreflight names the kubeadm preflight checks whose errors become warnings.
	IgnorePreflight []string
	// ParallelPulls lets kubeadm pull all images at once.
	ParallelPulls bool
	// ResolvConf is the resolver file that the kubelet hands to pods. Empty
	// leaves the choice to kubeadm.
	ResolvConf string
}

// Taint is a node taint as it is given at registration.
type Taint struct{ Key, Value, Effect string }

// phaseKubeletStart is the phase of kubeadm join that hands a kubelet its settings and its
// bootstrap credentials (kubeadm/app/cmd/phases/join/kubelet.go).
const phaseKubeletStart = "kubelet-start"

// Join is what a joining node needs beside its own description.
type Join struct {
	// Token is a bootstrap token, id.secret.
	Token string
	// CAHashes pin the cluster's CA: "sha256:" and lower-case hex of the public
	// key info. At least one is required; there is no join without a pin.
	CAHashes []string
	// APIServer is the host:port at which the node discovers the cluster.
	APIServer string
	// ControlPlane makes the node a control plane. The shared certificates must
	// be on the host already: no certificate key is used.
	ControlPlane bool
	// KubeletStarted says that an earlier join has started the kubelet with what the cluster
	// gave it: kubeadm refuses to do that for a node that is Ready.
	KubeletStarted bool
}

// Init returns the documents for `kubeadm init --config` on the first control
// plane: InitConfiguration, ClusterConfiguration, KubeletConfiguration and
// KubeProxyConfiguration.
//
// kubeadm adds a bootstrap token of 24 hours when the list of tokens is empty,
// and the phase that does it also creates the roles that joins need, so it
// cannot be skipped. The document therefore asks for one token that is useless:
// kubeadm draws its value, it lives one second (the control plane then deletes
// it), does not sign cluster-info, and its group has no rights. The document
// holds no secret. kubeadm prints the token unless --skip-token-print is given.
//
// It fails when a required field is empty or an override is not acceptable.
func Init(c Cluster, n Node) ([]byte, error) {
	documents, err := clusterDocuments(c)
	if err != nil {
		return nil, fmt.Errorf("write init documents: %w", err)
	}
	documents[KindInit] = &kubeadmv1beta4.InitConfiguration{
		BootstrapTokens: []bootstraptoken.BootstrapToken{{
			Description: InitTokenDescription,
			TTL:         &metav1.Duration{Duration: initTokenTTL},
			Usages:      []string{"authentication"},
			Groups:      []string{initTokenGroup},
		}},
		NodeRegistration: registration(n),
		LocalAPIEndpoint: localEndpoint(n),
	}
	if err := errors.Join(required(map[string]string{
		"kubernetes version": c.KubernetesVersion, "pod subnet": c.PodSubnet, "service subnet": c.ServiceSubnet,
		"node name": n.Name, "node address": n.Address,
	})...); err != nil {
		return nil, fmt.Errorf("write init documents: %w", err)
	}
	docs, err := render(c.Overrides, documents)
	if err != nil {
		return nil, fmt.Errorf("write init documents: %w", err)
	}
	return docs, nil
}

// clusterDocuments are the documents that the whole cluster shares, by kind.
func clusterDocuments(c Cluster) (map[string]any, error) {
	sans, err := certSANs(c)
	if err != nil {
		return nil, err
	}
	cluster := &kubeadmv1beta4.ClusterConfiguration{
		ClusterName:          c.Name,
		KubernetesVersion:    "v" + strings.TrimPrefix(c.KubernetesVersion, "v"),
		ControlPlaneEndpoint: c.Endpoint,
		Networking:           kubeadmv1beta4.Networking{PodSubnet: c.PodSubnet, ServiceSubnet: c.ServiceSubnet},
		APIServer:            kubeadmv1beta4.APIServer{CertSANs: sans},
		ImageRepository:      c.Images.Repository,
		DNS:                  kubeadmv1beta4.DNS{ImageMeta: kubeadmv1beta4.ImageMeta{ImageRepository: c.Images.CoreDNSRepository}},
	}
	if c.SharedAddress != "" {
		cluster.APIServer.ExtraArgs = []kubeadmv1beta4.Arg{{Name: "shutdown-delay-duration", Value: shutdownDelay}}
	}
	if c.Images.EtcdRepository != "" {
		cluster.Etcd.Local = &kubeadmv1beta4.LocalEtcd{ImageMeta: kubeadmv1beta4.ImageMeta{ImageRepository: c.Images.EtcdRepository}}
	}
	return map[string]any{
		KindCluster:   cluster,
		KindKubelet:   &kubelet.KubeletConfiguration{CgroupDriver: "systemd", ServerTLSBootstrap: c.KubeletServingCertificates},
		KindKubeProxy: &kubeproxy.KubeProxyConfiguration{},
	}, nil
}

// JoinConfig returns the document for `kubeadm join --config`: one
// JoinConfiguration. It holds the bootstrap token and is a secret as long as
// that token lives. It fails when a required field is empty, when no CA hash is
// given, or when an override is not acceptable.
func JoinConfig(c Cluster, n Node, j Join) ([]byte, error) {
	problems := required(map[string]string{
		"node name": n.Name, "node address": n.Address, "token": j.Token, "API server": j.APIServer,
	})
	if len(j.CAHashes) == 0 || slices.ContainsFunc(j.CAHashes, func(h string) bool { return !strings.HasPrefix(h, "sha256:") }) {
		problems = append(problems, errors.New("a CA certificate hash of the form sha256:… is required"))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("write join document: %w", err)
	}
	join := &kubeadmv1beta4.JoinConfiguration{
		NodeRegistration: registration(n),
		Discovery: kubeadmv1beta4.Discovery{BootstrapToken: &kubeadmv1beta4.BootstrapTokenDiscovery{
			Token:             j.Token,
			APIServerEndpoint: j.APIServer,
			CACertHashes:      j.CAHashes,
		}},
		Timeouts: &kubeadmv1beta4.Timeouts{Discovery: &metav1.Duration{Duration: discoveryTimeout}},
	}
	if j.ControlPlane {
		join.ControlPlane = &kubeadmv1beta4.JoinControlPlane{LocalAPIEndpoint: localEndpoint(n)}
	}
	if j.KubeletStarted {
		join.SkipPhases = []string{phaseKubeletStart}
	}
	doc, err := render(c.Overrides, map[string]any{KindJoin: join})
	if err != nil {
		return nil, fmt.Errorf("write join document: %w", err)
	}
	return doc, nil
}

func registration(n Node) kubeadmv1beta4.NodeRegistrationOptions {
	r := kubeadmv1beta4.NodeRegistrationOptions{
		Name:                  n.Name,
		CRISocket:             n.CRISocket,
		KubeletExtraArgs:      []kubeadmv1beta4.Arg{{Name: "node-ip", Value: n.Address}},
		IgnorePreflightErrors: n.IgnorePreflight,
		ImagePullPolicy:       corev1.PullIfNotPresent,
	}
	if n.ParallelPulls {
		serial := false
		r.ImagePullSerial = &serial
	}
	if n.ResolvConf != "" {
		r.KubeletExtraArgs = append(r.KubeletExtraArgs, kubeadmv1beta4.Arg{Name: "resolv-conf", Value: n.ResolvConf})
	}
	if n.Taints != nil {
		r.Taints = make([]corev1.Taint, 0, len(n.Taints))
	}
	for _, t := range n.Taints {
		r.Taints = append(r.Taints, corev1.Taint{Key: t.Key, Value: t.Value, Effect: corev1.TaintEffect(t.Effect)})
	}
	return r
}

func localEndpoint(n Node) kubeadmv1beta4.APIEndpoint {
	advertised, _, _ := strings.Cut(n.Address, ",")
	return kubeadmv1beta4.APIEndpoint{AdvertiseAddress: advertised, BindPort: APIServerPort}
}

// certSANs is the hosts of the endpoint and of the one for people, followed by the given names, each once.
func certSANs(c Cluster) ([]string, error) {
	host, _, err := net.SplitHostPort(c.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("parse control plane endpoint: %w", err)
	}
	names := c.CertSANs
	if c.SharedAddress != "" {
		names = append([]string{c.SharedAddress}, names...)
	}
	if c.PublicEndpoint != "" {
		public, _, err := net.SplitHostPort(c.PublicEndpoint)
		if err != nil {
			return nil, fmt.Errorf("parse public endpoint: %w", err)
		}
		names = append([]string{public}, names...)
	}
	sans := []string{host}
	for _, san := range slices.Concat(names, c.FormerEndpoints) {
		if !slices.Contains(sans, san) {
			sans = append(sans, san)
		}
	}
	return sans, nil
}

// required returns an error for each empty value, in the order of the names.
func required(values map[string]string) []error {
	var problems []error
	for _, name := range sortedKeys(values) {
		if values[name] == "" {
			problems = append(problems, fmt.Errorf("%s is empty", name))
		}
	}
	return problems
}

package facts

// Kind is what a problem is about, in a word that the plan decides by.
type Kind string

// Kinds of problems of a host.
const (
	// HostUnreachable: nothing answered at its address.
	HostUnreachable Kind = "unreachable"
	// HostKey: its key is not the one that is known, or none is known.
	HostKey Kind = "host key"
	// HostLogin: it let nobody in.
	HostLogin Kind = "login"
	// HostSudo: the login user may not become root.
	HostSudo Kind = "sudo"
	// HostShell: the login user's shell does not run commands.
	HostShell Kind = "login shell"
	// HostLost: the way to it broke while it was asked.
	HostLost Kind = "connection lost"
	// HostForwards: sshd on it, or on a jump host before it, lets no connection through, and its own address cannot be reached either.
	HostForwards Kind = "no forwarding"
	// HostNoAnswer: it was reached and did not answer, or not to the end.
	HostNoAnswer Kind = "no answer"
	// HostUnread: it has answered, and some of that cannot be read. An observation never says so: see Facts.Understood.
	HostUnread Kind = "unread facts"
)

// Kinds of problems of the API server.
const (
	// APINoCluster: no control plane exists on any host that was reached.
	APINoCluster Kind = "no cluster"
	// APINoKubeconfig: a host has a control plane, and no kubeconfig to ask it with.
	APINoKubeconfig Kind = "no kubeconfig"
	// APINoAnswer: a control plane exists, and no API server answered.
	APINoAnswer Kind = "no API server answers"
	// APIRefuses: it answers, and refuses admin.conf. kubeadm init gives that its rights when the API server has come up
	// (cmd/kubeadm/app/phases/kubeconfig: EnsureAdminClusterRoleBinding).
	APIRefuses Kind = "API server refuses"
)

// EtcdNoAnswer says that no member of the cluster's etcd answers.
const EtcdNoAnswer Kind = "no etcd member answers"

// Kinds of problems of images.
const (
	// RegistryUnreachable: the host cannot connect to the registry.
	RegistryUnreachable Kind = "registry unreachable"
	// RegistryCertificate: the registry's certificate does not verify.
	RegistryCertificate Kind = "registry certificate"
	// RegistryCredentials: user and password are wrong, are missing, or are not enough.
	RegistryCredentials Kind = "registry credentials" //nolint:gosec // the name of a problem
	// ImageMissing: the registry answered and does not have the image.
	ImageMissing Kind = "image missing"
	// ImageUnknown: none of these; the text says it all.
	ImageUnknown Kind = "unknown"
)

// Problem is why something could not be observed. It is an error, and as data it has its kind and
// its text: the errors below it are known only to the run that observed it.
type Problem struct {
	Kind Kind   `json:"kind"`
	Text string `json:"text"`

	cause error
}

// NewProblem is what an error means to the plan. The error must not be nil.
func NewProblem(kind Kind, cause error) *Problem {
	return &Problem{Kind: kind, Text: cause.Error(), cause: cause}
}

// NoCluster says that no control plane exists on any host that was reached.
func NoCluster() *Problem {
	return &Problem{Kind: APINoCluster, Text: "there is no control plane yet"}
}

// Error implements error.
func (p *Problem) Error() string { return p.Text }

// Unwrap is the error that was observed; nil in facts that were read from a file.
func (p *Problem) Unwrap() error { return p.cause }

// Of says that there is a problem, and of this kind. No problem is of no kind.
func (p *Problem) Of(kind Kind) bool { return p != nil && p.Kind == kind }

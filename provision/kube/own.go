package kube

import (
	"fmt"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Own makes a kubeconfig that New takes of the user's own, which lies at file: with the named context alone, the current one where
// none is named, and with the data of the certificates and keys whose files it names. What New refuses is refused before any such
// file is read, with ErrUnusable. server is the URL of the API server.
func Own(data []byte, file, context string) (kubeconfig []byte, server string, err error) {
	raw, err := clientcmd.Load(data)
	if err != nil {
		return nil, "", fmt.Errorf("read kubeconfig: %w: %w", ErrUnusable, err)
	}
	if context != "" {
		raw.CurrentContext = context
	}
	current := raw.Contexts[raw.CurrentContext]
	switch {
	case raw.CurrentContext == "":
		return nil, "", fmt.Errorf("read kubeconfig: %w: it has no current context", ErrUnusable)
	case current == nil:
		return nil, "", fmt.Errorf("read kubeconfig: %w: it has no context %q", ErrUnusable, raw.CurrentContext)
	case raw.Clusters[current.Cluster] == nil || raw.AuthInfos[current.AuthInfo] == nil:
		return nil, "", fmt.Errorf("read kubeconfig: %w: the cluster or user of its context %q is missing", ErrUnusable, raw.CurrentContext)
	}
	cluster, user := raw.Clusters[current.Cluster], raw.AuthInfos[current.AuthInfo]
	if reason := refuseOwn(cluster, user); reason != "" {
		return nil, "", fmt.Errorf("read kubeconfig: %w: %s", ErrUnusable, reason)
	}
	cluster.LocationOfOrigin, user.LocationOfOrigin = file, file
	if err := clientcmdapi.MinifyConfig(raw); err != nil {
		return nil, "", fmt.Errorf("read kubeconfig: %w: %w", ErrUnusable, err)
	}
	if err := clientcmdapi.FlattenConfig(raw); err != nil {
		return nil, "", fmt.Errorf("read what the kubeconfig names: %w", err)
	}
	if kubeconfig, err = clientcmd.Write(*raw); err != nil {
		return nil, "", fmt.Errorf("write kubeconfig: %w", err)
	}
	return kubeconfig, cluster.Server, nil
}

// refuseOwn says why a cluster and user are not taken, files that they name aside.
func refuseOwn(cluster *clientcmdapi.Cluster, user *clientcmdapi.AuthInfo) string {
	switch {
	case user.TokenFile != "":
		return "it names a file with a token; use one with a client certificate"
	case cluster.ProxyURL != "":
		return "it goes through a proxy, which fairlead does not"
	}
	withData, bare := *cluster, *user
	if withData.CertificateAuthority != "" {
		withData.CertificateAuthority, withData.CertificateAuthorityData = "", []byte{0}
	}
	bare.ClientCertificate, bare.ClientKey = "", ""
	return refuse(&withData, &bare)
}

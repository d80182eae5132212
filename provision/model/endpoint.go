package model

import (
	"fmt"
	"net"
	"net/url"
	"slices"

	"fairlead/inventory"
	"fairlead/pki"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/provision/plan"
	"fairlead/templates"
)

// answers says why nobody answers at an endpoint: in front of all API servers, each of them may be the one.
func (s *Simulation) answers(endpoint string) error { return s.served("https://" + endpoint) }

// served says why clients of a server get no answer.
func (s *Simulation) served(server string) error {
	at, err := url.Parse(server)
	switch {
	case err != nil:
		return err
	case s.dead[at.Hostname()]:
		return fmt.Errorf("nobody answers at %s", server)
	case slices.ContainsFunc(s.State.Cluster.ControlPlane.Hosts, func(h inventory.Host) bool { return h.Address.String() == at.Hostname() }):
		return nil // that one's own certificate has its address
	}
	for _, host := range s.State.Cluster.ControlPlane.Hosts {
		seen := s.Facts.Hosts[host.Name]
		if len(seen.Processes) == 0 {
			continue
		}
		named := func(c facts.Certificate) bool {
			return c.Path == templates.APIServerCertificate && slices.Contains(c.Names, at.Hostname())
		}
		_, exists := seen.Files[templates.APIServerCertificate]
		if exists && !slices.ContainsFunc(seen.Certificates, named) {
			return fmt.Errorf("the certificate of %s is not for %s", host.Name, at.Hostname())
		}
	}
	return nil
}

// wantServed fails the test when somebody in the cluster goes by a server for which API servers have no certificate: a change of
// the endpoint cuts nobody off.
func (s *Simulation) wantServed(step plan.Step) {
	if s.unanswered() != nil {
		return
	}
	servers := map[string]string{"kube-proxy": s.cluster.proxyServer, "hosts that join": s.handsOut(desired.InfoKubeconfig())}
	for _, host := range s.State.Cluster.Hosts() {
		if seen := s.Facts.Hosts[host.Name]; seen.KubeletCredentials {
			servers["the kubelet of "+host.Name] = seen.Servers["kubelet.conf"]
		}
	}
	for who, server := range servers {
		if at, err := url.Parse(server); err == nil && !s.dead[at.Hostname()] && server != "" {
			if err := s.served(server); err != nil {
				s.t.Errorf("in step %s %s is cut off (seed %d): %v", step.ID, who, s.seed, err)
			}
		}
	}
}

// wantEverywhere fails the test unless all places that hold the endpoint have the inventory's, or that which the cluster had where
// the inventory gives none.
func (s *Simulation) wantEverywhere() {
	s.t.Helper()
	endpoint := s.State.Cluster.ControlPlane.Endpoint
	if s.State.Cluster.ControlPlane.EndpointDerived {
		endpoint = s.keptEndpoint()
	}
	want := "https://" + endpoint
	places := map[string]string{
		"kubeadm-config": "https://" + s.keptEndpoint(), "kube-proxy": s.cluster.proxyServer,
		"kube-proxy's ConfigMap": s.handsOut(desired.ProxyKubeconfig()), "cluster-info": s.handsOut(desired.InfoKubeconfig()),
	}
	for _, host := range s.State.Cluster.Hosts() {
		is := s.Facts.Hosts[host.Name].Servers
		if host.Role == inventory.RoleControlPlane {
			places["admin.conf of "+host.Name] = is["admin.conf"]
		} else {
			places["kubelet.conf of "+host.Name] = is["kubelet.conf"]
		}
	}
	for place, is := range places {
		if is != want {
			s.t.Errorf("%s names %s, want %s (seed %d)", place, is, want, s.seed)
		}
	}
	name, _, _ := net.SplitHostPort(endpoint)
	if err := s.answers(endpoint); err != nil && !s.dead[name] {
		s.t.Error(err)
	}
}

// keptEndpoint is that of the cluster's own configuration.
func (s *Simulation) keptEndpoint() string {
	fields, err := templates.ReadSettings(templates.KindCluster, []byte(s.Facts.API.Settings[templates.KindCluster]))
	if err != nil {
		s.t.Error(err)
	}
	endpoint, _ := fields["controlPlaneEndpoint"].(string)
	return endpoint
}

// handsOut is the server in a kubeconfig that the cluster hands out.
func (s *Simulation) handsOut(place desired.KubeconfigMap) string {
	return pki.ServerLine(s.Facts.API.Kubeconfigs[place.String()])
}

// handOut keeps a kubeconfig that was applied. One that is not named any more goes, as its field has one owner.
func (s *Simulation) handOut(place desired.KubeconfigMap, data map[string]any) {
	text, named := data[place.Key].(string)
	if !named {
		s.t.Errorf("ConfigMap %s loses its %s", place, place.Key)
	}
	s.Facts.API.Kubeconfigs[place.String()] = text
}

// localServer is the API server of a host.
func (s *Simulation) localServer(name string) string {
	host, _ := s.State.Cluster.Host(name)
	return world.LocalServer(host)
}

// kubeletServer is what kubeadm tells the kubelet of a host that joins.
func (s *Simulation) kubeletServer(name string) string {
	if host, _ := s.State.Cluster.Host(name); host.Role == inventory.RoleControlPlane {
		return s.localServer(name)
	}
	return s.handsOut(desired.InfoKubeconfig())
}

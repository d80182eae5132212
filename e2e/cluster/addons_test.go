//go:build cluster

package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// addonsWanted is what the inventory asks for beside the cluster.
const addonsWanted = `addons:
  metricsServer: {}
  ingress: {placement: control-plane}
  manifests:
    - path: ./app
      patches:
        - target: {kind: Deployment, name: web}
          patch: '[{op: add, path: /spec/revisionHistoryLimit, value: 2}]'
`

// kustomization builds the application from a folder.
const kustomization = `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [app.yaml]
labels: [{pairs: {team: lab}}]
`

// app is a user's application: it is reached through the ingress controller and scaled by
// an autoscaler.
const app = `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: app}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 1
  maxReplicas: 3
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]
  behavior: {scaleDown: {stabilizationWindowSeconds: 0}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: app}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: web
          image: lab.fairlead.example/probe:v1
          args: [serve, ":8080"]
          resources: {requests: {cpu: 50m}, limits: {cpu: 200m}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: app}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: app}
spec:
  ingressClassName: traefik
  tls: [{hosts: [secure.example], secretName: web-tls}]
  rules:
    - host: web.example
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
    - host: secure.example
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
---
apiVersion: example.com/v1
kind: Line
metadata: {name: first, namespace: app}
spec: {length: 12}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: lines.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: lines, singular: line, kind: Line}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {length: {type: integer}}}}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: once, namespace: app}
spec:
  ttlSecondsAfterFinished: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: once, image: "lab.fairlead.example/probe:v1", args: [resolve, localhost]}]
---
apiVersion: v1
kind: Namespace
metadata: {name: app}
`

func testAddons(t *testing.T) {
	s := freshSite(t, "cp1", "w1", "w2")
	t.Cleanup(func() { shared.up = false })
	if err := os.Mkdir(filepath.Join(s.home, "app"), 0o700); err != nil {
		t.Fatal(err)
	}
	s.write(filepath.Join(s.home, "app", "app.yaml"), app)
	s.write(filepath.Join(s.home, "app", "kustomization.yaml"), kustomization)
	s.write(s.file, s.read(s.file)+addonsWanted)
	s.mustUp()
	s.wantNodes("cp1", "w1", "w2")
	s.planned(0).says("plan is empty")
	for _, part := range []struct {
		name string
		test func(*site)
	}{
		{"Metrics", (*site).wantMetrics},
		{"Rotation", (*site).wantRotation},
		{"Ingress", (*site).wantIngress},
		{"Autoscaler", (*site).wantAutoscaler},
		{"Drift", (*site).wantObjectsPutBack},
		{"Moved", (*site).wantIngressMoved},
		{"Removed", (*site).wantAddonRemoved},
		{"Insecure", (*site).wantInsecureMetrics},
	} {
		t.Run(part.name, func(t *testing.T) { part.test(s.sub(t)) })
	}
}

// clusterCA is the certificate authority of the cluster.
func (s *site) clusterCA() *x509.CertPool {
	s.t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(s.shell("cp1", "cat /etc/kubernetes/pki/ca.crt"))) {
		s.t.Fatal("the cluster's CA cannot be read")
	}
	return pool
}

// kubeletVerifies connects to a kubelet as metrics-server does: with the cluster's CA.
func (s *site) kubeletVerifies(host string, ca *x509.CertPool) error {
	dialer := tls.Dialer{Config: &tls.Config{RootCAs: ca, MinVersion: tls.VersionTLS12}}
	conn, err := dialer.DialContext(s.ctx, "tcp", net.JoinHostPort(s.address(host), "10250"))
	if err != nil {
		return err
	}
	return conn.Close()
}

// wantMetrics looks whether metrics flow, over TLS that is verified.
func (s *site) wantMetrics() {
	for _, what := range []string{"nodes", "pods"} {
		s.eventually("kubectl top "+what, 3*time.Minute, func() string {
			out, err := s.tryKubectl("top", what, "--no-headers", "--all-namespaces="+fmt.Sprint(what == "pods"))
			if what == "nodes" {
				out, err = s.tryKubectl("top", what, "--no-headers")
			}
			if err != nil || strings.Contains(out, "<unknown>") || len(strings.Split(out, "\n")) < 3 {
				return out + errorText(err)
			}
			return ""
		})
	}
	if args := s.kubectl("get", "deployment", "--namespace", "kube-system", "metrics-server", "--output", "yaml"); strings.Contains(args, "insecure-tls") {
		s.t.Errorf("metrics-server does not verify:\n%s", args)
	}
	ca := s.clusterCA()
	for _, host := range []string{"cp1", "w1", "w2"} {
		if err := s.kubeletVerifies(host, ca); err != nil {
			s.t.Errorf("kubelet of %s: %v", host, err)
		}
	}
}

// wantRotation takes a kubelet's certificate away: the approver in the cluster approves
// the next one, without fairlead.
func (s *site) wantRotation() {
	s.shell("w1", "rm /var/lib/kubelet/pki/kubelet-server-*; systemctl restart kubelet.service")
	ca := s.clusterCA()
	s.eventually("a new certificate of w1's kubelet", 2*time.Minute, func() string {
		return errorText(s.kubeletVerifies("w1", ca))
	})
	s.eventually("w1 to be as before", 2*time.Minute, func() string {
		if o := s.fairlead("plan", "--detailed-exitcode"); o.code != 0 {
			return o.stdout
		}
		return ""
	})
}

// through asks the ingress controller on a host for a page of a virtual host.
func (s *site) through(host, url string, ca *x509.CertPool) (string, error) {
	ctx, cancel := context.WithTimeout(s.ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: ca, MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			_, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort(s.address(host), port))
		},
	}
	defer transport.CloseIdleConnections()
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", url, answer.Status)
	}
	return strings.TrimSpace(string(body)), err
}

// served waits until the page comes from a pod of the application.
func (s *site) served(host, url string, ca *x509.CertPool) {
	s.t.Helper()
	s.eventually(url+" through "+host, 2*time.Minute, func() string {
		body, err := s.through(host, url, ca)
		if err != nil || !strings.HasPrefix(body, "web-") {
			return body + errorText(err)
		}
		return ""
	})
}

func (s *site) wantIngress() {
	node := s.kubectl("get", "pods", "--namespace", "app", "--output", "jsonpath={.items[0].spec.nodeName}")
	if node != "w1" && node != "w2" {
		s.t.Errorf("the application runs on %s", node)
	}
	s.served("cp1", "http://web.example/", nil)
	ca := s.tlsSecret("app", "web-tls", "secure.example")
	s.served("cp1", "https://secure.example/", ca)
	s.kubectl("delete", "pods", "--namespace", "ingress", "--all", "--wait=true")
	s.served("cp1", "http://web.example/", nil)
	s.served("cp1", "https://secure.example/", ca)
}

// wantIngressMoved moves the ingress controller to the workers.
func (s *site) wantIngressMoved() {
	s.edit("placement: control-plane", "placement: workers")
	s.planned(3).says("DaemonSet ingress/traefik differs in")
	s.mustUp()
	s.served("w1", "http://web.example/", nil)
	s.served("w2", "http://web.example/", nil)
	s.served("w2", "https://secure.example/", s.tlsSecret("app", "web-tls", "secure.example"))
	if body, err := s.through("cp1", "http://web.example/", nil); err == nil {
		s.t.Errorf("cp1 still answers: %s", body)
	}
	s.planned(0)
}

// wantAutoscaler puts load on the application until it is scaled up, and takes it away.
// What the autoscaler writes is left alone.
func (s *site) wantAutoscaler() {
	replicas := func() string {
		return s.kubectl("get", "deployment", "--namespace", "app", "web", "--output", "jsonpath={.spec.replicas}")
	}
	const load = "load"
	s.kubectl("run", load, "--namespace", "app", "--image=lab.fairlead.example/probe:v1", "--restart=Never", "--grace-period=1",
		"--", "load", "http://web.app.svc.cluster.local/burn?ms=100", "2")
	s.eventually("more replicas", 4*time.Minute, func() string {
		if is := replicas(); is == "1" {
			return "still 1: " + s.kubectl("get", "hpa", "--namespace", "app")
		}
		return ""
	})
	s.eventually("an empty plan while scaled up", 2*time.Minute, func() string {
		if o := s.fairlead("plan", "--detailed-exitcode"); o.code != 0 {
			return o.stdout
		}
		return ""
	})
	s.fairlead("up").exits(0)
	if is := replicas(); is == "1" {
		s.t.Error("up has put back what the autoscaler wrote")
	}
	s.kubectl("delete", "pod", "--namespace", "app", load, "--now")
	s.eventually("one replica", 5*time.Minute, func() string {
		if is := replicas(); is != "1" {
			return is + ": " + s.kubectl("get", "hpa", "--namespace", "app")
		}
		return ""
	})
}

// wantObjectsPutBack changes an applied object, and deletes another.
func (s *site) wantObjectsPutBack() {
	s.kubectl("patch", "service", "--namespace", "app", "web", "--type=json", "--patch", `[{"op": "replace", "path": "/spec/ports/0/targetPort", "value": 9090}]`)
	s.kubectl("annotate", "service", "--namespace", "app", "web", "example.com/note=mine")
	s.kubectl("delete", "ingressclass", "traefik")
	s.planned(3).says("Service app/web differs in spec.ports", "IngressClass /traefik is missing")
	s.fairlead("plan", "--diff").exits(0).says("targetPort: 9090", "targetPort: 8080")
	s.mustUp()
	is := s.kubectl("get", "service", "--namespace", "app", "web", "--output", `jsonpath={.spec.ports[0].targetPort} {.metadata.annotations.example\.com/note}`)
	if is != "8080 mine" {
		s.t.Errorf("target port and foreign annotation are %q", is)
	}
	s.planned(0)
}

// wantAddonRemoved takes the application out of the inventory. What is not fairlead's
// stays, and with it the namespace.
func (s *site) wantAddonRemoved() {
	s.kubectl("create", "configmap", "--namespace", "app", "mine")
	before := s.kubectl("get", "daemonsets,deployments,services,ingressclasses,configmaps,serviceaccounts", "--namespace", "kube-system", "--output", "name")
	text := s.read(s.file)
	s.write(s.file, text[:strings.Index(text, "  manifests:\n")])
	s.planned(3).says("remove the add-on app", "Deployment app/web has left the inventory")
	s.mustUp()
	if _, err := s.tryKubectl("get", "crd", "lines.example.com"); err == nil {
		s.t.Error("the definition of lines is still there")
	}
	if left := s.kubectl("get", "deployments,services,ingresses,hpa,jobs,pods", "--namespace", "app", "--output", "name"); left != "" && !strings.HasPrefix(left, "pod/") {
		s.t.Errorf("left: %s", left)
	}
	if is := s.kubectl("get", "configmap", "--namespace", "app", "mine", "--output", "name"); is != "configmap/mine" {
		s.t.Errorf("the user's ConfigMap is %q", is)
	}
	if after := s.kubectl("get", "daemonsets,deployments,services,ingressclasses,configmaps,serviceaccounts", "--namespace", "kube-system", "--output", "name"); after != before {
		s.t.Errorf("kube-system was\n%s\nand is\n%s", before, after)
	}
	s.planned(0)
}

// wantInsecureMetrics goes the other way: metrics-server takes the certificates as they are,
// and nobody approves requests any more.
func (s *site) wantInsecureMetrics() {
	s.edit("metricsServer: {}", "metricsServer: {insecureTLS: true}")
	s.planned(3).says("remove the add-on kubelet-approver", "Deployment kube-system/metrics-server differs in")
	s.mustUp()
	if args := s.kubectl("get", "deployment", "--namespace", "kube-system", "metrics-server", "--output", "jsonpath={.spec.template.spec.containers[0].args}"); !strings.Contains(args, "--kubelet-insecure-tls") {
		s.t.Errorf("arguments are %s", args)
	}
	s.eventually("kubectl top nodes", 2*time.Minute, func() string {
		_, err := s.tryKubectl("top", "nodes")
		return errorText(err)
	})
	s.planned(0)
}

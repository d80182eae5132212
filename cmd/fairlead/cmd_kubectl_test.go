package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"fairlead/inventory"
	"fairlead/provision/kube"
	"fairlead/provision/kube/kubetest"
	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
	"fairlead/templates"
)

// standInKubectl takes the place of kubectl: it says with which words it was called and whether the API server answers, and
// ends as the first word wants it.
func standInKubectl() {
	file := os.Getenv("KUBECONFIG")
	content, err := os.ReadFile(file)
	if err != nil {
		fmt.Println(err)
		os.Exit(99)
	}
	info, err := os.Stat(file)
	fmt.Printf("%q %v %v\n", os.Args[1:], info.Mode(), err)
	client, err := kube.New(content, new(net.Dialer).DialContext)
	if err == nil {
		err = client.Ready(context.Background())
	}
	fmt.Println("ready:", err)
	if len(os.Args) > 2 && os.Args[1] == "fail" {
		os.Exit(7)
	}
	if len(os.Args) > 1 && os.Args[1] == "apply" {
		_, _ = io.Copy(os.Stdout, os.Stdin)
	}
	if len(os.Args) > 1 && os.Args[1] == "wait" {
		interrupted := make(chan os.Signal, 1)
		signal.Notify(interrupted, os.Interrupt)
		fmt.Println("waiting")
		<-interrupted
		os.Exit(5)
	}
	if err != nil {
		os.Exit(1)
	}
}

// pretended are hosts that are not there, of which cp1 has the administrator's kubeconfig, and a command line for them.
type pretended struct {
	t      *testing.T
	api    *kubetest.API
	cp1    *remotetest.Pretend
	dialed []string // what was connected to from cp1
	out    remotetest.Buffer
	errs   remotetest.Buffer
	file   string
	temp   string
}

// pretend makes them, with keys of controlPlane; server takes the place of the API server's address in the kubeconfig.
func pretend(t *testing.T, api *kubetest.API, keys, server string) *pretended {
	t.Helper()
	p := &pretended{t: t, api: api, cp1: remotetest.NewPretend(t, nil), temp: t.TempDir()}
	t.Setenv("TMPDIR", p.temp)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	p.file = filepath.Join(t.TempDir(), "cluster.yaml")
	write(t, p.file, "apiVersion: fairlead/v1\nkind: Cluster\nname: lab\nkubernetes: {version: 1.37.2}\nssh: {user: me}\ncontrolPlane: {"+keys+"hosts: [{name: cp1, address: 192.0.2.11}]}\n", 0o600)
	content := strings.Replace(p.api.Kubeconfig(), "{token: secret}", clientCredentials(t), 1)
	if server != "" {
		content = strings.Replace(content, "example.com:6443", server, 1)
	}
	p.cp1.PutFile(templates.AdminConf, content)
	var mu sync.Mutex
	p.cp1.OnDial(func(ctx context.Context, network, address string) (net.Conn, error) {
		mu.Lock()
		defer mu.Unlock()
		p.dialed = append(p.dialed, address)
		return p.api.Dial(ctx, network, address)
	})
	return p
}

// clientCredentials are a certificate of its own and its key, as in a kubeconfig.
func clientCredentials(t *testing.T) string {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	text := func(kind string, der []byte) string {
		return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return fmt.Sprintf("{client-certificate-data: %s, client-key-data: %s}", text("CERTIFICATE", certificate), text("PRIVATE KEY", key))
}

// run runs a command line and returns its exit code.
func (p *pretended) run(ctx context.Context, stdin string, args ...string) int {
	p.t.Helper()
	line := program{
		stdin: strings.NewReader(stdin), stdout: &p.out, stderr: &p.errs, env: os.Getenv,
		dial: func(_ context.Context, host inventory.Host) (*remote.Host, error) { return p.cp1.Host(host.Name), nil },
	}
	code := line.run(ctx, append([]string{"fairlead", "-f", p.file}, args...))
	if left, err := os.ReadDir(p.temp); err != nil || len(left) > 0 {
		p.t.Errorf("files are left: %v, %v", left, err)
	}
	return code
}

func (p *pretended) wants(code, want int, stdout, stderr string) {
	p.t.Helper()
	if code != want || p.out.String() != stdout || !strings.Contains(p.errs.String(), stderr) || stderr == "" && p.errs.String() != "" {
		p.t.Errorf("exit code %d, want %d\nstdout: %q\n  want: %q\nstderr: %q\n  want: %q", code, want, p.out.String(), stdout, p.errs.String(), stderr)
	}
}

// Words and exit code of kubectl are its own, and it reaches the API server with a file that nobody else reads.
func TestKubectl(t *testing.T) {
	p := pretend(t, kubetest.New(t), "", "")
	code := p.run(t.Context(), "", "kubectl", "get", "pods", "-o", "json", "-f", "x", "--", "--help", "--output=json")
	p.wants(code, exitDone, `["get" "pods" "-o" "json" "-f" "x" "--" "--help" "--output=json"] -rw------- <nil>`+"\nready: <nil>\n", "")
	if want := "[192.0.2.11:6443]"; fmt.Sprint(p.dialed) != want { // its own API server, whatever carries the endpoint
		t.Errorf("cp1 connected to %v, want %s", p.dialed, want)
	}
}

func TestKubectlFails(t *testing.T) {
	p := pretend(t, kubetest.New(t), "", "")
	p.wants(p.run(t.Context(), "", "kubectl", "fail", "-v"), 7, `["fail" "-v"] -rw------- <nil>`+"\nready: <nil>\n", "")
}

func TestKubectlReadsInput(t *testing.T) {
	p := pretend(t, kubetest.New(t), "", "")
	p.wants(p.run(t.Context(), "kind: X\n", "kubectl", "apply", "-f", "-"), exitDone, `["apply" "-f" "-"] -rw------- <nil>`+"\nready: <nil>\nkind: X\n", "")
}

// Why a connection could not be made is not known to kubectl.
func TestKubectlWithoutWay(t *testing.T) {
	p := pretend(t, kubetest.New(t), "", "")
	p.cp1.OnDial(func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("connection refused") })
	code := p.run(t.Context(), "", "kubectl")
	if code != 1 || !strings.Contains(p.errs.String(), "error: cp1: reach the API server: dial example.com:6443 from cp1: connection refused") {
		t.Errorf("exit code %d, stderr: %s", code, p.errs.String())
	}
}

func TestKubectlIsInterrupted(t *testing.T) {
	p := pretend(t, kubetest.New(t), "", "")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var code int
	var over sync.WaitGroup
	over.Go(func() { code = p.run(ctx, "", "kubectl", "wait") })
	remotetest.Eventually(t, time.Minute, "kubectl waits", func() bool { return strings.Contains(p.out.String(), "waiting") })
	cancel()
	over.Wait()
	p.wants(code, 5, `["wait"] -rw------- <nil>`+"\nready: <nil>\nwaiting\n", "")
}

func TestKubectlIsMissing(t *testing.T) {
	p := pretend(t, kubetest.New(t), "", "")
	t.Setenv("PATH", t.TempDir())
	code := p.run(t.Context(), "", "kubectl", "get", "pods")
	p.wants(code, exitUsage, "", "error: find kubectl on this machine: ")
	if !strings.Contains(p.errs.String(), "\n  hint: get it from https://dl.k8s.io/release/v1.37.2/bin/") {
		t.Error(p.errs.String())
	}
}

// listening is where the API server listens on this machine.
func listening(t *testing.T, api *kubetest.API) string {
	t.Helper()
	conn, err := api.Dial(t.Context(), "tcp", "")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.RemoteAddr().String()
}

// Who cannot use the kubeconfig from where he is learns so, and what else there is.
func TestKubeconfigSaysWhatIsNotReached(t *testing.T) {
	refusing := fmt.Sprintf("127.0.0.1:%d", remotetest.RefusingPort(t))
	for _, c := range []struct {
		name, public, server, want string
		hints                      []string // none: the server is reached
	}{
		{name: "the endpoint is reached", server: "API", want: "API"},
		{name: "the endpoint for people is reached", public: "API", server: refusing, want: "API"},
		{name: "the endpoint is not reached", server: refusing, want: refusing, hints: []string{
			"https://" + refusing + " cannot be used from here: dial tcp " + refusing + ": connect: connection refused\n",
			"\n  hint: controlPlane.publicEndpoint is for the name by which it can be reached from outside\n", "\nnext: fairlead -f FILE kubectl get nodes\n"}},
		{name: "the endpoint for people is not reached", public: refusing, server: "API", want: refusing, hints: []string{"connection refused\nnext: fairlead -f FILE kubectl get nodes\n"}},
		{name: "the certificate does not have the endpoint for people", public: "localhost:PORT", server: "API", want: "localhost:PORT", hints: []string{
			"cannot be used from here: ", "\n  hint: fairlead up puts the name of controlPlane.publicEndpoint into the certificates\n"}},
	} {
		for _, merge := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, merged %v", c.name, merge), func(t *testing.T) {
				api := kubetest.New(t)
				at := listening(t, api)
				_, port, _ := net.SplitHostPort(at)
				fill := strings.NewReplacer("API", at, "PORT", port).Replace
				keys := ""
				if c.public != "" {
					keys = fmt.Sprintf("publicEndpoint: %q, ", fill(c.public))
				}
				p := pretend(t, api, keys, fill(c.server))
				fill = strings.NewReplacer("API", at, "PORT", port, "FILE", p.file).Replace
				into := filepath.Join(t.TempDir(), "config")
				t.Setenv("KUBECONFIG", into)
				args := []string{"kubeconfig"}
				if merge {
					args = append(args, "--merge")
				}
				if code := p.run(t.Context(), "", args...); code != exitDone {
					t.Errorf("exit code %d", code)
				}
				content := p.out.String()
				if merge {
					content = read(t, into)
				}
				if want := "server: https://" + fill(c.want) + "\n"; !strings.Contains(content, want) {
					t.Errorf("got %s\nwant %s", content, want)
				}
				if len(c.hints) == 0 && strings.Contains(p.errs.String(), "cannot be used") {
					t.Error(p.errs.String())
				}
				for _, hint := range c.hints {
					if !strings.Contains(p.errs.String(), fill(hint)) {
						t.Errorf("got %s\nwant %s", p.errs.String(), fill(hint))
					}
				}
			})
		}
	}
}

func TestLeaving(t *testing.T) {
	var l leaving
	var done bytes.Buffer
	say := func(text string) func() error {
		return func() error { done.WriteString(text); return errors.New(text) }
	}
	first := l.add(say("1"))
	second := l.add(say("2"))
	if err := first(); err == nil || err.Error() != "1" {
		t.Error(err)
	}
	if err := l.all(); err == nil || err.Error() != "2" {
		t.Error(err)
	}
	if err := errors.Join(first(), second(), l.all()); err != nil || done.String() != "12" {
		t.Errorf("%v, did %s", err, done.String())
	}
}

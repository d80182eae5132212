package apply_test

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/provision/apply"
	"fairlead/provision/event"
	"fairlead/provision/kube"
	"fairlead/provision/plan"
	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// world is what an Applier acts upon in a test: hosts, an API server, and who hears of it all. Its clock
// goes on only when everybody waits.
type world struct {
	t       *testing.T
	applier *apply.Applier
	steps   func(context.Context, plan.Step) error // of one plan
	cp1, w1 *machine
	api     *api
	log     *remotetest.Buffer // all that people may see: the log of hosts, the journal, events, errors

	hosts    map[string]*remote.Host
	client   *kube.Client
	apiError error // why there is no way to the API server

	mu      sync.Mutex
	journal []string // what was done, in order: "HOST: …" by machines, "api: …" by the API server
	events  []event.Event
	secrets []string // what nobody may see but those whom it is for
}

// inWorld runs a test in a world of its own, and at its end looks for secrets where there must be none.
func inWorld(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, hosts: map[string]*remote.Host{}}
		logger, log := remotetest.DebugLog()
		w.log = log
		for name, machine := range map[string]**machine{"cp1": &w.cp1, "w1": &w.w1} {
			*machine = newMachine(t, func(entry string) { w.note(name + ": " + entry) })
			host := remote.New(*machine, remote.Settings{Name: name, User: "ann", Log: logger})
			w.hosts[name] = host
			t.Cleanup(func() {
				if err := host.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		w.startAPI()
		w.applier = &apply.Applier{Connections: w, Events: event.NewEmitter(time.Now, w.hear), Run: "1a2b3c4d"}
		w.steps = w.applier.Perform(nil)
		test(t, w)
		w.lookForSecrets()
	})
}

// startAPI starts the API server, and makes the client for it.
func (w *world) startAPI() {
	w.api = newAPI(w.t, func(entry string) { w.note("api: " + entry) })
	server, listener := serve(w.t, w.api, (*httptest.Server).StartTLS)
	config := clientcmdapi.NewConfig()
	config.Clusters["c"] = &clientcmdapi.Cluster{
		Server: "https://example.com", CertificateAuthorityData: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
	}
	config.AuthInfos["u"] = clientcmdapi.NewAuthInfo()
	config.Contexts["x"] = &clientcmdapi.Context{Cluster: "c", AuthInfo: "u"}
	config.CurrentContext = "x"
	text, err := clientcmd.Write(*config)
	if err != nil {
		w.t.Fatal(err)
	}
	w.client, err = kube.New(text, func(context.Context, string, string) (net.Conn, error) { return listener.connect() })
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(w.client.Close)
}

// Host implements apply.Connections.
func (w *world) Host(_ context.Context, name string) (*remote.Host, error) {
	if host := w.hosts[name]; host != nil {
		return host, nil
	}
	return nil, fmt.Errorf("no host %s", name)
}

// API implements apply.Connections.
func (w *world) API(context.Context) (*kube.Client, *remote.Host, error) {
	return w.client, w.hosts["cp1"], w.apiError
}

// Through implements apply.Connections.
func (w *world) Through(_ context.Context, host *remote.Host) (*kube.Client, error) {
	w.note("through " + host.Name())
	return w.client, w.apiError
}

func (w *world) note(entry string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.journal = append(w.journal, entry)
	fmt.Fprintln(w.log, entry)
}

func (w *world) hear(e event.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
	fmt.Fprintln(w.log, e)
}

// secret notes what nobody may see.
func (w *world) secret(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.secrets = append(w.secrets, text)
}

// step is a step of the actions on a host, or on the API server where the host is empty.
func step(host string, actions ...plan.Action) plan.Step {
	return plan.Step{ID: host + "/step", Host: host, Title: "do it", Actions: actions}
}

// do carries out actions on cp1, and returns the error as people see it; empty when there is none.
func (w *world) do(actions ...plan.Action) string { return w.doOn("cp1", actions...) }

// doOn carries out actions on a host, or on the API server where the host is empty.
func (w *world) doOn(host string, actions ...plan.Action) string {
	return said(w.perform(w.t.Context(), step(host, actions...)))
}

// perform carries out a step. Its error is among what must not hold a secret.
func (w *world) perform(ctx context.Context, step plan.Step) error {
	err := w.steps(ctx, step)
	fmt.Fprintln(w.log, err)
	return err
}

// said is the text of an error; empty when there is none.
func said(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// well fails the test when there is an error.
func (w *world) well(said string) {
	w.t.Helper()
	if said != "" {
		w.t.Errorf("failed: %s", said)
	}
}

// did compares what was done since it was last asked for with what should have been.
func (w *world) did(want ...string) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Equal(w.journal, want) {
		w.t.Errorf("done was\n  %s\nwant\n  %s", strings.Join(w.journal, "\n  "), strings.Join(want, "\n  "))
	}
	w.journal = nil
}

// told compares the events since it was last asked for with what should have been: "KIND MESSAGE".
func (w *world) told(want ...string) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	var got []string
	for _, e := range w.events {
		text := string(e.Kind) + " " + e.Message
		if e.Total > 0 {
			text = fmt.Sprintf("%s %d/%d", e.Kind, e.Bytes, e.Total)
		}
		got = append(got, text)
	}
	if !slices.Equal(got, want) {
		w.t.Errorf("told was\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
	w.events = nil
}

// lasts runs an action that waits in vain, and says how long it did.
func (w *world) lasts(action plan.Action) (time.Duration, string) {
	w.t.Helper()
	start := time.Now()
	err := w.perform(w.t.Context(), step("cp1", action))
	if !errors.Is(err, context.DeadlineExceeded) {
		w.t.Errorf("%s: %v, want the end of its time", action.Describe(), err)
	}
	return time.Since(start).Round(time.Second), said(err)
}

// lookForSecrets looks for secrets in what hosts show of processes, in the log, in errors and in events, all of which are in the log
// of the test.
func (w *world) lookForSecrets() {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := w.log.String() + strings.Join(append(w.cp1.commands, w.w1.commands...), "\n")
	for _, secret := range w.secrets {
		if strings.Contains(seen, secret) {
			w.t.Errorf("the secret %q is to be seen", secret)
		}
	}
}

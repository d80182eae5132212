//go:build cluster

package cluster

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// writerTimeout is the time that one write may take.
	writerTimeout = 5 * time.Second
	writerLabel   = "writer=here"
)

// writer writes twenty ConfigMaps a second through the cluster's endpoint, and remembers those of which the API server has said that
// they are written.
type writer struct {
	s      *site
	http   *http.Client
	server string
	end    context.CancelFunc
	writes sync.WaitGroup

	mutex  sync.Mutex
	asked  int
	stored []string // the names of those that were acknowledged
	bad    []string // why others were not
}

// startWriter begins to write, with the administrator's kubeconfig of the first control plane.
func startWriter(s *site) *writer {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.ctx)
	w := &writer{s: s, end: cancel}
	w.connect()
	w.writes.Go(func() {
		ticker := time.NewTicker(time.Second / 20)
		defer ticker.Stop()
		for i := 0; ; i++ {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				w.writes.Go(func() { w.write(s.ctx, fmt.Sprintf("written-%05d", i)) })
			}
		}
	})
	return w
}

// connect reads who the administrator is, and where the endpoint.
func (w *writer) connect() {
	w.s.t.Helper()
	field := func(name string) string {
		return w.s.shell("cp1", `sed -n 's/^ *`+name+`: //p' /etc/kubernetes/admin.conf`)
	}
	var pair [2][]byte
	for i, name := range []string{"client-certificate-data", "client-key-data"} {
		text, err := base64.StdEncoding.DecodeString(field(name))
		if err != nil {
			w.s.t.Fatal(err)
		}
		pair[i] = text
	}
	certificate, err := tls.X509KeyPair(pair[0], pair[1])
	if err != nil {
		w.s.t.Fatal(err)
	}
	w.server = field("server")
	w.http = &http.Client{Transport: &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: w.s.clusterCA(), Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12},
		MaxIdleConnsPerHost: 20, IdleConnTimeout: writerTimeout,
	}}
}

func (w *writer) write(ctx context.Context, name string) {
	label, value, _ := strings.Cut(writerLabel, "=")
	text, err := json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "data": map[string]string{"at": time.Now().Format(time.RFC3339Nano)},
		"metadata": map[string]any{"name": name, "labels": map[string]string{label: value}},
	})
	if err == nil {
		_, err = w.ask(ctx, http.MethodPost, "", text)
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.asked++
	if err != nil {
		w.bad = append(w.bad, fmt.Sprintf("%s: %v", name, err))
		return
	}
	w.stored = append(w.stored, name)
}

// ask sends one request about ConfigMaps. An answer other than that it was done is an error.
func (w *writer) ask(ctx context.Context, method, query string, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, writerTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, w.server+"/api/v1/namespaces/default/configmaps"+query, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := w.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusCreated && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", answer.Status, said)
	}
	return said, err
}

// stop waits for the last writes, and says how many were acknowledged.
func (w *writer) stop() int {
	w.s.t.Helper()
	w.end()
	w.writes.Wait()
	w.s.t.Logf("writer: %d asked, %d acknowledged; %s", w.asked, len(w.stored), strings.Join(w.bad[:min(len(w.bad), 2)], "; "))
	return len(w.stored)
}

// lost reads all back: those that were acknowledged and are not there.
func (w *writer) lost() []string {
	w.s.t.Helper()
	var list struct {
		Items []struct {
			Metadata struct {
				Name string `json:"name"`
			} `json:"metadata"`
		} `json:"items"`
	}
	text, err := w.ask(w.s.ctx, http.MethodGet, "?labelSelector="+url.QueryEscape(writerLabel), nil)
	if err == nil {
		err = json.Unmarshal(text, &list)
	}
	if err != nil {
		w.s.t.Fatalf("read back what was written: %v", err)
	}
	there := map[string]bool{}
	for _, item := range list.Items {
		there[item.Metadata.Name] = true
	}
	return slices.DeleteFunc(slices.Clone(w.stored), func(name string) bool { return there[name] })
}

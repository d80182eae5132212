package kube_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"fairlead/provision/kube"
	"fairlead/provision/kube/kubetest"
)

// A server is reached when its certificate is what the kubeconfig wants, and is asked for nothing.
func TestReach(t *testing.T) {
	api := kubetest.New(t)
	other := kubetest.New(t)
	for name, c := range map[string]struct {
		edit func(string) string
		dial kube.DialFunc
		want string
	}{
		"it is reached":     {dial: api.Dial},
		"no port":           {dial: api.Dial, edit: strings.NewReplacer("example.com:6443", "example.com").Replace},
		"another name":      {dial: api.Dial, edit: strings.NewReplacer("example.com:6443", "api.lab:6443").Replace, want: "certificate is valid for"},
		"the other's name":  {dial: api.Dial, edit: strings.NewReplacer(`"https://example.com:6443"`, "https://api.lab:6443, tls-server-name: example.com").Replace},
		"another server":    {dial: other.Dial, edit: strings.NewReplacer(`"https://example.com:6443"`, "https://127.0.0.1:6443, tls-server-name: api.lab").Replace, want: "certificate is valid for"},
		"nobody is there":   {dial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("nobody") }, want: "nobody"},
		"an unusable file":  {edit: strings.NewReplacer("https://", "http://").Replace, want: "no https URL"},
		"a file that is no": {edit: func(string) string { return "a: [" }, want: "read kubeconfig"},
	} {
		t.Run(name, func(t *testing.T) {
			content := api.Kubeconfig()
			if c.edit != nil {
				content = c.edit(content)
			}
			err := kube.Reach(t.Context(), []byte(content), c.dial)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	if asked := append(api.Requests(), other.Requests()...); len(asked) > 0 {
		t.Errorf("it was asked for %v", asked)
	}
}

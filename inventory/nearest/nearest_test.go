package nearest

import (
	"strings"
	"testing"
)

func TestWord(t *testing.T) {
	for _, c := range []struct {
		candidates string
		want       map[string]string
	}{
		{"name address ssh labels taints identityFile", map[string]string{
			"adress": "address", "Name": "name", "label": "labels", "identity_file": "identityFile", "shh": "ssh", "ID": "identityFile",
			"password": "", "x": "", "": "", strings.Repeat("n", 1000): "",
		}},
		{"init check plan up join reset kubeconfig", map[string]string{
			"upp": "up", "chekc": "check", "kubecfg": "kubeconfig", "kube": "kubeconfig", "restet": "reset", "zebra": "", "j": "",
		}},
		{"clusterDNS maxPods", map[string]string{"maxpods": "maxPods", "maxPod": "maxPods", "mxaPods": "maxPods", "minimum": "", "": ""}},
		{"hostname hosts", map[string]string{"host": "hosts", "hos": "hosts", "ho": ""}}, // two that start like it: the nearer, if it is near
		{"w1 w3", map[string]string{"w2": "w1", "v2": ""}},                               // of equally near ones the first
		{"authenticationWebhook", map[string]string{"authenticateWebhook": "authenticationWebhook", "authoriseWebhook": ""}},
	} {
		for word, want := range c.want {
			if got := Word(word, strings.Fields(c.candidates)); got != want {
				t.Errorf("%q of %s: got %q, want %q", word, c.candidates, got, want)
			}
		}
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}, {"ab", "ba", 2}, {"a", "ä", 2},
	} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("from %q to %q are %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

//go:build cluster

package cluster

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// marker is touched on each host before a run whose files are to be searched. It lies in a
// folder that fairlead does not own.
const marker = "/var/tmp/fairlead-e2e-marker"

func testSecrets(t *testing.T) {
	s := clusterSite(t)
	w3 := s.add("w3")
	hosts := []string{"cp1", "w1", "w2", "w3"}
	for _, host := range hosts {
		s.shell(host, "touch "+marker)
	}
	stop := sample(s.ctx)
	o := s.fairlead("join", "w3", "--address", w3.Address.String(), "--output", "json", "--verbose")
	seen := stop()
	o.exits(0)
	joins := seen.join()
	if len(joins) != 1 {
		t.Fatalf("in %d looks %d documents for kubeadm join were seen, want 1", seen.looks, len(joins))
	}
	t.Run("CAHash", func(t *testing.T) {
		want := "sha256:" + s.shell("cp1", "openssl x509 -pubkey -noout -in /etc/kubernetes/pki/ca.crt | openssl pkey -pubin -outform der | sha256sum | cut -c1-64")
		if joins[0].caHash != want {
			t.Errorf("kubeadm was given %q, openssl computes %q", joins[0].caHash, want)
		}
	})
	t.Run("Tokens", func(t *testing.T) { s.sub(t).wantNoTokens() })
	// Into the home folder, where the scan searches all files.
	s.fairlead("check", "--facts", filepath.Join(s.home, "facts.json")).exits(0)
	t.Run("Scan", func(t *testing.T) { s.sub(t).scan(hosts, joins[0].token, o, seen) })
	s.fairlead("reset", "w3", "--yes").exits(0)
	t.Run("Impostor", func(t *testing.T) { s.sub(t).joinImpostor("w3") })
	t.Run("TokensAfterFailure", func(t *testing.T) { s.sub(t).wantNoTokens() })
}

// privateKeyMarks are how private keys begin: as PEM, and as a kubeconfig holds PEM.
func privateKeyMarks() []string {
	return []string{
		"PRIVATE KEY-----",
		"LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVkt", "LS0tLS1CRUdJTiBFQyBQUklWQVRFIEtFWS", "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS",
	}
}

// scan searches all that a run has said and written for its token and for private keys.
func (s *site) scan(hosts []string, token string, o outcome, seen *samples) {
	s.t.Helper()
	_, secret, _ := strings.Cut(token, ".")
	texts := map[string]string{
		"events": o.stdout, "standard error": o.stderr,
		"command lines": strings.Join(slices.Sorted(maps.Keys(seen.lines)), "\n"),
	}
	s.laptopFiles(texts)
	if facts := texts[filepath.Join(s.home, "facts.json")]; !strings.Contains(facts, `"hosts"`) {
		s.t.Error("the file of facts was not searched")
	}
	logs := 0
	for name, text := range texts {
		if strings.HasSuffix(name, ".log") {
			logs++
		}
		for _, mark := range append(privateKeyMarks(), secret) {
			if strings.Contains(text, mark) {
				s.t.Errorf("%s: holds %s", name, describe(mark, secret))
			}
		}
	}
	if logs == 0 {
		s.t.Error("no debug log was searched")
	}
	for _, host := range hosts {
		s.scanHost(host, secret)
	}
}

func describe(mark, secret string) string {
	if mark == secret {
		return "the token's secret"
	}
	return "a private key"
}

// laptopFiles adds all files that fairlead has below its home folder. The lab's own key
// lies elsewhere.
func (s *site) laptopFiles(texts map[string]string) {
	s.t.Helper()
	err := filepath.WalkDir(s.home, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		texts[path] = string(data)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// scanHost searches the files that were written on the host since the marker. The token's
// secret may be in etcd's data, where the cluster keeps its Secrets; keys may be where
// kubeadm and the kubelet have theirs. Programs hold the words that begin a key, so that
// binary files are searched for the token alone.
func (s *site) scanHost(host, secret string) {
	s.t.Helper()
	// find exits with 1 when a file goes away under it.
	const written = `find / \( -path /proc -o -path /sys -o -path /dev -o -path /var/lib/etcd -o -path '/run/containerd/io.containerd.runtime*' \
		-o -path '/var/lib/kubelet/pods/*/volumes' \) -prune -o -type f -cnewer ` + marker + ` -print0 2>/dev/null || :`
	count := s.shell(host, "{ "+written+"; } | tr -dc '\\0' | wc -c")
	s.t.Logf("host %s: %s files written", host, count)
	for name, script := range map[string]string{
		"the token's secret": `xargs -0 -r grep -lF -e "$1"`,
		"a private key":      `grep -zvE '^/(etc/kubernetes|var/lib/kubelet/pki|etc/ssh)/' | xargs -0 -r grep -IlE -e "$2"`,
	} {
		out := s.shell(host, "{ "+written+"; } | "+script+" 2>/dev/null || :", secret, strings.Join(privateKeyMarks(), "|"))
		if out != "" {
			s.t.Errorf("host %s: %s is in %s", host, name, strings.Join(strings.Fields(out), ", "))
		}
	}
}

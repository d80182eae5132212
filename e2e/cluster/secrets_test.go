//go:build cluster

package cluster

import (
	"path/filepath"
	"strings"
	"testing"
)

func testSecrets(t *testing.T) {
	s := clusterSite(t)
	w3 := s.add("w3")
	hosts := []string{"cp1", "w1", "w2", "w3"}
	s.markHosts(hosts)
	stop := sample(s)
	o := s.fairlead("join", "w3", "--address", w3.Address.String(), "--output", "json", "--verbose")
	seen := stop()
	o.exits(0)
	s.fairlead("kubeconfig").exits(0) // what it prints is a key, what it logs must hold none
	joins := seen.join()
	if len(joins) != 1 {
		t.Fatalf("in %d looks %d documents for kubeadm join were seen, want 1", seen.looks, len(joins))
	}
	seen.wantForRootOnly(t)
	t.Run("CAHash", func(t *testing.T) {
		want := "sha256:" + s.shell("cp1", "openssl x509 -pubkey -noout -in /etc/kubernetes/pki/ca.crt | openssl pkey -pubin -outform der | sha256sum | cut -c1-64")
		if joins[0].caHash != want {
			t.Errorf("kubeadm was given %q, openssl computes %q", joins[0].caHash, want)
		}
	})
	t.Run("Tokens", func(t *testing.T) { s.sub(t).wantNoTokens() })
	// Into the home folder, where the scan searches all files.
	s.fairlead("check", "--facts", filepath.Join(s.home, "facts.json")).exits(0)
	if facts := s.read(filepath.Join(s.home, "facts.json")); !strings.Contains(facts, `"hosts"`) {
		t.Error("the file of facts holds no hosts")
	}
	t.Run("Scan", func(t *testing.T) { s.sub(t).scan(hosts, seen, o) })
	s.fairlead("reset", "w3", "--yes").exits(0)
	t.Run("Stopped", func(t *testing.T) { s.sub(t).stopJoins("w3") })
	t.Run("Impostor", func(t *testing.T) { s.sub(t).joinImpostor("w3") })
	t.Run("TokensAfterFailure", func(t *testing.T) { s.sub(t).wantNoTokens() })
}

// stopJoins stops runs in which the host would join: by a failure before its join began, and by
// Ctrl-C in the middle of it. No token is left by either, and the next run goes on.
func (s *site) stopJoins(host string) {
	s.t.Helper()
	text := s.read(s.file)
	s.t.Run("Before", func(t *testing.T) {
		s := s.sub(t)
		s.shell(host, smallDisk)
		s.ignorePreflight("Disk")
		events := s.fairlead("up", "--output", "json").exits(1).events()
		s.shell(host, "umount /opt/cni")
		s.write(s.file, text)
		_, minted := find(events, "done", "cluster/token/mint")
		_, skipped := find(events, "skipped", host+"/join")
		if !minted || !skipped {
			t.Errorf("a token was minted: %v, the join was skipped: %v", minted, skipped)
		}
		s.wantNoTokens()
	})
	s.t.Run("Within", func(t *testing.T) {
		s := s.sub(t)
		o := s.upWith(moment{"Ctrl-C", printed(host+"/join", ""), interrupt}).exits(1)
		if e, done := find(o.events(), "done", host+"/join"); done {
			t.Errorf("the join was done all the same: %+v", e)
		}
		if e, revoked := find(o.events(), "done", "cluster/token/revoke"); !revoked {
			t.Errorf("the token was not deleted by the run itself: %+v", e)
		}
		s.wantNoTokens()
	})
	s.mustUp()
	s.wantNodes("cp1", "w1", "w2", host)
	s.wantNoTokens()
	s.planned(0)
	s.fairlead("reset", host, "--yes").exits(0)
}

//go:build cluster

package cluster

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	// sampleInterval is the pause between two looks at all processes.
	sampleInterval = 100 * time.Millisecond
	// kubeadmConfig is where kubeadm gets its document on a host.
	kubeadmConfig = "/run/fairlead/kubeadm.yaml"
)

// samples are what was seen of all processes of this machine, and so of all lab hosts, in
// the course of a run.
type samples struct {
	lab       netip.Prefix // whose documents are meant: hosts of other labs may be at work, too
	mu        sync.Mutex
	lines     map[string]bool // command lines
	documents map[string]bool // of kubeadm, with the token
	modes     map[string]bool // of those documents, and who owns them
	looks     int
}

// sample looks at all processes again and again until stop is called, which returns what
// was seen, of documents those that name a host of this lab. Hosts of a lab are containers: their processes are in this machine's /proc,
// and their files below /proc/PID/root.
func sample(s *site) (stop func() *samples) {
	seen := &samples{lab: netip.MustParsePrefix(shared.options.Subnet), lines: map[string]bool{}, documents: map[string]bool{}, modes: map[string]bool{}}
	ctx, cancel := context.WithCancel(s.ctx)
	var group sync.WaitGroup
	group.Go(func() {
		ticker := time.NewTicker(sampleInterval)
		defer ticker.Stop()
		for ctx.Err() == nil {
			seen.look()
			select {
			case <-ctx.Done():
			case <-ticker.C:
			}
		}
	})
	return func() *samples {
		cancel()
		group.Wait()
		return seen
	}
}

func (s *samples) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looks++
	// Processes end while they are looked at: what cannot be read is not there any more.
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil || len(data) == 0 {
			continue
		}
		line := strings.TrimSpace(strings.ReplaceAll(string(data), "\x00", " "))
		s.lines[line] = true
		if !strings.Contains(line, "kubeadm join") && !strings.Contains(line, "kubeadm init") {
			continue
		}
		s.document(filepath.Join(filepath.Dir(file), "root", kubeadmConfig))
	}
}

// document keeps what kubeadm was given, and who may read it.
func (s *samples) document(file string) {
	text, err := os.ReadFile(file)
	info, statErr := os.Stat(file)
	if err != nil || statErr != nil || !s.ours(string(text)) {
		return
	}
	s.documents[string(text)] = true
	if owner, known := info.Sys().(*syscall.Stat_t); known {
		s.modes[fmt.Sprintf("%v %d:%d", info.Mode(), owner.Uid, owner.Gid)] = true
	}
}

// ours says whether a document names an address of this lab, as each document of kubeadm's does.
func (s *samples) ours(document string) bool {
	for _, text := range regexp.MustCompile(`\d+\.\d+\.\d+\.\d+`).FindAllString(document, -1) {
		if address, err := netip.ParseAddr(text); err == nil && s.lab.Contains(address) {
			return true
		}
	}
	return false
}

// wantForRootOnly fails the test unless kubeadm's documents were for root's eyes whenever they
// were looked at.
func (s *samples) wantForRootOnly(t *testing.T) {
	t.Helper()
	if modes := slices.Sorted(maps.Keys(s.modes)); !slices.Equal(modes, []string{"-rw------- 0:0"}) {
		t.Errorf("%s was %q", kubeadmConfig, modes)
	}
}

// joinDocument is what was seen of a document for kubeadm join.
type joinDocument struct{ token, caHash string }

// join returns the token and the CA hash of the documents for joins that were seen.
func (s *samples) join() (joins []joinDocument) {
	token := regexp.MustCompile(`token: "?([a-z0-9]{6}\.[a-z0-9]{16})"?`)
	hash := regexp.MustCompile(`sha256:[0-9a-f]{64}`)
	for document := range s.documents {
		if !strings.Contains(document, "kind: JoinConfiguration") {
			continue
		}
		match := token.FindStringSubmatch(document)
		if match == nil {
			continue
		}
		joins = append(joins, joinDocument{token: match[1], caHash: hash.FindString(document)})
	}
	return joins
}

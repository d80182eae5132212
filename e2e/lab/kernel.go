package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// kernelTree is where the kernel shows its parameters.
const kernelTree = "/proc/sys"

// parameter is one of the machine's kernel that all its labs share.
type parameter struct {
	path  string
	value int
	least bool // more is as good
}

// parameters are what every kubelet sets when it starts (pkg/kubelet/cm/container_manager_linux.go, setupKernelTunables),
// and of what kubelets, container runtimes and systemd of several labs together need more than a machine usually has.
func parameters() []parameter {
	return []parameter{
		{"vm/overcommit_memory", 1, false},
		{"vm/panic_on_oom", 0, false},
		{"kernel/panic", 10, false},
		{"kernel/panic_on_oops", 1, false},
		{"kernel/keys/root_maxkeys", 1_000_000, false},
		{"kernel/keys/root_maxbytes", 25_000_000, false},
		{"fs/inotify/max_user_instances", 1024, true},
	}
}

// ensureKernel gives the machine's kernel the values that hosts will want anyway. Hosts of all labs share it: so none sees a
// value change because of another one's kubelet, and none puts back, when it is reset, what others still need. A user who is
// not root keeps what there is.
func (m *machine) ensureKernel(tree string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	for _, p := range parameters() {
		file := filepath.Join(tree, p.path)
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read kernel parameter: %w", err)
		}
		is, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil {
			return fmt.Errorf("read kernel parameter %s: %w", p.path, err)
		}
		if is == p.value || p.least && is > p.value {
			continue
		}
		m.log.Printf("set kernel parameter %s to %d, it was %d", p.path, p.value, is)
		if err := os.WriteFile(file, []byte(strconv.Itoa(p.value)+"\n"), 0o644); err != nil {
			return fmt.Errorf("set kernel parameter: %w", err)
		}
	}
	return nil
}

// alone does what only one process may do to the machine at a time: look what it lacks, install that, start the Docker daemon,
// make the hosts' image. Other processes that share the cache folder wait.
func (m *machine) alone(ctx context.Context, do func() error) (err error) {
	file, err := os.OpenFile(filepath.Join(m.cache, "machine.lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return fmt.Errorf("open lock: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	told := false
	err = poll(ctx, "the process that prepares this machine", func() (string, error) {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return "", err
		}
		if !told {
			told = true
			m.log.Printf("another process prepares this machine: waiting")
		}
		return err.Error(), nil
	})
	if err != nil {
		return err
	}
	return do()
}

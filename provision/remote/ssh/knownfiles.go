package ssh

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
)

// knownFiles are the known_hosts files of one run; each is read once.
type knownFiles struct {
	log    *slog.Logger
	mu     sync.Mutex
	byPath map[string]func() (*knownFile, error)
}

func newKnownFiles(log *slog.Logger) *knownFiles {
	return &knownFiles{log: log, byPath: map[string]func() (*knownFile, error){}}
}

// about returns the lines of a file that are about a host, named as knownName names it.
func (k *knownFiles) about(path, name string) ([]knownLine, error) {
	k.mu.Lock()
	read := k.byPath[path]
	if read == nil {
		read = sync.OnceValues(func() (*knownFile, error) { return readKnownFile(path, k.log) })
		k.byPath[path] = read
	}
	k.mu.Unlock()
	file, err := read()
	if err != nil {
		return nil, err
	}
	return file.about(name), nil
}

// knownFile is a known_hosts file. What a line says of a host by its plain name is found by that name; only the others
// are compared with every host.
type knownFile struct {
	lines    []knownLine
	plain    map[string][]int // indexes of lines by the host's name
	patterns []int            // indexes of lines with a pattern or a hashed name
}

// readKnownFile reads a file. As with OpenSSH a file that does not exist is empty, and a line that cannot be read is
// logged and passed over: it can only make a host unknown, never known.
func readKnownFile(path string, log *slog.Logger) (*knownFile, error) {
	f, err := os.Open(path) //nolint:gosec // the user names the file
	if errors.Is(err, fs.ErrNotExist) {
		return &knownFile{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read known hosts: %w", err)
	}
	lines, err := scanKnownHosts(f, path, log)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("read known hosts %s: %w", path, err)
	}
	return indexKnown(lines), nil
}

func indexKnown(lines []knownLine) *knownFile {
	file := &knownFile{lines: lines, plain: map[string][]int{}}
	for i, line := range lines {
		if slices.ContainsFunc(line.hosts, isPattern) {
			file.patterns = append(file.patterns, i)
			continue
		}
		for _, name := range line.hosts {
			file.plain[name] = append(file.plain[name], i)
		}
	}
	return file
}

// isPattern tells what is more than one host's plain name.
func isPattern(host string) bool {
	return strings.HasPrefix(host, "|") || strings.ContainsAny(host, "*?!")
}

// about returns the lines about a host, in the order of the file.
func (f *knownFile) about(name string) []knownLine {
	found := slices.Clone(f.plain[name])
	for _, i := range f.patterns {
		if f.lines[i].matches(name) {
			found = append(found, i)
		}
	}
	slices.Sort(found)
	var lines []knownLine
	for _, i := range slices.Compact(found) { // a line may name a host twice
		lines = append(lines, f.lines[i])
	}
	return lines
}

package ssh

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
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

// about returns the lines of a file that are about a host, named as knownNames names it.
func (k *knownFiles) about(path, name string) ([]knownLine, error) {
	file, err := k.file(path)
	if err != nil {
		return nil, err
	}
	return file.about(name), nil
}

// file returns a file, which is read at the first time.
func (k *knownFiles) file(path string) (*knownFile, error) {
	k.mu.Lock()
	read := k.byPath[path]
	if read == nil {
		read = sync.OnceValues(func() (*knownFile, error) { return readKnownFile(path, k.log) })
		k.byPath[path] = read
	}
	k.mu.Unlock()
	return read()
}

// knownFile is a known_hosts file. What a line says of a host by its plain name is found by that name; only the others
// are compared with every host.
type knownFile struct {
	lines    []knownLine
	plain    map[string][]int // indexes of lines by the host's name
	patterns []int            // indexes of lines with a pattern or a hashed name
}

// readKnownFile reads a file. As with OpenSSH a file that does not exist is empty, and a line that cannot be read is
// logged and passed over: it can only make a host unknown, never known. Unlike there, a file that cannot be read is an
// error, as is a revocation that cannot be read, see knownLine: what they would have revoked must not be accepted.
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

// scanKnownHosts reads lines of any length; the last one may lack its newline.
func scanKnownHosts(r io.Reader, name string, log *slog.Logger) ([]knownLine, error) {
	var lines []knownLine
	for n, text := 1, bufio.NewReader(r); ; n++ {
		line, end := text.ReadString('\n')
		if end != nil && !errors.Is(end, io.EOF) {
			return nil, end
		}
		k, ok, err := parseKnownLine(strings.TrimSuffix(line, "\n"))
		switch {
		case err != nil:
			log.Warn("known_hosts line ignored", "file", name, "line", n, "error", err,
				"mend", fmt.Sprintf("correct or delete line %d of %s", n, name))
		case ok:
			k.file, k.line = name, n
			lines = append(lines, k)
		}
		if end != nil {
			return lines, nil
		}
	}
}

func indexKnown(lines []knownLine) *knownFile {
	file := &knownFile{lines: lines, plain: map[string][]int{}}
	for i, line := range lines {
		names, ok := line.names.(patterns)
		if !ok || slices.ContainsFunc(names, isPattern) {
			file.patterns = append(file.patterns, i)
			continue
		}
		for _, name := range names {
			file.plain[name] = append(file.plain[name], i)
		}
	}
	return file
}

// isPattern tells what is more than one host's plain name.
func isPattern(host string) bool { return strings.ContainsAny(host, "*?!") || len(host) >= maxPattern }

// about returns the lines about a host, in the order of the file.
func (f *knownFile) about(name string) []knownLine {
	found := slices.Clone(f.plain[name])
	for _, i := range f.patterns {
		if f.lines[i].names.match(name) {
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

// knownNames are the names by which known_hosts may know a host, the first of which is the one to add it by. With a port
// other than 22 that is [name]:port; OpenSSH looks up the bare name when it has found no key by the first (check_host_key
// in sshconnect.c, the case of HOST_NEW).
func knownNames(address string, port int) []string {
	address = asciiLower(address)
	if port == defaultPort {
		return []string{address}
	}
	return []string{"[" + address + "]:" + strconv.Itoa(port), address}
}

// defaultKnownHosts are the files that ssh itself reads: UserKnownHostsFile and GlobalKnownHostsFile in ssh_config(5).
func defaultKnownHosts() []string {
	var files []string
	if home, err := os.UserHomeDir(); err == nil {
		files = append(files, filepath.Join(home, ".ssh", "known_hosts"), filepath.Join(home, ".ssh", "known_hosts2"))
	}
	return append(files, "/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")
}

// expandHome replaces a leading ~/ by the home directory.
func expandHome(path string) (string, error) {
	rest, ok := strings.CutPrefix(path, "~/")
	if !ok {
		return path, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find home directory for %s: %w", path, err)
	}
	return filepath.Join(home, rest), nil
}

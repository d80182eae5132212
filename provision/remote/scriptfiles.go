package remote

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	_ "embed" // the scripts are part of the program
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"syscall"
	"time"
)

var (
	//go:embed scripts/read-file.sh
	readScript string
	//go:embed scripts/stat-file.sh
	statScript string
	//go:embed scripts/write-file.sh
	writeScript string
)

// otherThanFile is the exit code of readScript when something else than a file is there.
const otherThanFile = 4

// scriptFiles is access to files by a process for each operation, for hosts without an sftp-server.
type scriptFiles struct {
	host    *Host
	silence time.Duration
}

// read implements fileAccess.
func (s scriptFiles) read(ctx context.Context, path string) ([]byte, error) {
	r, err := s.run(ctx, "read-file", readScript, nil, path)
	var failed *scriptError
	if errors.As(err, &failed) && failed.code == otherThanFile {
		return nil, fmt.Errorf("%w: it is a %s", errNotRegular, lastLines(failed.said, 1))
	}
	return r.Stdout, err
}

// equal implements fileAccess.
func (s scriptFiles) equal(ctx context.Context, f File) (bool, error) {
	r, err := s.run(ctx, "stat-file", statScript, nil, f.Path, strconv.Itoa(len(f.Content)))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	info, digest, _ := strings.Cut(string(r.Stdout), "\n")
	if strings.HasSuffix(info, " directory") {
		return false, fmt.Errorf("%w: a directory is in the way", errNotRegular)
	}
	want := fmt.Sprintf("%s %d %d %d regular ", octal(f.Mode), f.UID, f.GID, len(f.Content))
	sum := sha256.Sum256(f.Content)
	return strings.HasPrefix(info, want) && strings.HasPrefix(digest, hex.EncodeToString(sum[:])), nil
}

// place implements fileAccess.
func (s scriptFiles) place(ctx context.Context, f File, size int64, content io.Reader) error {
	_, err := s.run(ctx, "write-file", writeScript, content, f.Path, octal(f.Mode), fmt.Sprintf("%d:%d", f.UID, f.GID),
		strconv.FormatInt(size, 10), rand.Text(), strconv.Itoa(int(tempStale/time.Minute)))
	return err
}

// octal is a mode as chmod takes it and stat prints it.
func octal(mode fs.FileMode) string {
	bits := uint32(mode.Perm())
	for _, b := range []struct {
		mode fs.FileMode
		bit  uint32
	}{{fs.ModeSetuid, syscall.S_ISUID}, {fs.ModeSetgid, syscall.S_ISGID}, {fs.ModeSticky, syscall.S_ISVTX}} {
		if mode&b.mode != 0 {
			bits |= b.bit
		}
	}
	return strconv.FormatUint(uint64(bits), 8)
}

// run runs a script as root. It is an argument, as standard input is the file's content; errors do not show it.
func (s scriptFiles) run(ctx context.Context, name, script string, content io.Reader, args ...string) (Result, error) {
	free, err := s.host.slot(ctx)
	if err != nil {
		return Result{}, err
	}
	defer free()
	argv := append([]string{"/bin/sh", "-c", script, name}, args...)
	r, err := s.host.execute(ctx, Command{Stdin: content, Root: true, Secret: true, Silence: s.silence}, argv, name)
	var exit *ExitError
	if errors.As(err, &exit) {
		err = &scriptError{code: exit.Code, said: exit.Stderr}
	}
	return r, err
}

// scriptError is a script that failed. What its programs said may be shown: they know the file's name, never its content.
type scriptError struct {
	code int
	said []byte
}

// Error is what the script's programs said.
func (e *scriptError) Error() string { return lastLines(e.said, stderrLines) }

// Unwrap is what the operating system said, where that is known.
func (e *scriptError) Unwrap() error { return errnoOf(e.said) }

// errnoOf reads which error a program had. Programs end their complaint with the operating system's own words, which are
// these with LC_ALL=C.
func errnoOf(complaint []byte) error {
	said := bytes.TrimSpace([]byte(lastLines(complaint, 1)))
	for text, errno := range map[string]error{
		"No such file or directory": syscall.ENOENT,
		"Not a directory":           syscall.ENOENT, // so sftp-server says it, too: there is nothing below a file
		"Permission denied":         syscall.EACCES,
		"Operation not permitted":   syscall.EPERM,
		"No space left on device":   syscall.ENOSPC,
		"Disk quota exceeded":       syscall.EDQUOT,
		"Read-only file system":     syscall.EROFS,
	} {
		if bytes.HasSuffix(said, []byte(": "+text)) {
			return errno
		}
	}
	return nil
}

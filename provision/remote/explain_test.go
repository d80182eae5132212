package remote

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/pkg/sftp"
)

// fullDisk is an sftp server that only tells how full its file system is.
type fullDisk struct{ stat sftp.StatVFS }

func (fullDisk) Filecmd(*sftp.Request) error                  { return sftp.ErrSSHFxOpUnsupported }
func (fullDisk) Fileread(*sftp.Request) (io.ReaderAt, error)  { return nil, sftp.ErrSSHFxOpUnsupported }
func (fullDisk) Filewrite(*sftp.Request) (io.WriterAt, error) { return nil, sftp.ErrSSHFxOpUnsupported }
func (fullDisk) Filelist(*sftp.Request) (sftp.ListerAt, error) {
	return nil, sftp.ErrSSHFxOpUnsupported
}
func (d fullDisk) StatVFS(r *sftp.Request) (*sftp.StatVFS, error) {
	if r.Filepath != "/var/lib" {
		return nil, fs.ErrNotExist
	}
	return &d.stat, nil
}

// serve is a client of the server.
func (d fullDisk) serve(t *testing.T) *sftp.Client {
	t.Helper()
	near, far := net.Pipe()
	server := sftp.NewRequestServer(far, sftp.Handlers{FileGet: d, FilePut: d, FileCmd: d, FileList: d})
	go func() { _ = server.Serve() }()
	c, err := sftp.NewClientPipe(near, near)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = near.Close(); _ = far.Close() })
	return c
}

// TestExplainFailure has a server that says "failure", as OpenSSH's does when a file system is full.
func TestExplainFailure(t *testing.T) {
	failure := &sftp.StatusError{Code: sftpFailure}
	roomy := sftp.StatVFS{Bavail: 10, Frsize: 4096, Files: 100, Favail: 50}
	for name, tt := range map[string]struct {
		change func(*sftp.StatVFS)
		dir    string
		err    error
		size   int64
		want   error
		says   string
	}{
		"no room":             {change: func(s *sftp.StatVFS) { s.Bavail = 0 }, err: failure, want: syscall.ENOSPC, says: "0 bytes left, 0 are needed"},
		"not enough room":     {err: failure, size: 40961, want: syscall.ENOSPC, says: "40960 bytes left, 40961 are needed"},
		"just enough room":    {err: failure, size: 40960},
		"no inodes":           {change: func(s *sftp.StatVFS) { s.Favail = 0 }, err: failure, want: syscall.ENOSPC, says: "no inodes"},
		"no inodes, btrfs":    {change: func(s *sftp.StatVFS) { s.Files, s.Favail = 0, 0 }, err: failure},
		"read-only":           {change: func(s *sftp.StatVFS) { s.Flag = readOnlyFS }, err: failure, want: syscall.EROFS, says: "read-only"},
		"other flags":         {change: func(s *sftp.StatVFS) { s.Flag = 2 }, err: failure},
		"cannot look":         {dir: "/elsewhere", change: func(s *sftp.StatVFS) { s.Bavail = 0 }, err: failure},
		"another status":      {change: func(s *sftp.StatVFS) { s.Bavail = 0 }, err: &sftp.StatusError{Code: 3}},
		"an error of our own": {change: func(s *sftp.StatVFS) { s.Bavail = 0 }, err: io.ErrUnexpectedEOF},
		"no error":            {change: func(s *sftp.StatVFS) { s.Bavail = 0 }},
	} {
		t.Run(name, func(t *testing.T) {
			disk := fullDisk{roomy}
			if tt.change != nil {
				tt.change(&disk.stat)
			}
			dir := "/var/lib"
			if tt.dir != "" {
				dir = tt.dir
			}
			got := explainFailure(disk.serve(t), dir, tt.size, tt.err)
			if !errors.Is(got, tt.err) || tt.want == nil && got != tt.err { //nolint:errorlint // the very same
				t.Errorf("got %v, of which %v is no part", got, tt.err)
			}
			if tt.want != nil && (!errors.Is(got, tt.want) || !strings.Contains(got.Error(), tt.says) || !strings.Contains(got.Error(), dir)) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestErrnoOf reads complaints of programs.
func TestErrnoOf(t *testing.T) {
	for said, want := range map[string]error{
		"stat: cannot statx '/x': No such file or directory\n":          fs.ErrNotExist,
		"stat: cannot statx '/x/y': Not a directory\n":                  fs.ErrNotExist,
		"stat: cannot statx '/x': Permission denied\n":                  fs.ErrPermission,
		"chown: changing ownership of '/x': Operation not permitted\n":  fs.ErrPermission,
		"write-file: 23: cannot create /x: Read-only file system\n":     syscall.EROFS,
		"cat: write error: No space left on device\n":                   syscall.ENOSPC,
		"noise\ncat: write error: Disk quota exceeded\n\n":              syscall.EDQUOT,
		"stat: cannot statx '/x': No such file or directory\nand so on": nil,
		"read-file: 3: stat: not found\n":                               nil,
		"cat: '/No such file or directory': Input/output error":         nil,
		"Permission denied": nil,
		"":                  nil,
	} {
		if got := errnoOf([]byte(said)); want == nil && got != nil || want != nil && !errors.Is(got, want) {
			t.Errorf("%q: got %v, want %v", said, got, want)
		}
	}
}

func TestOctal(t *testing.T) {
	for mode, want := range map[fs.FileMode]string{
		0o644: "644", 0: "0", 0o755 | fs.ModeSetuid: "4755", 0o755 | fs.ModeSetgid: "2755", 0o777 | fs.ModeSticky: "1777",
		0o7 | fs.ModeDir: "7",
	} {
		if got := octal(mode); got != want {
			t.Errorf("%v: got %s, want %s", mode, got, want)
		}
	}
}

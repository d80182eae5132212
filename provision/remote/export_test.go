package remote

import (
	"context"
	"os"
)

// What tests outside of this package need to know of it.
const (
	TempInfix  = tempInfix
	TempStale  = tempStale
	ParentMode = parentMode
)

// UseSudo takes the user for one who is not root, and has a password for sudo or none.
func (h *Host) UseSudo(p *Password) { h.useSudo(p) }

// EndFiles ends the file session and waits for its end.
func (h *Host) EndFiles() {
	h.drop(h.files)
	<-h.files.gone
}

// CreateFile makes an empty file by the file session and leaves its mode as it comes.
func (h *Host) CreateFile(ctx context.Context, path string) error {
	return h.withFiles(ctx, 0, func(files fileAccess) error {
		f, err := files.(sftpFiles).client.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
		if err != nil {
			return err
		}
		return f.Close()
	})
}

// UseServer has another program be the sftp-server.
func (h *Host) UseServer(path string) { h.servers = []string{path} }

// Awkward are arguments that shells like to change.
var Awkward = awkward

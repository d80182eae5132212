package packages

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"fairlead/e2e/lab"
	"fairlead/pki"
)

const (
	folder   = "/srv/packages" // on the lab host
	unit     = "lab-packages.service"
	ownTrust = "/usr/local/share/ca-certificates/lab-packages.crt"
	mirrored = "/usr/share/keyrings/lab-debian.asc"
)

// Server serves the repositories on a lab host.
type Server struct {
	CA []byte // PEM, of the certificate on port 443

	// Public keys, armored. KubernetesKey signed what Kubernetes is installed from, DockerKey the
	// other repositories and OtherKey nothing.
	KubernetesKey, DockerKey, OtherKey []byte

	lab     *lab.Lab
	name    string
	address netip.Addr
	suite   string // of the mirror of Debian
}

// Serve puts the repositories onto a lab host and serves them there, over HTTP and HTTPS.
func Serve(ctx context.Context, l *lab.Lab, host string, r *Repositories) (*Server, error) {
	h, err := l.Host(host)
	if err != nil {
		return nil, err
	}
	s := &Server{lab: l, name: host, address: h.Address, suite: lab.RootFS().Suite}
	for file, key := range map[string]*[]byte{
		kubernetesKeyFile(): &s.KubernetesKey, dockerKeyFile: &s.DockerKey, otherKeyFile: &s.OtherKey,
	} {
		if *key, err = os.ReadFile(filepath.Join(r.Folder, file)); err != nil {
			return nil, fmt.Errorf("read key: %w", err)
		}
	}
	if err := s.send(ctx, r.Folder); err != nil {
		return nil, fmt.Errorf("copy repositories to %s: %w", host, err)
	}
	if err := s.install(ctx, r.fileserver); err != nil {
		return nil, fmt.Errorf("install file server: %w", err)
	}
	return s, s.start(ctx)
}

// URL returns the root of the repositories over HTTP, without a slash at its end.
func (s *Server) URL() string { return "http://" + s.address.String() }

// SecureURL is URL over HTTPS.
func (s *Server) SecureURL() string { return "https://" + s.address.String() }

// send copies a folder to the host as one stream.
func (s *Server) send(ctx context.Context, source string) error {
	reader, writer := io.Pipe()
	var sending sync.WaitGroup
	sending.Go(func() {
		archive := tar.NewWriter(writer)
		err := archive.AddFS(os.DirFS(source))
		writer.CloseWithError(errors.Join(err, archive.Close()))
	})
	script := `rm -rf "$1" && mkdir -p "$1" && tar --extract --no-same-owner --directory "$1"`
	_, err := s.lab.ExecInput(ctx, s.name, reader, "sh", "-c", script, "sh", folder+"/files")
	reader.CloseWithError(errors.Join(io.ErrClosedPipe, err))
	sending.Wait()
	return err
}

// install puts the server's program and its certificate onto the host.
func (s *Server) install(ctx context.Context, program string) error {
	authority, err := pki.NewAuthority(rand.Reader, "lab packages", time.Now())
	if err != nil {
		return err
	}
	s.CA = authority.CertificatePEM()
	certificate, key, err := authority.IssueServer(rand.Reader, []string{s.name}, []netip.Addr{s.address}, time.Now())
	if err != nil {
		return err
	}
	binary, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	return errors.Join(
		s.put(ctx, s.name, folder+"/fileserver", binary),
		s.put(ctx, s.name, folder+"/tls.crt", certificate),
		s.put(ctx, s.name, folder+"/tls.key", key),
	)
}

// put writes a file on a host of the lab. Other users may read it, and programs run.
func (s *Server) put(ctx context.Context, host, path string, content []byte) error {
	const script = `mkdir -p "${1%/*}" && rm -f "$1" && cat >"$1" && chmod 0755 "$1"`
	_, err := s.lab.ExecInput(ctx, host, bytes.NewReader(content), "sh", "-c", script, "sh", path)
	return err
}

// start runs the server and returns when it listens on both ports.
func (s *Server) start(ctx context.Context) error {
	const script = `systemctl stop "$1" 2>/dev/null
		systemd-run --quiet --collect --unit "$1" "$2/fileserver" "$2/files" "$2/tls.crt" "$2/tls.key"
		for i in $(seq 300); do
			[ "$(ss -Hltn 'sport = :80 or sport = :443' | wc -l)" -ge 2 ] && exit 0
			systemctl is-active --quiet "$1" || exit 1
			sleep 0.1
		done
		exit 1`
	if _, err := s.lab.Exec(ctx, s.name, "sh", "-c", script, "sh", unit, folder); err != nil {
		return fmt.Errorf("start file server: %w", err)
	}
	return nil
}

// Requests are the lines of the access log, the oldest first: client address, method, path and
// status of each answered request, over HTTP and HTTPS alike.
func (s *Server) Requests(ctx context.Context) ([]string, error) {
	const script = `journalctl --sync && journalctl --quiet --output=cat _SYSTEMD_UNIT="$1"`
	out, err := s.lab.Exec(ctx, s.name, "sh", "-c", script, "sh", unit)
	if err != nil {
		return nil, fmt.Errorf("read access log of file server: %w", err)
	}
	return lines(out), nil
}

// Distribution makes a lab host get Debian's packages from this server and from nowhere else.
// The host knows none of them until somebody runs apt-get update on it.
func (s *Server) Distribution(ctx context.Context, host string) error {
	const script = `set -eu
		rm -rf /etc/apt/sources.list.d /var/lib/apt/lists /var/cache/apt/*.bin
		mkdir -p /etc/apt/sources.list.d /var/lib/apt/lists
		echo "deb [signed-by=$1] $2 $3 main" >/etc/apt/sources.list`
	if err := s.put(ctx, host, mirrored, s.DockerKey); err != nil {
		return fmt.Errorf("set distribution's mirror: %w", err)
	}
	if _, err := s.lab.Exec(ctx, host, "sh", "-c", script, "sh", mirrored, s.URL()+"/"+debianFolder, s.suite); err != nil {
		return fmt.Errorf("set distribution's mirror: %w", err)
	}
	return nil
}

// Trust puts the server's CA among those that a lab host trusts.
func (s *Server) Trust(ctx context.Context, host string) error {
	if err := s.put(ctx, host, ownTrust, s.CA); err != nil {
		return fmt.Errorf("trust file server: %w", err)
	}
	if _, err := s.lab.Exec(ctx, host, "update-ca-certificates"); err != nil {
		return fmt.Errorf("trust file server: %w", err)
	}
	return nil
}

// lines splits a program's output; none if it is empty.
func lines(output string) []string {
	if output = strings.TrimSpace(output); output == "" {
		return nil
	}
	return strings.Split(output, "\n")
}

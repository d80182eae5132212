// Package registry runs a private registry on a lab host, as a closed network would have it: with TLS from a CA of its
// own and a password. It is the real registry of the distribution project.
package registry

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"fairlead/e2e/lab"
	"fairlead/pki"

	"golang.org/x/crypto/bcrypt"
)

const (
	port   = 5000
	folder = "/srv/registry"
	unit   = "lab-registry.service"
	user   = "puller"
)

// config is for anybody who knows the password, to read and to write.
const config = `version: 0.1
log: {accesslog: {disabled: false}, level: info}
storage: {filesystem: {rootdirectory: ` + folder + `/data}, delete: {enabled: true}}
auth: {htpasswd: {realm: lab, path: ` + folder + `/htpasswd}}
http:
  addr: :5000
  tls: {certificate: ` + folder + `/tls.crt, key: ` + folder + `/tls.key}
`

// Server is a registry on a lab host.
type Server struct {
	Host           string // ADDRESS:PORT, as it stands in image names
	CA             []byte // PEM
	User, Password string

	lab  *lab.Lab
	name string
}

// Install puts a registry, program, onto a lab host and starts it.
func Install(ctx context.Context, l *lab.Lab, name, program string) (*Server, error) {
	host, err := l.Host(name)
	if err != nil {
		return nil, err
	}
	s := &Server{Host: net.JoinHostPort(host.Address.String(), strconv.Itoa(port)), User: user, lab: l, name: name}
	authority, err := pki.NewAuthority(rand.Reader, "lab registry", time.Now())
	if err != nil {
		return nil, err
	}
	s.CA = authority.CertificatePEM()
	certificate, key, err := authority.IssueServer(rand.Reader, []string{name}, []netip.Addr{host.Address}, time.Now())
	if err != nil {
		return nil, err
	}
	var secret [12]byte
	if _, err := rand.Read(secret[:]); err != nil {
		return nil, err
	}
	s.Password = hex.EncodeToString(secret[:])
	hash, err := bcrypt.GenerateFromPassword([]byte(s.Password), bcrypt.MinCost)
	if err != nil {
		return nil, err
	}
	binary, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	for path, content := range map[string][]byte{
		"registry": binary, "config.yaml": []byte(config), "tls.crt": certificate, "tls.key": key,
		"htpasswd": fmt.Appendf(nil, "%s:%s\n", s.User, hash),
	} {
		script := `mkdir -p "${1%/*}" && cat >"$1" && chmod 0700 "$1"`
		if _, err := l.ExecInput(ctx, name, bytes.NewReader(content), "sh", "-c", script, "sh", folder+"/"+path); err != nil {
			return nil, fmt.Errorf("install the registry: %w", err)
		}
	}
	return s, s.Start(ctx)
}

// Start runs the registry again after Stop, and returns when it listens.
func (s *Server) Start(ctx context.Context) error {
	script := `systemd-run --quiet --collect --unit "$1" --setenv OTEL_TRACES_EXPORTER=none "$2/registry" serve "$2/config.yaml"
		for i in $(seq 300); do
			ss -Hltn "sport = :$3" | grep -q . && exit 0
			systemctl is-active --quiet "$1" || exit 1
			sleep 0.1
		done
		exit 1`
	if _, err := s.lab.Exec(ctx, s.name, "sh", "-c", script, "sh", unit, folder, strconv.Itoa(port)); err != nil {
		return fmt.Errorf("start the registry: %w", err)
	}
	return nil
}

// Stop ends the registry at once; connections break.
func (s *Server) Stop(ctx context.Context) error {
	if _, err := s.lab.Exec(ctx, s.name, "systemctl", "kill", "--signal=KILL", unit); err != nil {
		return fmt.Errorf("stop the registry: %w", err)
	}
	return nil
}

// Requests are the lines of the access log, the oldest first: who asked, and for what.
func (s *Server) Requests(ctx context.Context) ([]string, error) {
	out, err := s.lab.Exec(ctx, s.name, "sh", "-c", `journalctl --quiet --output=cat --unit "$1" | grep ' HTTP/[12]' || :`, "sh", unit)
	if err != nil {
		return nil, fmt.Errorf("read the registry's access log: %w", err)
	}
	return strings.Split(strings.TrimSpace(out), "\n"), nil
}

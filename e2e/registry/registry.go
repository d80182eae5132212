// Package registry runs a registry on a lab host: as a closed network would have it, with TLS from a CA of its own and a
// password, or with neither. It is the real registry of the distribution project.
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
	port      = 5000
	plainPort = 5001
	folder    = "/srv/registry"
	user      = "puller"
)

// config is of a registry that anybody may read and write.
const config = `version: 0.1
log: {accesslog: {disabled: false}, level: info}
storage: {filesystem: {rootdirectory: @FOLDER@/data}, delete: {enabled: true}}
http:
  addr: :@PORT@
`

// private is what makes it one for those who know the password.
const private = `  tls: {certificate: @FOLDER@/tls.crt, key: @FOLDER@/tls.key}
auth: {htpasswd: {realm: lab, path: @FOLDER@/htpasswd}}
`

// Server is a registry on a lab host.
type Server struct {
	Host           string // ADDRESS:PORT, as it stands in image names
	CA             []byte // PEM
	User, Password string

	lab    *lab.Lab
	name   string // of the lab host
	port   int
	folder string
}

// newServer is a registry that will listen on a port of a lab host.
func newServer(l *lab.Lab, name string, port int) (*Server, netip.Addr, error) {
	host, err := l.Host(name)
	if err != nil {
		return nil, netip.Addr{}, err
	}
	at := net.JoinHostPort(host.Address.String(), strconv.Itoa(port))
	return &Server{Host: at, lab: l, name: name, port: port, folder: fmt.Sprintf("%s-%d", folder, port)}, host.Address, nil
}

// InstallPlain puts a registry, program, onto a lab host that speaks HTTP and asks for no password, and starts it.
func InstallPlain(ctx context.Context, l *lab.Lab, name, program string) (*Server, error) {
	s, _, err := newServer(l, name, plainPort)
	if err != nil {
		return nil, err
	}
	return s, s.install(ctx, program, map[string][]byte{"config.yaml": []byte(config)})
}

// Install puts a registry, program, onto a lab host and starts it.
func Install(ctx context.Context, l *lab.Lab, name, program string) (*Server, error) {
	s, address, err := newServer(l, name, port)
	if err != nil {
		return nil, err
	}
	s.User = user
	authority, err := pki.NewAuthority(rand.Reader, "lab registry", time.Now())
	if err != nil {
		return nil, err
	}
	s.CA = authority.CertificatePEM()
	certificate, key, err := authority.IssueServer(rand.Reader, []string{name}, []netip.Addr{address}, time.Now())
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
	return s, s.install(ctx, program, map[string][]byte{
		"config.yaml": []byte(config + private), "tls.crt": certificate, "tls.key": key,
		"htpasswd": fmt.Appendf(nil, "%s:%s\n", s.User, hash),
	})
}

// install puts the program and its files onto the host and starts it.
func (s *Server) install(ctx context.Context, program string, files map[string][]byte) error {
	binary, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	files["registry"] = binary
	variables := strings.NewReplacer("@FOLDER@", s.folder, "@PORT@", strconv.Itoa(s.port))
	files["config.yaml"] = []byte(variables.Replace(string(files["config.yaml"])))
	for path, content := range files {
		script := `mkdir -p "${1%/*}" && cat >"$1" && chmod 0700 "$1"`
		if _, err := s.lab.ExecInput(ctx, s.name, bytes.NewReader(content), "sh", "-c", script, "sh", s.folder+"/"+path); err != nil {
			return fmt.Errorf("install the registry: %w", err)
		}
	}
	return s.Start(ctx)
}

// unit is the transient one that it runs in.
func (s *Server) unit() string { return fmt.Sprintf("lab-registry-%d.service", s.port) }

// Start runs the registry again after Stop, and returns when it listens.
func (s *Server) Start(ctx context.Context) error {
	script := `systemd-run --quiet --collect --unit "$1" --setenv OTEL_TRACES_EXPORTER=none "$2/registry" serve "$2/config.yaml"
		for i in $(seq 300); do
			ss -Hltn "sport = :$3" | grep -q . && exit 0
			systemctl is-active --quiet "$1" || exit 1
			sleep 0.1
		done
		exit 1`
	if _, err := s.lab.Exec(ctx, s.name, "sh", "-c", script, "sh", s.unit(), s.folder, strconv.Itoa(s.port)); err != nil {
		return fmt.Errorf("start the registry: %w", err)
	}
	return nil
}

// Stop ends the registry at once; connections break.
func (s *Server) Stop(ctx context.Context) error {
	if _, err := s.lab.Exec(ctx, s.name, "systemctl", "kill", "--signal=KILL", s.unit()); err != nil {
		return fmt.Errorf("stop the registry: %w", err)
	}
	return nil
}

// Requests are the lines of the access log, the oldest first: who asked, and for what.
func (s *Server) Requests(ctx context.Context) ([]string, error) {
	out, err := s.lab.Exec(ctx, s.name, "sh", "-c", `journalctl --quiet --output=cat --unit "$1" | grep ' HTTP/[12]' || :`, "sh", s.unit())
	if err != nil {
		return nil, fmt.Errorf("read the registry's access log: %w", err)
	}
	return strings.Split(strings.TrimSpace(out), "\n"), nil
}

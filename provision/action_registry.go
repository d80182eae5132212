package provision

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"strconv"
	"time"

	"fairlead/pki"
	"fairlead/provision/registry"
	"fairlead/provision/remote"
	"fairlead/templates"

	"golang.org/x/crypto/bcrypt"
)

// writerStop is how long the registry's writer may take to stop after a run was stopped.
const writerStop = 10 * time.Second

// MakeRegistryCertificate makes the certificate of fairlead's own registry, and the CA for
// it if the host has none. The keys go nowhere else.
type MakeRegistryCertificate struct {
	Names     []string
	Addresses []netip.Addr
}

// Describe implements Action.
func (a MakeRegistryCertificate) Describe() string {
	return fmt.Sprintf("issue the registry's certificate for %v and %v", a.Names, a.Addresses)
}

func (MakeRegistryCertificate) touches() []touch {
	return files(templates.RegistryCA, templates.RegistryCAKey, templates.RegistryCertificate, templates.RegistryKey)
}

func (a MakeRegistryCertificate) apply(ctx context.Context, s *stepRun) error {
	now := time.Now()
	authority, err := s.registryAuthority(ctx, now)
	if err != nil {
		return err
	}
	certificate, key, err := authority.IssueServer(rand.Reader, a.Names, a.Addresses, now)
	if err != nil {
		return fmt.Errorf("issue the registry's certificate: %w", err)
	}
	if err := s.writeSecret(ctx, templates.RegistryKey, key); err != nil {
		return err
	}
	return s.writePublic(ctx, templates.RegistryCertificate, certificate)
}

// registryAuthority reads the registry's CA from the host, or makes a new one there.
func (s *stepRun) registryAuthority(ctx context.Context, now time.Time) (*pki.Authority, error) {
	certificate, errCertificate := s.host.ReadFile(ctx, templates.RegistryCA)
	key, errKey := s.host.ReadFile(ctx, templates.RegistryCAKey)
	if errCertificate == nil && errKey == nil {
		if authority, err := pki.ParseAuthority(certificate, key); err == nil {
			if _, _, err := authority.IssueServer(rand.Reader, nil, []netip.Addr{netip.IPv6Loopback()}, now); !errors.Is(err, pki.ErrAuthorityEnds) {
				return authority, nil
			}
		}
	}
	for _, err := range []error{errCertificate, errKey} {
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("read the registry's CA: %w", err)
		}
	}
	authority, err := pki.NewAuthority(rand.Reader, "fairlead registry", now)
	if err != nil {
		return nil, fmt.Errorf("make the registry's CA: %w", err)
	}
	if key, err = authority.KeyPEM(); err != nil {
		return nil, fmt.Errorf("make the registry's CA: %w", err)
	}
	if err := s.writeSecret(ctx, templates.RegistryCAKey, key); err != nil {
		return nil, err
	}
	return authority, s.writePublic(ctx, templates.RegistryCA, authority.CertificatePEM())
}

func (s *stepRun) writePublic(ctx context.Context, path string, content []byte) error {
	if _, err := s.host.WriteFile(ctx, remote.File{Path: path, Mode: 0o644, Content: content}); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// CopyRegistryCA brings the CA certificate of fairlead's own registry to a host.
type CopyRegistryCA struct{ From, Path string }

// Describe implements Action.
func (a CopyRegistryCA) Describe() string { return fmt.Sprintf("copy the registry's CA to %s", a.Path) }

func (a CopyRegistryCA) touches() []touch { return files(a.Path) }

func (a CopyRegistryCA) apply(ctx context.Context, s *stepRun) error {
	host, ok := s.session.wish.Cluster.Host(a.From)
	if !ok {
		return fmt.Errorf("host %s is not in the inventory", a.From)
	}
	from, err := s.session.connect(ctx, host)
	if err != nil {
		return err
	}
	content, err := from.ReadFile(ctx, templates.RegistryCA)
	if err != nil {
		return fmt.Errorf("read the registry's CA on %s: %w", a.From, err)
	}
	return s.writePublic(ctx, a.Path, content)
}

// FillRegistry uploads images of the bundle into fairlead's own registry: each blob once.
// The registry that the hosts see is read-only. A second one over the same storage listens
// on the host's loopback, with a password that lives as long as this action.
type FillRegistry struct{ Items []registry.Item }

// Describe implements Action.
func (a FillRegistry) Describe() string {
	return fmt.Sprintf("upload %s (up to %d MiB)", counted(len(a.Items), "image"), a.size()>>20)
}

func (a FillRegistry) size() int64 {
	var sum int64
	for _, item := range a.Items {
		sum += item.Size
	}
	return sum
}

func (FillRegistry) touches() []touch { return nil }

func (a FillRegistry) apply(ctx context.Context, s *stepRun) error {
	return s.withWriter(ctx, func(ctx context.Context, writer *registry.Client) error {
		_, err := registry.Copy(ctx, s.session.bundle.Source(), writer, a.Items, registry.CopyOptions{OnProgress: s.transferred})
		return err
	})
}

// withWriter lets do write into fairlead's own registry.
func (s *stepRun) withWriter(ctx context.Context, do func(context.Context, *registry.Client) error) (err error) {
	var secret [16]byte
	if _, err := rand.Read(secret[:]); err != nil {
		return fmt.Errorf("make a password: %w", err)
	}
	const user = "fairlead"
	password := hex.EncodeToString(secret[:])
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		return fmt.Errorf("hash the password: %w", err)
	}
	if err := s.writeSecret(ctx, templates.RegistryPasswords, fmt.Appendf(nil, "%s:%s\n", user, hash)); err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writerStop)
		defer cancel()
		stop := Script{Title: "stop the registry's writer", Text: templates.StopUnit(), Args: []string{registryWriter}}
		forget := RemoveFiles([]string{templates.RegistryPasswords})
		err = errors.Join(err, stop.apply(ctx, s), forget.apply(ctx, s))
	}()
	start := Script{Title: "start the registry's writer", Text: templates.RestartUnit(), Args: []string{registryWriter}}
	if err := start.apply(ctx, s); err != nil {
		return err
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(templates.RegistryWriterPort))
	writer, err := registry.NewClient(registry.Endpoint{Host: address, PlainHTTP: true, User: user, Password: password}, s.host.DialContext)
	if err != nil {
		return err
	}
	defer writer.Close()
	if err := writer.WaitReady(ctx); err != nil {
		return err
	}
	return do(ctx, writer)
}

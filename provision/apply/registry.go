package apply

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"strconv"
	"time"

	"fairlead/pki"
	"fairlead/provision/plan"
	"fairlead/provision/registry"
	"fairlead/templates"

	"golang.org/x/crypto/bcrypt"
)

// writerStop is how long the registry's writer may take to stop after a run was stopped.
const writerStop = 10 * time.Second

func (s *stepRun) makeRegistryCertificate(ctx context.Context, a plan.MakeRegistryCertificate) error {
	now := time.Now()
	authority, err := s.registryAuthority(ctx, now)
	if err != nil {
		return err
	}
	certificate, key, err := authority.IssueServer(rand.Reader, a.Names, a.Addresses, now)
	if err != nil {
		return fmt.Errorf("issue the registry's certificate: %w", err)
	}
	if err := s.write(ctx, templates.RegistryKey, secret, key); err != nil {
		return err
	}
	return s.write(ctx, templates.RegistryCertificate, public, certificate)
}

func (s *stepRun) copyRegistryCA(ctx context.Context, a plan.CopyRegistryCA) error {
	from, err := s.connections.Host(ctx, a.From)
	if err != nil {
		return err
	}
	content, err := readOn(ctx, from, templates.RegistryCA)
	if err != nil {
		return err
	}
	return s.write(ctx, a.Path, public, content)
}

func (s *stepRun) fillRegistry(ctx context.Context, a plan.FillRegistry) error {
	var items []registry.Item
	for _, upload := range a.Items {
		items = append(items, registry.Item(upload))
	}
	return s.withWriter(ctx, func(ctx context.Context, writer *registry.Client) error {
		_, err := registry.Copy(ctx, s.bundle.Source(), writer, items, registry.CopyOptions{OnProgress: s.transferred})
		return err
	})
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
			return nil, err
		}
	}
	authority, err := pki.NewAuthority(rand.Reader, "fairlead registry", now)
	if err != nil {
		return nil, fmt.Errorf("make the registry's CA: %w", err)
	}
	if key, err = authority.KeyPEM(); err != nil {
		return nil, fmt.Errorf("make the registry's CA: %w", err)
	}
	if err := s.write(ctx, templates.RegistryCAKey, secret, key); err != nil {
		return nil, err
	}
	return authority, s.write(ctx, templates.RegistryCA, public, authority.CertificatePEM())
}

// withWriter lets do write into fairlead's own registry.
func (s *stepRun) withWriter(ctx context.Context, do func(context.Context, *registry.Client) error) (err error) {
	password := rand.Text()
	const user = "fairlead"
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		return fmt.Errorf("hash the password: %w", err)
	}
	if err := s.write(ctx, templates.RegistryPasswords, secret, fmt.Appendf(nil, "%s:%s\n", user, hash)); err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writerStop)
		defer cancel()
		stop := plan.Script{Title: "stop the registry's writer", Name: templates.ScriptStopUnit, Args: []string{templates.RegistryWriterService}}
		forget := plan.RemoveFiles([]string{templates.RegistryPasswords})
		err = errors.Join(err, s.script(ctx, stop), s.script(ctx, forget))
	}()
	start := plan.Script{Title: "start the registry's writer", Name: templates.ScriptRestartUnit, Args: []string{templates.RegistryWriterService}}
	if err := s.script(ctx, start); err != nil {
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

func (s *stepRun) deleteImage(ctx context.Context, a plan.DeleteImage) error {
	return s.withWriter(ctx, func(ctx context.Context, writer *registry.Client) error {
		return writer.Delete(ctx, a.Repository, a.Tag)
	})
}

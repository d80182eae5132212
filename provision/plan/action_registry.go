package plan

import (
	"fmt"
	"net/netip"

	"fairlead/provision/ledger"
	"fairlead/templates"

	"github.com/opencontainers/go-digest"
)

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

// Touches implements Toucher.
func (MakeRegistryCertificate) Touches() []ledger.Touch {
	return ledger.Files(templates.RegistryCA, templates.RegistryCAKey, templates.RegistryCertificate, templates.RegistryKey)
}

// CopyRegistryCA brings the CA certificate of fairlead's own registry to a host.
type CopyRegistryCA struct{ From, Path string }

// Describe implements Action.
func (a CopyRegistryCA) Describe() string { return fmt.Sprintf("copy the registry's CA to %s", a.Path) }

// Touches implements Toucher.
func (a CopyRegistryCA) Touches() []ledger.Touch { return ledger.Files(a.Path) }

// FillRegistry uploads images of the bundle into fairlead's own registry: each blob once.
// The registry that the hosts see is read-only. A second one over the same storage listens
// on the host's loopback, with a password that lives as long as this action.
type FillRegistry struct{ Items []Upload }

// Upload is an image on its way into a registry.
type Upload struct {
	From       string // reference in the bundle
	Repository string
	Tag        string
	Digest     digest.Digest
	Size       int64 // of all its blobs
}

// Describe implements Action.
func (a FillRegistry) Describe() string {
	return fmt.Sprintf("upload %s (up to %d MiB)", Counted(len(a.Items), "image"), a.size()>>20)
}

func (a FillRegistry) size() int64 {
	var sum int64
	for _, item := range a.Items {
		sum += item.Size
	}
	return sum
}

// DeleteImage takes an image out of fairlead's own registry; its blobs stay until the garbage is
// collected.
type DeleteImage struct{ Repository, Tag string }

// Describe implements Action.
func (a DeleteImage) Describe() string { return "delete " + a.Repository + ":" + a.Tag }

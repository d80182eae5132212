package desired

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"unicode/utf8"

	"fairlead/inventory"
	"fairlead/provision/bundle"
	"fairlead/provision/manifests"
	"fairlead/templates"
	"fairlead/templates/images"
)

// State is all that a plan is measured against. It holds secrets: the registries' passwords.
type State struct {
	Cluster *inventory.Cluster
	Bundle  bundle.Manifest
	// Rules say under which names images are used.
	Rules images.Rules
	// Registries are those of the inventory with what its files hold.
	Registries []Registry
	// KubernetesRepository and RuntimeRepository are where packages come from.
	KubernetesRepository, RuntimeRepository templates.RepositorySource
	// Addons are the sets of objects that are applied, in this order.
	Addons []AddonSet
	// Needs are the images that the cluster needs.
	Needs []ImageNeed
}

// Registry is a registry of the inventory with what is needed to talk to it.
type Registry struct {
	inventory.Registry
	CAPEM    []byte // nil: the system's CAs
	Password string
}

// Sources are the places outside the inventory from which a wish is completed.
type Sources struct {
	Manifests manifests.Source
	// AskPassword reads a password that the inventory says to ask for.
	AskPassword func(ctx context.Context, prompt string) (string, error)
	// Env is a variable of the environment; empty where there is none.
	Env func(name string) string
	// WithoutPasswords leaves passwords out: nobody will talk to a registry.
	WithoutPasswords bool
}

// New completes an inventory: it reads the files and the URLs that the inventory names,
// and works out which objects and which images the cluster needs.
func New(ctx context.Context, cluster *inventory.Cluster, manifest bundle.Manifest, sources Sources) (State, error) {
	wish := State{Cluster: cluster, Bundle: manifest}
	rewriting, err := RewriteOptions(cluster)
	if err != nil {
		return wish, err
	}
	wish.Rules = rewriting.Rules
	if wish.KubernetesRepository, err = readRepository(cluster.Kubernetes.Repository); err != nil {
		return wish, fmt.Errorf("kubernetes.repository: %w", err)
	}
	if wish.RuntimeRepository, err = readRepository(cluster.Runtime.Repository); err != nil {
		return wish, fmt.Errorf("runtime.repository: %w", err)
	}
	for _, registry := range declaredRegistries(cluster) {
		if sources.WithoutPasswords {
			registry.User, registry.PasswordFile, registry.AskPassword = "", "", false
		}
		complete, err := readRegistry(ctx, registry, sources.AskPassword)
		if err != nil {
			return wish, fmt.Errorf("images.registries: %s: %w", registry.Host, err)
		}
		wish.Registries = append(wish.Registries, complete)
	}
	if wish.Addons, err = addonSets(ctx, wish, sources.Manifests); err != nil {
		return wish, err
	}
	wish.Needs, err = imageNeeds(wish)
	return wish, err
}

// RewriteOptions are what the inventory says of how images are rewritten.
func RewriteOptions(cluster *inventory.Cluster) (images.Options, error) {
	var rules []images.Rule
	for _, rule := range cluster.Images.Rewrite {
		rules = append(rules, images.Rule{From: rule.From, To: rule.To})
	}
	compiled, err := images.NewRules(rules)
	if err != nil {
		return images.Options{}, fmt.Errorf("images.rewrite: %w", err)
	}
	return rewriteOptions(cluster, compiled), nil
}

func rewriteOptions(cluster *inventory.Cluster, rules images.Rules) images.Options {
	o := images.Options{Rules: rules}
	for _, extra := range cluster.Images.Extra {
		if extra.Reference != "" {
			o.Known = append(o.Known, extra.Reference)
		} else {
			o.Fields = append(o.Fields, images.Field{Group: extra.Group, Version: extra.Version, Kind: extra.Kind, Path: extra.Path})
		}
	}
	return o
}

// readRepository reads the key of a package repository.
func readRepository(from inventory.Repository) (templates.RepositorySource, error) {
	source := templates.RepositorySource{URL: from.URL}
	if from.Key == "" {
		return source, nil
	}
	var err error
	if source.Key, err = os.ReadFile(from.Key); err != nil {
		return source, fmt.Errorf("read the key: %w", err)
	}
	if !bytes.Contains(source.Key, []byte("-----BEGIN PGP PUBLIC KEY BLOCK-----")) {
		return source, fmt.Errorf("%s is not an armored OpenPGP public key", from.Key)
	}
	return source, nil
}

// ReadPassword reads a password, which is a file's first line.
func ReadPassword(file string) (string, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	first, _, _ := strings.Cut(string(content), "\n")
	return strings.TrimSuffix(first, "\r"), nil
}

// readRegistry reads the CA and the password of a registry.
func readRegistry(ctx context.Context, registry inventory.Registry, ask func(context.Context, string) (string, error)) (Registry, error) {
	complete := Registry{Registry: registry}
	var err error
	if registry.CA != "" {
		if complete.CAPEM, err = os.ReadFile(registry.CA); err != nil {
			return complete, fmt.Errorf("read the CA: %w", err)
		}
	}
	switch {
	case registry.PasswordFile != "":
		if complete.Password, err = ReadPassword(registry.PasswordFile); err != nil {
			return complete, err
		}
	case registry.AskPassword && ask == nil:
		return complete, fmt.Errorf("the password of %s cannot be asked for here: use password: {file: …}", registry.User)
	case registry.AskPassword:
		if complete.Password, err = ask(ctx, fmt.Sprintf("Password of %s on %s: ", registry.User, registry.Host)); err != nil {
			return complete, fmt.Errorf("ask for the password of %s: %w", registry.User, err)
		}
	}
	if !utf8.ValidString(complete.Password) { // containerd's configuration is UTF-8
		return complete, fmt.Errorf("the password of %s is not UTF-8", registry.User)
	}
	if registry.User != "" && complete.Password == "" {
		return complete, fmt.Errorf("the password of %s is empty", registry.User)
	}
	return complete, nil
}

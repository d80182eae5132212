package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"fairlead/inventory"
	"fairlead/inventory/convert"
	"fairlead/provision/remote/container"
	"fairlead/provision/remote/sshconfig"
)

// fromOptions are what a user says about hosts that come from somewhere else.
type fromOptions struct {
	convert.Options
	context string // of a kubeconfig, or of an engine's client
}

// fromReader makes a draft of what follows a word and its colon. Its errors are usageErrors or an *inventory.Invalid where the user
// has to change something.
type fromReader func(ctx context.Context, p *program, what string, o fromOptions) (*convert.Draft, error)

// fromReaders are the words that can stand before the colon in --from.
func fromReaders() map[string]fromReader {
	return map[string]fromReader{
		"file":      fileDraft,
		fromVagrant: vagrantDraft,
		"kind":      kindDraft, container.Docker: labelDraft(container.Docker), container.Podman: labelDraft(container.Podman), container.Nerdctl: labelDraft(container.Nerdctl),
	}
}

// draftFrom reads WORD:WHAT, or a file. A file whose name is of that form can be written as ./WORD:WHAT.
func (p *program) draftFrom(ctx context.Context, from string, o fromOptions) (*convert.Draft, error) {
	word, what, found := strings.Cut(from, ":")
	read := fromReaders()[word]
	if read == nil || !found && isFile(from) {
		read, word, what = fileDraft, "", from
	}
	if o.Network.IsValid() && word != fromVagrant {
		return nil, &usageError{err: fmt.Errorf("--%s goes with --%s %s", flagNetwork, flagFrom, fromVagrant)}
	}
	return read(ctx, p, what, o)
}

// isFile says whether there is something of this name that can be read as a file. A folder cannot: many projects have one that is called vagrant.
func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && !info.IsDir()
}

// maxForeign bounds a file of another tool, in bytes.
const maxForeign = 4 << 20

// fileDraft makes a draft of a file, or of standard input for -.
func fileDraft(ctx context.Context, p *program, file string, o fromOptions) (*convert.Draft, error) {
	name, data, err := p.readForeign(file)
	if err != nil {
		return nil, &usageError{err: err}
	}
	seen, err := convert.Recognise(name, data)
	if err != nil {
		return nil, err
	}
	if seen.Format == inventory.FormatKubeconfig {
		return livingDraft(ctx, name, file, data, o)
	}
	if o.context != "" {
		return nil, &usageError{err: fmt.Errorf("--%s: %s is %s, and only a kubeconfig has contexts", flagContext, name, seen.What)}
	}
	draft, err := convert.Read(name, data, o.Options)
	if err != nil {
		return nil, asUsage(err)
	}
	return draft, nil
}

// readForeign reads a file; name is what it is called without its folder.
func (p *program) readForeign(file string) (name string, data []byte, err error) {
	name, in := convert.StandardInput, p.stdin
	if file != "-" {
		f, err := os.Open(file) //nolint:gosec // the user says which file to read
		if err != nil {
			return "", nil, fmt.Errorf("read hosts: %w", err)
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		name, in = filepath.Base(file), f
	}
	if data, err = io.ReadAll(io.LimitReader(in, maxForeign+1)); err != nil {
		return "", nil, fmt.Errorf("read hosts: %w", err)
	}
	if len(data) > maxForeign {
		return "", nil, fmt.Errorf("read hosts: %s is larger than %d MiB", name, maxForeign>>20)
	}
	return name, data, nil
}

// addressAll finds the addresses of hosts of which only a name is known.
func addressAll(ctx context.Context, draft *convert.Draft, find directory) error {
	var errs []error
	for _, h := range draft.Unaddressed() {
		address, err := addressOf(ctx, h, find)
		if err != nil {
			errs = append(errs, fmt.Errorf("host %s: %w; say it with --%s %s=IP", h.Called(), err, flagHostAddress, h.Called()))
			continue
		}
		h.Address = address
		draft.AddNote(h.Line, h.Called(), "its address was looked up: "+h.SSH.Address)
	}
	if len(errs) > 0 {
		return &usageError{err: errors.Join(errs...)}
	}
	return nil
}

func addressOf(ctx context.Context, h *convert.Host, find directory) (netip.Addr, error) {
	switch address, err := netip.ParseAddr(h.SSH.Address); {
	case h.SSH.Address == "":
		return netip.Addr{}, errors.New("the file has no address that other hosts reach it by")
	case err == nil:
		return netip.Addr{}, fmt.Errorf("%s leads there from here, and is not the address that other hosts reach it by", address)
	}
	if err := isHost(h.SSH.Address); err != nil {
		return netip.Addr{}, err
	}
	config, err := find.config(ctx, sshconfig.Question{Name: h.SSH.Address, User: h.SSH.User, Port: h.SSH.Port})
	if err != nil {
		return netip.Addr{}, err
	}
	address, err := find.one(ctx, config.Hostname)
	if err != nil {
		return netip.Addr{}, err
	}
	return address, usable(h.SSH.Address, address)
}

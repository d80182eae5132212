package connect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"fairlead/inventory"
	"fairlead/provision/remote"
	"fairlead/provision/remote/ssh"
	"fairlead/provision/remote/sshconfig"
)

// maxHops bounds the jump hosts on the way to one host: their configuration may lead in a circle.
const maxHops = 8

// targets says where hosts are, from the inventory and ssh's configuration.
type targets struct{ config *sshconfig.Resolver }

// of is where a host is, as whom to log in, how to know it, and what to go through: what the inventory says, and else ssh's
// configuration.
func (t targets) of(ctx context.Context, host inventory.Host) (ssh.Target, unheeded, error) {
	question := sshconfig.Question{Name: host.SSHAddress(), User: host.SSH.User, Port: host.SSH.Port, Jump: inventory.JumpText(host.SSH.Jump)}
	failed := func(err error) (ssh.Target, unheeded, error) {
		return ssh.Target{}, unheeded{}, &remote.ConnectError{Login: question.String(), Err: err}
	}
	answer, err := t.ask(ctx, question)
	if err != nil {
		return failed(err)
	}
	target := fromAnswer(answer)
	target.Name, target.HostKey = host.Name, host.SSH.HostKey
	if host.SSH.IdentityFile != "" {
		target.IdentityFiles, target.IdentitiesOnly = []string{host.SSH.IdentityFile}, true
	}
	if host.SSH.KnownHosts != "" {
		target.KnownHosts = []string{host.SSH.KnownHosts}
	}
	hops := answer.Jump
	if host.SSH.Jump != nil {
		hops = host.SSH.Jump
	}
	notes := unheeded{of: answer.Unheeded, jumps: map[string][]string{}}
	if target.Jump, err = t.through(ctx, hops, notes.jumps); err != nil {
		return failed(err)
	}
	own := target.Jump[len(target.Jump)-len(host.SSH.Jump):] // before them are those by which ssh's configuration gets to the first one
	for i := range own {
		own[i] = withKeysOf(own[i], host.SSH)
	}
	return target, notes, nil
}

// ask is ssh's answer, unless it says something that is not done here.
func (t targets) ask(ctx context.Context, question sshconfig.Question) (sshconfig.Answer, error) {
	answer, err := t.config.Resolve(ctx, question)
	if err == nil {
		err = permitted(answer)
	}
	return answer, err
}

// withKeysOf is a jump host that the inventory names. The key and the known hosts that it names for the host behind count for it as
// well: nothing else could be named for it. A key that ssh's configuration names for it comes before that.
func withKeysOf(jump ssh.Target, s inventory.SSH) ssh.Target {
	named := func(file string) bool { return !ssh.IsDefaultIdentity(file) }
	if s.IdentityFile != "" && !slices.ContainsFunc(jump.IdentityFiles, named) {
		jump.IdentityFiles, jump.IdentitiesOnly = []string{s.IdentityFile}, true
	}
	if s.KnownHosts != "" {
		jump.KnownHosts = []string{s.KnownHosts}
	}
	return jump
}

// through are hosts to go through, each with its own configuration. Only the first one's own jump hosts count, as ssh
// reaches the others through the one before: `ssh -J first -W … second` is what it runs. What of it is not followed goes into notes.
func (t targets) through(ctx context.Context, hops []string, notes map[string][]string) ([]ssh.Target, error) {
	var way []ssh.Target
	for len(hops) > 0 {
		if len(way)+len(hops) > maxHops {
			return nil, fmt.Errorf("the way leads through more than %d jump hosts, or ProxyJump of ssh's configuration in a circle: %s", maxHops, strings.Join(hops, ","))
		}
		var before []string
		targets := make([]ssh.Target, len(hops))
		for i, hop := range hops {
			named, err := inventory.ParseJump(hop)
			if err != nil {
				return nil, fmt.Errorf("jump host %q: %w", hop, err)
			}
			answer, err := t.ask(ctx, sshconfig.Question{Name: named.Host, User: named.User, Port: named.Port, Jump: strings.Join(hops[:i], ",")})
			if err != nil {
				return nil, fmt.Errorf("jump host %s: %w", hop, err)
			}
			targets[i] = fromAnswer(answer)
			targets[i].Name = named.Host
			notes[named.Host] = answer.Unheeded
			if i == 0 {
				before = answer.Jump
			}
		}
		way, hops = append(targets, way...), before
	}
	return way, nil
}

// permitted refuses what ssh would do otherwise, and be let in or not by it.
func permitted(answer sshconfig.Answer) error {
	if len(answer.Refused) == 0 {
		return nil
	}
	return fmt.Errorf("ssh's configuration of %s has %s", answer.Name, strings.Join(answer.Refused, ", and "))
}

// fromAnswer is what ssh's configuration says, in the words of who connects. StrictHostKeyChecking is not among them: a key that
// is not known is refused.
func fromAnswer(a sshconfig.Answer) ssh.Target {
	return ssh.Target{
		Address: a.Hostname, Alias: a.Name, Network: a.Network, Port: a.Port, User: a.User,
		IdentityFiles: a.IdentityFiles, CertificateFiles: a.CertificateFiles, IdentitiesOnly: a.IdentitiesOnly, Agent: a.Agent,
		HostKeyAlias: a.HostKeyAlias, KnownHosts: a.KnownHosts, RevokedKeys: a.RevokedKeys, ProxyCommand: a.ProxyCommand,
	}
}

// unheeded is what of ssh's configuration is not followed, of a host and of the jump hosts on the way to it, by their names.
type unheeded struct {
	of    []string
	jumps map[string][]string
}

// note adds it to an error, where that is about a host of which there is some.
func (u unheeded) note(err error) error {
	var jump *ssh.JumpError
	options := u.of
	if errors.As(err, &jump) {
		options = u.jumps[jump.Host.Name]
	}
	if err == nil || len(options) == 0 {
		return err
	}
	noted := func(err error) error {
		return fmt.Errorf("%w (fairlead does not follow %s of ssh's configuration)", err, strings.Join(options, ", "))
	}
	if jump != nil {
		return &ssh.JumpError{Host: jump.Host, To: jump.To, Err: noted(jump.Err)}
	}
	return noted(err)
}

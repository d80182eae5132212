package connect

import (
	"context"
	"fmt"
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

// of is where a host is, as whom to log in, and how to know it: what the inventory says, and else ssh's configuration.
func (t targets) of(ctx context.Context, host inventory.Host) (ssh.Target, sshconfig.Answer, error) {
	question := sshconfig.Question{Name: host.SSHAddress(), User: host.SSH.User, Port: host.SSH.Port}
	answer, err := t.config.Resolve(ctx, question)
	if err != nil {
		return ssh.Target{}, answer, &remote.ConnectError{Login: question.String(), Err: err}
	}
	if err := permitted(answer); err != nil {
		return ssh.Target{}, answer, &remote.ConnectError{Login: question.String(), Err: err}
	}
	target := fromAnswer(answer)
	target.Name, target.HostKey = host.Name, host.SSH.HostKey
	if host.SSH.IdentityFile != "" {
		target.IdentityFiles, target.IdentitiesOnly = []string{host.SSH.IdentityFile}, true
	}
	if host.SSH.KnownHosts != "" {
		target.KnownHosts = []string{host.SSH.KnownHosts}
	}
	if target.Jump, err = t.through(ctx, answer.Jump); err != nil {
		return ssh.Target{}, answer, &remote.ConnectError{Login: question.String(), Err: err}
	}
	return target, answer, nil
}

// through are the hosts of a ProxyJump, each with its own configuration. Only the first one's own jump hosts count, as ssh
// reaches the others through the one before: `ssh -J first -W … second` is what it runs.
func (t targets) through(ctx context.Context, hops []string) ([]ssh.Target, error) {
	var way []ssh.Target
	for len(hops) > 0 {
		if len(way)+len(hops) > maxHops {
			return nil, fmt.Errorf("ProxyJump of ssh's configuration leads through more than %d hosts, or in a circle: %s", maxHops, strings.Join(hops, ","))
		}
		var before []string
		targets := make([]ssh.Target, len(hops))
		for i, hop := range hops {
			question, err := sshconfig.ParseHop(hop)
			if err != nil {
				return nil, err
			}
			answer, err := t.config.Resolve(ctx, question)
			if err == nil {
				err = permitted(answer)
			}
			if err != nil {
				return nil, fmt.Errorf("jump host %s: %w", hop, err)
			}
			targets[i] = fromAnswer(answer)
			targets[i].Name = question.Name
			if i == 0 {
				before = answer.Jump
			} else {
				targets[i].ProxyCommand = ""
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

// noted adds to an error what of ssh's configuration was not followed.
func noted(err error, answer sshconfig.Answer) error {
	if err == nil || len(answer.Unheeded) == 0 {
		return err
	}
	return fmt.Errorf("%w (fairlead does not follow %s of ssh's configuration)", err, strings.Join(answer.Unheeded, ", "))
}

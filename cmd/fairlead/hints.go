package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"slices"
	"strconv"
	"strings"

	"fairlead/inventory"
	"fairlead/provision"
	"fairlead/provision/bundle"
	"fairlead/provision/engine"
	"fairlead/provision/kube"
	"fairlead/provision/lock"
	"fairlead/provision/registry"
	"fairlead/provision/remote"
	"fairlead/provision/remote/container"
	"fairlead/provision/remote/ssh"
)

// troubled is an error with what a hint may name.
type troubled struct {
	err     error
	cluster *inventory.Cluster
	host    inventory.Host // zero when the error belongs to no host
}

// hint is what to do about a kind of error.
type hint struct {
	fits func(troubled) bool
	text func(troubled) string
}

// hints are asked in this order; the first that fits is shown. What says itself what to
// do, such as an *ssh.HostKeyError, has an empty text.
func hints() []hint {
	return []hint{
		{func(t troubled) bool { return failure{host: t.host.Name, err: t.err}.unknownKey() }, always("see the keys of all hosts, compare them, and have them written down: fairlead trust")},
		{as[*container.Error], always("")},
		{func(t troubled) bool { return t.swapped() != "" }, waySwapped},
		{is(remote.ErrHostKey), always("")},
		{is(remote.ErrForwarding), always("")},
		{jumpHost(remote.ErrAuth), func(t troubled) string { return "try to log in to the jump host by hand: " + t.sshToJump() }},
		{jumpHost(remote.ErrUnreachable), func(t troubled) string {
			return "is the jump host up, and does a firewall let you through? Try to log in by hand: " + t.sshToJump()
		}},
		{is(remote.ErrAuth), func(t troubled) string { return "try to log in by hand: " + t.ssh() }},
		{is(remote.ErrSudo), sudoHint},
		{is(remote.ErrShell), func(t troubled) string {
			return fmt.Sprintf("give %s a shell that runs commands; as root on the host: usermod --shell /bin/sh %[1]s", t.user())
		}},
		{is(remote.ErrUnreachable), func(t troubled) string {
			return fmt.Sprintf("is the host up, does sshd listen on %s, does a firewall let you through? Try to log in by hand: %s", t.address(), t.ssh())
		}},
		{is(remote.ErrLost), always("a kubeadm that was running goes on on the host; run the same command again: it waits for it and goes on")},
		{is(bundle.ErrCorrupt), always("the bundle is damaged: make it again, or copy it again from where it was made")},
		{bundleMissing, func(t troubled) string {
			return "kubernetes.bundle names " + t.cluster.Kubernetes.Bundle + ": put the bundle there, or correct the path"
		}},
		{noSpace, always("free some space on the host (df -h shows where it is used), then run the same command again")},
		{as[*lock.HeldError], always("wait until that run is over, or stop it there with Ctrl-C, then run the same command again; one that is gone is taken over when its record has not changed for 15 s. plan and check work meanwhile")},
		{as[*lock.LostError], always("this run gave no sign of life for too long, as after a sleep or behind a lost connection; when the other one is over, run the same command again to go on")},
		{is(engine.ErrPreflight), always("nothing was changed; mend the errors above, or put a check's name into ignorePreflight to go on all the same")},
		{as[*registry.SparseError], platformsThere},
		{as[*engine.NotConvergedError], always("something on the hosts undoes what was done; see it with: fairlead plan --diff")},
		{as[*refusal], func(t troubled) string {
			var refused *refusal
			errors.As(t.err, &refused)
			return "nothing was changed; " + oneLine(refused.of.Fix)
		}},
		{is(kube.ErrBudget), always("the node stays cordoned, and the rest is as it was; the same command goes on; to delete these pods all the same: --force-drain TIME")},
		{as[*provision.LeftoverError], always("restart the host and run reset again; what is still listed then has to be removed by hand")},
	}
}

// hintFor says what to do about an error; empty when nothing is known.
func hintFor(err error, cluster *inventory.Cluster, host inventory.Host) string {
	t := troubled{err: err, cluster: cluster, host: host}
	for _, h := range hints() {
		if h.fits(t) {
			return h.text(t)
		}
	}
	return ""
}

func is(target error) func(troubled) bool {
	return func(t troubled) bool { return errors.Is(t.err, target) }
}

func as[E error](t troubled) bool {
	var target E
	return errors.As(t.err, &target)
}

// jumpHost is what has gone wrong with a jump host.
func jumpHost(target error) func(troubled) bool {
	return func(t troubled) bool { return as[*ssh.JumpError](t) && errors.Is(t.err, target) }
}

func always(text string) func(troubled) string {
	return func(troubled) string { return text }
}

// bundleMissing says that there is no bundle where the inventory says.
func bundleMissing(t troubled) bool {
	var path *fs.PathError
	return errors.As(t.err, &path) && path.Path == t.cluster.Kubernetes.Bundle && errors.Is(path, fs.ErrNotExist)
}

// platformsThere says how to copy what is there of an index.
func platformsThere(t troubled) string {
	var sparse *registry.SparseError
	switch {
	case !errors.As(t.err, &sparse):
		return ""
	case sparse.Pinned:
		return "the image is named by the digest of that index, which cannot be copied in part: name it by its tag alone, or by the digest of one platform's manifest"
	}
	var flags []string
	for _, platform := range sparse.Has {
		if strings.Contains(platform, "/") && !strings.HasPrefix(platform, "unknown/") { // attestations are of no platform
			flags = append(flags, "--platform "+platform)
		}
	}
	if len(flags) == 0 {
		return "take another registry or tag: no platform is there"
	}
	return "copy the platforms that are there, with " + strings.Join(flags, " ")
}

// noSpace reads what the program on the host said: there is no other sign of it.
func noSpace(t troubled) bool {
	var exit *remote.ExitError
	return errors.As(t.err, &exit) && bytes.Contains(bytes.ToLower(exit.Stderr), []byte("no space left on device"))
}

// address is where the host's sshd was looked for.
func (t troubled) address() string {
	var failed *remote.ConnectError
	switch {
	case errors.As(t.err, &failed):
		return failed.Login[strings.LastIndex(failed.Login, "@")+1:]
	case t.host.Name == "":
		return "its port"
	case t.host.SSH.Port == 0:
		return t.host.SSHAddress()
	}
	return net.JoinHostPort(t.host.SSHAddress(), strconv.Itoa(t.host.SSH.Port))
}

// user is who has logged in, or is to do so.
func (t troubled) user() string {
	var of *remote.UserError
	if errors.As(t.err, &of) {
		return of.User
	}
	return cmp.Or(t.host.SSH.User, "USER")
}

// ssh is a command to log in with as fairlead does. What the inventory leaves to ssh's configuration, it leaves to it as well.
func (t troubled) ssh() string {
	if t.host.Name == "" {
		return "ssh USER@ADDRESS"
	}
	to := t.host.SSHAddress()
	if t.host.SSH.User != "" {
		to = t.host.SSH.User + "@" + to
	}
	return sshCommand(t.host.SSH.Port, t.host.SSH.IdentityFile, inventory.JumpText(t.host.SSH.Jump), to)
}

// sshToJump is a command to log in to the jump host that is in trouble.
func (t troubled) sshToJump() string {
	var jump *ssh.JumpError
	errors.As(t.err, &jump)
	called := func(of ssh.Target) string { return cmp.Or(of.Alias, of.Address) }
	var way []string
	for _, j := range jump.Host.Jump {
		way = append(way, inventory.JumpHost{User: j.User, Host: called(j), Port: j.Port}.String())
	}
	identity := ""
	if slices.Contains(jump.Host.IdentityFiles, t.host.SSH.IdentityFile) {
		identity = t.host.SSH.IdentityFile
	}
	return sshCommand(jump.Host.Port, identity, strings.Join(way, ","), jump.Host.User+"@"+called(jump.Host))
}

// sshCommand is a command to log in with. What is empty is left to ssh.
func sshCommand(port int, identity, way, to string) string {
	argv := []string{"ssh"}
	if port != 0 {
		argv = append(argv, "-p", strconv.Itoa(port))
	}
	if identity != "" {
		argv = append(argv, "-i", identity)
	}
	if way != "" {
		argv = append(argv, "-J", way)
	}
	return remote.Quote(append(argv, to))
}

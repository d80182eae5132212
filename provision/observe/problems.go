package observe

import (
	"errors"

	"fairlead/provision/facts"
	"fairlead/provision/registry"
	"fairlead/provision/remote"
)

// meaning is the kind of problem that an error of another package stands for.
type meaning struct {
	err  error
	kind facts.Kind
}

// hostProblem is why a host gave no answer.
func hostProblem(err error) *facts.Problem {
	return problem(err, facts.HostNoAnswer, []meaning{
		{remote.ErrHostKey, facts.HostKey},
		{remote.ErrAuth, facts.HostLogin},
		{remote.ErrSudo, facts.HostSudo},
		{remote.ErrShell, facts.HostShell},
		{remote.ErrUnreachable, facts.HostUnreachable},
		{remote.ErrLost, facts.HostLost},
		{remote.ErrForwarding, facts.HostForwards}, // of a jump host
	})
}

// imageProblem is why an image cannot be had. Where several registries were asked, each failed
// in its own way: the kind is the one that stands first here, as it keeps most images away.
func imageProblem(err error) *facts.Problem {
	return problem(err, facts.ImageUnknown, []meaning{
		{registry.ErrUnreachable, facts.RegistryUnreachable},
		{registry.ErrCertificate, facts.RegistryCertificate},
		{registry.ErrCredentials, facts.RegistryCredentials},
		{registry.ErrMissing, facts.ImageMissing},
	})
}

// problem is of the first kind that fits the error.
func problem(err error, otherwise facts.Kind, meanings []meaning) *facts.Problem {
	for _, m := range meanings {
		if errors.Is(err, m.err) {
			return facts.NewProblem(m.kind, err)
		}
	}
	return facts.NewProblem(otherwise, err)
}

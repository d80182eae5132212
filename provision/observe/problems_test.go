package observe

import (
	"errors"
	"fmt"
	"testing"

	"fairlead/provision/facts"
	"fairlead/provision/registry"
	"fairlead/provision/remote"
)

// A problem has the kind that its error stands for, the error's text, and in the same run the
// error itself, by which hints are chosen.
func TestProblems(t *testing.T) {
	wrapped := func(err error) error { return fmt.Errorf("connect to cp1: %w", err) }
	for _, c := range []struct {
		of   func(error) *facts.Problem
		err  error
		want facts.Kind
	}{
		{hostProblem, remote.ErrUnreachable, facts.HostUnreachable},
		{hostProblem, remote.ErrHostKey, facts.HostKey},
		{hostProblem, remote.ErrAuth, facts.HostLogin},
		{hostProblem, remote.ErrSudo, facts.HostSudo},
		{hostProblem, remote.ErrShell, facts.HostShell},
		{hostProblem, remote.ErrLost, facts.HostLost},
		{hostProblem, remote.ErrForwarding, facts.HostForwards},
		{hostProblem, errProbe, facts.HostNoAnswer},
		{imageProblem, registry.ErrUnreachable, facts.RegistryUnreachable},
		{imageProblem, registry.ErrCertificate, facts.RegistryCertificate},
		{imageProblem, registry.ErrCredentials, facts.RegistryCredentials},
		{imageProblem, registry.ErrMissing, facts.ImageMissing},
		{imageProblem, registry.ErrServer, facts.ImageUnknown},
		{imageProblem, errors.Join(imageProblem(registry.ErrMissing), registry.ErrUnreachable), facts.RegistryUnreachable},
		{imageProblem, errors.Join(imageProblem(registry.ErrMissing), registry.ErrServer), facts.ImageMissing},
	} {
		err := wrapped(c.err)
		got := c.of(err)
		if got.Kind != c.want || got.Text != err.Error() || got.Error() != err.Error() {
			t.Errorf("%v is %q: %s", err, got.Kind, got.Text)
		}
		if !errors.Is(got, c.err) {
			t.Errorf("%v is lost in its problem", c.err)
		}
	}
}

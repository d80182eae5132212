package container

import (
	"errors"
	"strings"
	"testing"

	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
)

// TestNotReached has what keeps a container from being a host: each is told with its mending.
func TestNotReached(t *testing.T) {
	for name, tt := range map[string]struct {
		engine string
		spoil  func(*remotetest.Engine)
		target Target
		kind   error
		says   string
	}{
		"no client":     {engine: Podman, kind: remote.ErrUnreachable, says: "docker container cp1: the program docker is not here; install it on this machine, put its folder into PATH, or correct ssh.transport"},
		"no container":  {target: Target{Container: "cp9"}, kind: remote.ErrUnreachable, says: "docker container cp9: there is no such container (Error response from daemon: No such container: cp9); docker ps --all shows which there are; correct ssh.container, or make it"},
		"no context":    {target: Target{Context: "office"}, kind: remote.ErrUnreachable, says: `docker container cp1: there is no context of that name (context "office": context not found); correct ssh.context, or make that context with docker`},
		"stopped":       {spoil: func(e *remotetest.Engine) { e.Stop("cp1") }, kind: remote.ErrUnreachable, says: "docker container cp1: it does not run (exited); start it: docker start cp1"},
		"paused":        {spoil: func(e *remotetest.Engine) { e.Pause("cp1") }, kind: remote.ErrUnreachable, says: "docker container cp1: it is paused; let it go on: docker unpause cp1"},
		"daemon":        {spoil: says("Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"), kind: remote.ErrUnreachable, says: "docker container cp1: the engine does not answer (Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?); start Docker (systemctl start docker), or correct ssh.context and DOCKER_HOST"},
		"newer daemon":  {spoil: says("failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct"), kind: remote.ErrUnreachable, says: "; start Docker (systemctl start docker), or correct ssh.context and DOCKER_HOST"},
		"no permission": {spoil: says("permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock"), kind: remote.ErrAuth, says: "; join the group docker and log in anew, or run fairlead as root"},
		"unknown":       {spoil: says("one\n\ntwo\nthree\nfour"), kind: remote.ErrUnreachable, says: "docker container cp1: two three four"},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.engine == "" {
				tt.engine = Docker
			}
			e := remotetest.NewEngine(t, tt.engine, flags[tt.engine], "")
			e.Run("cp1", ids[0], nil)
			if tt.spoil != nil {
				tt.spoil(e)
			}
			tt.target.Engine = Docker
			if tt.target.Container == "" {
				tt.target.Container = "cp1"
			}
			_, err := NewDialer(Options{Path: e.Path}).Dial(t.Context(), tt.target)
			var reason *Error
			if !errors.As(err, &reason) || !errors.Is(err, tt.kind) || !strings.HasSuffix(err.Error(), tt.says) {
				t.Errorf("got %v, want %s", err, tt.says)
			}
		})
	}
}

// says has the client fail and say something.
func says(text string) func(*remotetest.Engine) {
	return func(e *remotetest.Engine) { e.Break(text) }
}

// TestComplaints has what the other clients say.
func TestComplaints(t *testing.T) {
	for said, want := range map[string]struct {
		engine, problem string
		kind            error
	}{
		`FATA[0000] cannot access containerd socket "/run/containerd/containerd.sock": permission denied`:         {Nerdctl, "the engine lets this user do nothing", remote.ErrAuth},
		`FATA[0000] cannot access containerd socket "/run/containerd/containerd.sock": no such file or directory`: {Nerdctl, "the engine does not answer", remote.ErrUnreachable},
		`FATA[0000] rootless containerd not running? (hint: use ` + "`containerd-rootless-setuptool.sh install`)": {Nerdctl, "the engine does not answer", remote.ErrUnreachable},
		`FATA[0000] 1 errors: [no such container: w1]`:                                                            {Nerdctl, absent, remote.ErrUnreachable},
		`Error: no such container "w1"`:                                                                            {Podman, absent, remote.ErrUnreachable},
		`Error: no container with name or ID "w1" found: no such container`:                                        {Podman, absent, remote.ErrUnreachable},
		`Cannot connect to Podman. Please verify your connection to the Linux system`:                              {Podman, "the engine does not answer", remote.ErrUnreachable},
		`Error: can only create exec sessions on running containers: container state improper`:                     {Podman, "it does not run", remote.ErrUnreachable},
		`Got permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock`: {Docker, "the engine lets this user do nothing", remote.ErrAuth},
		`Error response from daemon: Container 0123 is paused, unpause the container before exec`:                  {Docker, "it is paused", remote.ErrUnreachable},
		`OCI runtime exec failed: exec failed: unable to start container process: exec: "/bin/sh": not there`:      {Docker, "OCI runtime exec failed", remote.ErrUnreachable},
		``: {Docker, "its client failed and said nothing", remote.ErrUnreachable},
	} {
		if err := (client{engine: want.engine}).understand("w1", said); !strings.HasPrefix(err.Problem, want.problem) || !errors.Is(err, want.kind) {
			t.Errorf("%s: %v", said, err)
		}
	}
}

//go:build cluster

package cluster

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/e2e/bundle"
	"fairlead/e2e/packages"
	"fairlead/e2e/registry"
)

// othersDockerConfig is what somebody has in daemon.json.
const othersDockerConfig = `{"log-opts": {"max-size": "10m"}, "labels": ["theirs=1"], "registry-mirrors": ["https://former.example"]}`

func testDocker(t *testing.T) {
	hosts := []string{"cp1", "w1", "w2"}
	s := closedSite(t, append(hosts, repositoryHost)...)
	server := s.repositories(hosts...)
	plain := s.install(registry.InstallPlain, repositoryHost)
	s.fromPackages(server)
	s.write(s.file, s.read(s.file)+fmt.Sprintf("  name: docker\n  insecureRegistries: [%q]\n  mirrors: {docker.io: [\"http://%s\"]}\n", plain.Host, plain.Host))
	s.shell("w1", "mkdir -p /etc/docker && printf %s \"$1\" >/etc/docker/daemon.json", othersDockerConfig)
	before := s.snapshots("w1")

	t.Run("Invalid", func(t *testing.T) { s.sub(t).wantDockerConfigRefused() })
	t.Run("TooOld", func(t *testing.T) { s.sub(t).wantContainerdTooOld() })
	s.mustUp()
	s.wantNodes(hosts...)
	s.planned(0)
	t.Run("Network", func(t *testing.T) { s.sub(t).wantNetwork() })
	t.Run("Config", func(t *testing.T) { s.sub(t).wantDockerConfig(plain.Host) })
	t.Run("SideBySide", func(t *testing.T) { s.sub(t).wantBothPull(plain.Host) })
	t.Run("Registries", func(t *testing.T) { s.sub(t).wantDockerRestartedOnly(plain.Host) })
	t.Run("Reset", func(t *testing.T) {
		s := s.sub(t)
		s.fairlead("reset", "--yes").exits(0)
		// The group docker stays, as Debian's package has it, and adduser's lock file.
		s.restoredBut(before, "/var/lib/dpkg", "/var/lib/apt", "/var/cache", "/etc/ld.so.cache", "/etc/group", "/etc/gshadow", "/run/adduser")
	})
	t.Run("CRISocket", func(t *testing.T) { s.sub(t).wantForeignRuntime(server, plain, hosts) })
}

// theirContainerd installs a containerd as somebody would who wants his own.
const theirContainerd = `apt-get -qq update
DEBIAN_FRONTEND=noninteractive apt-get -qq --yes --no-install-recommends install containerd >/dev/null
mkdir -p "/etc/containerd/certs.d/$1"
cat >/etc/containerd/config.toml <<END
version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$1/k8s/pause:3.10.2"
  restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "/etc/containerd/certs.d"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = true
END
printf 'server = "http://%s"\n[host]\n' "$1" >"/etc/containerd/certs.d/$1/hosts.toml"
systemctl restart containerd`

// wantForeignRuntime: with runtime.criSocket the runtime is the user's, and stays as he made it.
func (s *site) wantForeignRuntime(server *packages.Server, plain *registry.Server, hosts []string) {
	s.inventory(usual())
	s.fromPackages(server)
	text := s.read(s.file)
	s.write(s.file, text[:strings.Index(text, "runtime:\n")]+"runtime: {criSocket: /run/crio/crio.sock}\n"+privateImages(plain))
	s.fairlead("images", "mirror", "--to", plain.Host).exits(0)
	o := s.fairlead("up").exits(1).says("nothing was changed")
	for _, host := range hosts {
		o.saysOf(host, "error: CRISocket", "there is no socket unix:///run/crio/crio.sock")
	}
	s.edit("/run/crio/crio.sock", "unix:///run/containerd/containerd.sock")
	const state = "systemctl show --property InvocationID containerd; find /etc/containerd -type f -exec sha256sum {} +"
	was := map[string]string{}
	for _, host := range hosts {
		s.shell(host, theirContainerd, plain.Host)
		was[host] = s.shell(host, state)
	}
	s.mustUp()
	s.wantNodes(hosts...)
	s.planned(0)
	s.t.Run("Network", func(t *testing.T) { s.sub(t).wantNetworkFrom(plain.Host + "/lab/probe:v1") })
	s.fairlead("reset", "--yes").exits(0)
	for _, host := range hosts {
		if out := s.shell(host, "ctr namespaces list --quiet; mount | grep /run/containerd || :"); out != "" {
			s.t.Errorf("host %s: containerd still has %s", host, out)
		}
		if is := s.shell(host, state); is != was[host] {
			s.t.Errorf("host %s: containerd was touched:\n%s\nwas\n%s", host, is, was[host])
		}
	}
}

// wantDockerConfigRefused: a broken daemon.json is named with the place, before anything is done.
func (s *site) wantDockerConfigRefused() {
	s.shell("w2", "mkdir -p /etc/docker && printf '{\\n  \"debug\": true,\\n}\\n' >/etc/docker/daemon.json")
	s.fairlead("up").exits(1).saysOf("w2", "error: DaemonJSON", "/etc/docker/daemon.json:3:1").says("nothing was changed")
	s.shell("w2", "rm -r /etc/docker")
}

// wantContainerdTooOld: the distribution's containerd is older than this Kubernetes wants. Where
// somebody has installed it, that is a finding with its mending; who knows better says so.
func (s *site) wantContainerdTooOld() {
	s.shell("w2", "apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq --yes --no-install-recommends install containerd >/dev/null")
	s.fairlead("up").exits(1).saysOf("w2", "error: ContainerdVersion", "containerd is 1.6.20", "remove the package containerd").says("nothing was changed")
	s.ignorePreflight("ContainerdVersion")
	s.fairlead("check").exits(0)
}

// wantDockerConfig: what the inventory says is in force, and the keys of others stay.
func (s *site) wantDockerConfig(plain string) {
	var config map[string]any
	if err := json.Unmarshal([]byte(s.shell("w1", "cat /etc/docker/daemon.json")), &config); err != nil {
		s.t.Fatal(err)
	}
	want := fmt.Sprint(map[string]any{
		"log-opts": map[string]any{"max-size": "10m"}, "labels": []any{"theirs=1"},
		"insecure-registries": []any{plain}, "registry-mirrors": []any{"http://" + plain},
	})
	if is := fmt.Sprint(config); is != want {
		s.t.Errorf("daemon.json is %s, want %s", is, want)
	}
	for _, host := range []string{"cp1", "w1", "w2"} {
		info := s.shell(host, "docker info")
		for _, want := range []string{"Insecure Registries:\n  " + plain, "Registry Mirrors:\n  http://" + plain + "/"} {
			if !strings.Contains(info, want) {
				s.t.Errorf("host %s: docker info lacks %q:\n%s", host, want, info)
			}
		}
		if count := s.shell(host, "pgrep --exact containerd | wc -l"); count != "1" {
			s.t.Errorf("host %s: %s containerds run", host, count)
		}
		if socket := s.shell(host, "cat /var/lib/kubelet/instance-config.yaml"); !strings.Contains(socket, "unix:///run/containerd/containerd.sock") {
			s.t.Errorf("host %s: the kubelet's socket: %s", host, socket)
		}
	}
}

// wantBothPull: a container of Docker and pods run on one host, with an image that Docker pushed
// to the registry without TLS.
func (s *site) wantBothPull(plain string) {
	image := plain + "/theirs/probe:v1"
	program, err := bundle.Program(s.ctx, bundle.Options{}, "probe", "probe")
	if err != nil {
		s.t.Fatal(err)
	}
	script := `mkdir image && cat >image/probe && chmod 0755 image/probe && tar -C image -c . | docker import --change 'ENTRYPOINT ["/probe"]' - "$1" && docker push "$1"; rm -r image`
	if _, err := s.lab.ExecInput(s.ctx, "w1", strings.NewReader(s.read(program)), "sh", "-euc", script, "sh", image); err != nil {
		s.t.Fatal(err)
	}
	s.shell("w2", `docker run --detach --rm --name theirs --publish 8081:8080 "$1" serve :8080`, image)
	s.t.Cleanup(func() { s.shell("w2", "docker rm --force theirs") })
	s.eventually("container of Docker on w2", 2*time.Minute, func() string {
		out, err := s.tryShell("w2", "docker exec theirs /probe get http://127.0.0.1:8080/")
		if err != nil || out == "" {
			return out + errorText(err)
		}
		return ""
	})
	s.wantNetworkFrom(image)
	if state := s.shell("w2", "docker inspect --format '{{.State.Status}}' theirs"); state != "running" {
		s.t.Errorf("the container of Docker is %s", state)
	}
}

// wantDockerRestartedOnly: a registry that comes to the inventory restarts Docker and nothing else.
func (s *site) wantDockerRestartedOnly(plain string) {
	start := func(host, unit string) string {
		return s.shell(host, "systemctl show --property ActiveEnterTimestampMonotonic --value "+unit)
	}
	units := []string{"containerd", "docker", "kubelet"}
	was := map[string]string{}
	for _, unit := range units {
		was[unit] = start("w1", unit)
	}
	s.fairlead("up").exits(0).says("nothing to do")
	s.edit("insecureRegistries: [", "insecureRegistries: [\"other.example:5000\", ")
	s.planned(3).says("/etc/docker/daemon.json differs")
	s.mustUp()
	s.planned(0)
	var changed []string
	for _, unit := range units {
		if start("w1", unit) != was[unit] {
			changed = append(changed, unit)
		}
	}
	if !slices.Equal(changed, []string{"docker"}) {
		s.t.Errorf("restarted on w1: %v, want docker alone", changed)
	}
	if info := s.shell("w1", "docker info"); !strings.Contains(info, "other.example:5000") || !strings.Contains(info, plain) {
		s.t.Errorf("docker info does not show both registries:\n%s", info)
	}
}

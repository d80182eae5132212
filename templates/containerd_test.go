package templates

import (
	"maps"
	"reflect"
	"testing"
)

// criPlugin is what containerd 1.x calls its part for the kubelet; 2.x still understands it.
const criPlugin = "io.containerd.grpc.v1.cri"

// A containerd from packages gets a configuration that 1.6 understands as well.
func TestContainerdConfigFormat2(t *testing.T) {
	for _, c := range []struct {
		file string
		in   Containerd
	}{
		{"containerd-v2.toml", Containerd{Format2: true, SandboxImage: "registry.k8s.io/pause:3.10.2"}},
		{"containerd-v2-restricted.toml", Containerd{
			Format2: true, SandboxImage: "registry.lab:5000/k8s/pause:3.10.2", RestrictOOMScoreAdj: true, DisableAppArmor: true,
		}},
	} {
		text := ContainerdConfig(c.in)
		golden(t, "packages/"+c.file, text)
		root := map[string]any{"version": 2}
		plugin := []string{"plugins", criPlugin}
		table := func(values map[string]any, names ...string) tomlTable {
			return tomlTable{append(append([]string{}, plugin...), names...), values}
		}
		want := []tomlTable{
			{values: root},
			table(map[string]any{
				"sandbox_image": c.in.SandboxImage, "restrict_oom_score_adj": c.in.RestrictOOMScoreAdj, "disable_apparmor": c.in.DisableAppArmor,
			}),
			table(map[string]any{"config_path": RegistryCertsFolder}, "registry"),
			table(map[string]any{"default_runtime_name": "runc"}, "containerd"),
			table(map[string]any{"runtime_type": "io.containerd.runc.v2"}, "containerd", "runtimes", "runc"),
			table(map[string]any{"SystemdCgroup": true}, "containerd", "runtimes", "runc", "options"),
		}
		if got := readTOML(t, string(text)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s is read as\n%v\nwant\n%v", c.file, got, want)
		}
	}
}

func TestRegistryCredentialsFormat2(t *testing.T) {
	in := []RegistryCredential{{"registry.lab:5000", "puller", `a"b\` + "\n"}, {"[2001:db8::11]:5000", "u", "p"}}
	file := RegistryCredentials(in, Containerd{Format2: true})
	if other := RegistryCredentials(in, Containerd{}); file.Path != other.Path || file.Mode != 0o600 || !file.Secret {
		t.Errorf("file is %s with mode %o, secret: %v", file.Path, file.Mode, file.Secret)
	}
	want := readTOML(t, string(ContainerdConfig(Containerd{Format2: true})))
	for _, c := range in {
		name := []string{"plugins", criPlugin, "registry", "configs", c.Host, "auth"}
		want = append(want, tomlTable{name, map[string]any{"username": c.User, "password": c.Password}})
	}
	if got := readTOML(t, string(file.Content)); !reflect.DeepEqual(got, want) {
		t.Errorf("read as %q, want %q", got, want)
	}
}

// containerd 1.x replaces all that a file says of a plugin by what a file says that it imports
// (containerd issue 5837), so that what is imported has to say all of it.
func TestContainerdConfigSurvivesItsImports(t *testing.T) {
	effective := readTOML(t, string(ContainerdConfig(Containerd{Format2: true, SandboxImage: "pause", Credentials: true})))
	imported := readTOML(t, string(RegistryCredentials([]RegistryCredential{{"a.lab", "u", "p"}}, Containerd{Format2: true}).Content))
	if len(imported) > 1 {
		effective = imported
	}
	values := map[string]any{}
	for _, table := range effective {
		maps.Copy(values, table.values)
	}
	for _, key := range []string{"sandbox_image", "SystemdCgroup", "config_path", "restrict_oom_score_adj", "disable_apparmor", "runtime_type"} {
		if _, there := values[key]; !there {
			t.Errorf("containerd is not told %s", key)
		}
	}
}

package templates

import (
	"path"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

func TestRegistryHosts(t *testing.T) {
	const ownCA = RegistryCertsFolder + "/192.0.2.11:5000/ca.crt"
	own := RegistryEndpoint{URL: "https://192.0.2.11:5000", Path: "docker.io", CAFile: ownCA}
	hub := RegistryEndpoint{URL: "https://registry-1.docker.io"}
	for _, tt := range []struct {
		file, name string
		server     RegistryEndpoint
		mirrors    []RegistryEndpoint
	}{
		{"hosts-system-ca.toml", "registry.example.com", RegistryEndpoint{URL: "https://registry.example.com"}, nil},
		{"hosts-plain.toml", "registry.lab:5000", RegistryEndpoint{URL: "http://registry.lab:5000"}, nil},
		{"hosts-ca.toml", "registry.lab:5000",
			RegistryEndpoint{URL: "https://registry.lab:5000", CAFile: RegistryCertsFolder + "/registry.lab:5000/ca.crt"}, nil},
		{"hosts-ipv6.toml", "[2001:db8::11]:5000",
			RegistryEndpoint{URL: "https://[2001:db8::11]:5000", CAFile: RegistryCertsFolder + "/[2001:db8::11]:5000/ca.crt"}, nil},
		{"hosts-mirror.toml", "docker.io", hub, []RegistryEndpoint{{URL: "https://mirror.example.com"}}},
		{"hosts-mirrors.toml", "docker.io", hub, []RegistryEndpoint{
			own, {URL: "https://mirror.example.com"}, {URL: "http://b.lab:5000", Path: "hub/public"}, {URL: "https://a.lab", CAFile: "/a.crt"},
			{URL: "https://a.lab", Path: "hub", CAFile: "/a.crt"},
		}},
	} {
		t.Run(tt.file, func(t *testing.T) {
			file := RegistryHosts(tt.name, tt.server, tt.mirrors)
			golden(t, tt.file, file.Content)
			if want := RegistryCertsFolder + "/" + tt.name + "/hosts.toml"; file.Path != want || file.Mode != 0o644 || file.Secret {
				t.Errorf("file is %s with mode %o, secret: %v, want %s with 644", file.Path, file.Mode, file.Secret, want)
			}
			root := hostTable(nil, tt.server)
			root.values["server"] = tt.server.URL
			want := []tomlTable{root}
			if len(tt.mirrors) == 0 { // containerd 1 misses it otherwise
				want = append(want, tomlTable{[]string{"host"}, map[string]any{}})
			}
			for _, mirror := range tt.mirrors {
				url := mirror.URL
				if mirror.Path != "" {
					url += "/v2/" + mirror.Path
				}
				want = append(want, hostTable([]string{"host", url}, mirror))
			}
			if got := readTOML(t, string(file.Content)); !reflect.DeepEqual(got, want) {
				t.Errorf("read as %v, want %v", got, want)
			}
		})
	}
}

// hostTable is what containerd is to know of an endpoint, and nothing else: not skip_verify.
func hostTable(name []string, e RegistryEndpoint) tomlTable {
	values := map[string]any{"capabilities": []any{"pull", "resolve"}}
	if e.CAFile != "" {
		values["ca"] = e.CAFile
	}
	if e.Path != "" {
		values["override_path"] = true
	}
	return tomlTable{name, values}
}

func TestRegistryHostsQuotes(t *testing.T) {
	odd := RegistryEndpoint{URL: `https://a"]b\c`, Path: "d'e#f", CAFile: "/g\n[host.h]"}
	server := RegistryEndpoint{URL: odd.URL, CAFile: odd.CAFile}
	got := readTOML(t, string(RegistryHosts("x", server, []RegistryEndpoint{odd}).Content))
	if len(got) != 2 || got[0].values["server"] != odd.URL || got[0].values["ca"] != odd.CAFile ||
		!reflect.DeepEqual(got[1], hostTable([]string{"host", odd.URL + "/v2/" + odd.Path}, odd)) {
		t.Errorf("read as %q", got)
	}
}

func TestRegistryCredentials(t *testing.T) {
	odd := []string{
		"puller", `a"b`, `"`, `""`, `'''`, `c:\new\u0041`, `\`, "a\nb", "\r\n", "\ttab", "nul\x00", "del\x7f", "\x1b[0m", "#no comment",
		"a = b", "[table]", " around ", "$HOME ${X} %s `id`", "@IMPORTS@", "äöü ß €", "日本", "🔑", "\u2028\ufeff",
	}
	var in []RegistryCredential
	for i, text := range odd {
		host := "registry" + strconv.Itoa(i) + ".lab:5000"
		in = append(in, RegistryCredential{Host: host, User: text, Password: odd[len(odd)-1-i]})
	}
	in = append(in, RegistryCredential{Host: "[2001:db8::11]:5000", User: "u", Password: "p"}, RegistryCredential{Host: "plain.example", User: "u2", Password: "p2"})

	for _, credentials := range [][]RegistryCredential{in, in[:1], nil} {
		file := RegistryCredentials(credentials, Containerd{})
		if file.Path != "/etc/containerd/conf.d/fairlead-registries.toml" || file.Mode != 0o600 || !file.Secret {
			t.Errorf("file is %s with mode %o, secret: %v", file.Path, file.Mode, file.Secret)
		}
		want := []tomlTable{{values: map[string]any{"version": 3}}}
		for _, c := range credentials {
			name := []string{"plugins", "io.containerd.cri.v1.images", "registry", "configs", c.Host, "auth"}
			want = append(want, tomlTable{name, map[string]any{"username": c.User, "password": c.Password}})
		}
		if got := readTOML(t, string(file.Content)); !reflect.DeepEqual(got, want) {
			t.Errorf("read as %q, want %q", got, want)
		}
	}
}

func TestContainerdIncludesCredentials(t *testing.T) {
	options := Containerd{SandboxImage: "registry.lab:5000/k8s/pause:3.10.2"}
	without := string(ContainerdConfig(options))
	options.Credentials = true
	with := string(ContainerdConfig(options))

	line := "imports = ['" + RegistryCredentials(nil, Containerd{}).Path + "']\n"
	if strings.Replace(with, line, "", 1) != without || strings.Contains(without, "imports") {
		t.Errorf("with credentials:\n%s\nwithout:\n%s", with, without)
	}
	// Behind the first table the key would be one of that table.
	if at, table := strings.Index(with, line), strings.Index(with, "\n["); at < 0 || at > table {
		t.Errorf("imports is at %d, the first table at %d", at, table)
	}
	imported := readTOML(t, string(RegistryCredentials(nil, Containerd{}).Content))[0].values["version"]
	if version := readTOML(t, with)[0].values["version"]; version != imported {
		t.Errorf("version is %v, that of what it imports is %v", version, imported)
	}
}

func TestRegistryFiles(t *testing.T) {
	files := RegistryFiles()
	want := []struct{ golden, path string }{
		{"registry.yaml", "/etc/fairlead/registry/config.yaml"},
		{"registry-writer.yaml", "/etc/fairlead/registry/writer.yaml"},
		{"fairlead-registry.service", "/etc/systemd/system/fairlead-registry.service"},
		{"fairlead-registry-writer.service", "/etc/systemd/system/fairlead-registry-writer.service"},
	}
	if len(files) != len(want) {
		t.Fatalf("%d files, want %d", len(files), len(want))
	}
	for i, file := range files {
		golden(t, want[i].golden, file.Content)
		if file.Path != want[i].path || file.Mode != 0o644 || file.Secret {
			t.Errorf("file is %s with mode %o, secret: %v, want %s with 644", file.Path, file.Mode, file.Secret, want[i].path)
		}
	}
}

func TestRegistryConfigs(t *testing.T) {
	files := RegistryFiles()
	storage := map[string]any{"rootdirectory": RegistryStorage}
	on, off := map[string]any{"enabled": true}, map[string]any{"enabled": false}
	for i, want := range []map[string]any{
		{ // TLS, and nobody writes
			"version": 0.1,
			"log":     map[string]any{"level": "info", "accesslog": map[string]any{"disabled": false}},
			"storage": map[string]any{"filesystem": storage, "maintenance": map[string]any{"readonly": on, "uploadpurging": off}},
			"http": map[string]any{"addr": ":" + strconv.Itoa(RegistryPort),
				"tls": map[string]any{"certificate": RegistryCertificate, "key": RegistryKey}},
		},
		{ // whoever writes is on this host and knows a password
			"version": 0.1,
			"log":     map[string]any{"level": "info"},
			"storage": map[string]any{"filesystem": storage, "delete": on},
			"auth":    map[string]any{"htpasswd": map[string]any{"realm": "fairlead", "path": RegistryPasswords}},
			"http":    map[string]any{"addr": "127.0.0.1:" + strconv.Itoa(RegistryWriterPort)},
		},
	} {
		var got map[string]any
		if err := yaml.UnmarshalStrict(files[i].Content, &got); err != nil {
			t.Fatalf("%s: %v", files[i].Path, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s is read as %v, want %v", files[i].Path, got, want)
		}
	}
}

func TestRegistryUnits(t *testing.T) {
	files := RegistryFiles()
	hardening := []string{
		"CapabilityBoundingSet=", "NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes", "PrivateTmp=yes", "PrivateDevices=yes",
		"ProtectKernelTunables=yes", "ProtectKernelModules=yes", "ProtectControlGroups=yes", "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
		"RestrictNamespaces=yes", "RestrictRealtime=yes", "RestrictSUIDSGID=yes", "LockPersonality=yes", "MemoryDenyWriteExecute=yes",
		"SystemCallArchitectures=native", "SystemCallFilter=@system-service", "UMask=0077",
		"StateDirectory=" + path.Base(RegistryStorage), "StateDirectoryMode=0700",
	}
	for _, tt := range []struct {
		unit, config HostFile
		always       bool // the reader runs always, the writer while fairlead writes
	}{
		{files[2], files[0], true},
		{files[3], files[1], false},
	} {
		lines := map[string]int{}
		for line := range strings.SplitSeq(string(tt.unit.Content), "\n") {
			lines[line]++
		}
		for _, line := range append(hardening, "ExecStart=/usr/local/bin/registry serve "+tt.config.Path) {
			if lines[line] != 1 {
				t.Errorf("%s: %s is there %d times, want 1", tt.unit.Path, line, lines[line])
			}
		}
		for _, line := range []string{"Restart=always", "RestartSec=5", "[Install]", "WantedBy=multi-user.target"} {
			if lines[line] == 1 != tt.always {
				t.Errorf("%s: %s is there %d times", tt.unit.Path, line, lines[line])
			}
		}
	}
}

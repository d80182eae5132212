package convert

import (
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"fairlead/inventory"

	"github.com/rogpeppe/go-internal/diff"
)

var update = flag.Bool("update", false, "write the goldens anew")

// golden compares got with a file below testdata, or writes that with -update.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path) //nolint:gosec // of this test
	if err != nil {
		t.Fatal(err)
	}
	if d := diff.Diff(path, want, "got", got); d != nil {
		t.Errorf("%s", d)
	}
}

// samples are the files of testdata/samples, written by us in the shapes that the tools document, with what has to be said to them.
func samples(t testing.TB) map[string]Options {
	t.Helper()
	files, err := filepath.Glob("testdata/samples/*")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	all := map[string]Options{}
	for _, file := range files {
		all[file] = Options{}
	}
	all["testdata/samples/vagrant-nat.txt"] = Options{ControlPlane: []string{"second"}, Addresses: map[string]netip.Addr{
		"default": netip.MustParseAddr("192.168.56.21"), "second": netip.MustParseAddr("192.168.56.22"),
	}}
	all["testdata/samples/kubekey-inventory.yaml"] = Options{Addresses: map[string]netip.Addr{"node-2": netip.MustParseAddr("10.3.0.13")}}
	all["testdata/samples/k0sctl-forwarded.yaml"] = Options{Addresses: map[string]netip.Addr{
		"127.0.0.1:9022": netip.MustParseAddr("192.168.56.21"), "127.0.0.1:9023": netip.MustParseAddr("192.168.56.22"),
	}}
	return all
}

// secret is in the samples wherever they have passwords, keys and tokens.
const secret = "hunter2"

// TestSamples makes a cluster file of each sample. It loads, and has the hosts of the draft and no others.
func TestSamples(t *testing.T) {
	for file, options := range samples(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file) //nolint:gosec // of this test
			if err != nil {
				t.Fatal(err)
			}
			draft, err := Read(filepath.Base(file), data, options)
			if err != nil {
				t.Fatal(err)
			}
			text, err := draft.Write()
			if err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join("testdata/golden", filepath.Base(file)+".yaml"), text)
			if strings.Contains(string(text), secret) {
				t.Error("a secret came through")
			}
			sameHosts(t, draft, text)
		})
	}
}

// sameHosts loads a written file and compares its hosts with the draft's.
func sameHosts(t *testing.T, draft *Draft, text []byte) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "cluster.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, err := inventory.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Hosts()) != len(draft.Hosts) {
		t.Fatalf("%d hosts became %d", len(draft.Hosts), len(c.Hosts()))
	}
	for i, got := range c.Hosts() {
		want := draft.Hosts[i].Host
		if want.SSH.Transport == "" {
			want.SSH.Transport = inventory.TransportSSH
			if rest, home := strings.CutPrefix(want.SSH.IdentityFile, "~"); home {
				folder, err := os.UserHomeDir()
				if err != nil {
					t.Fatal(err)
				}
				want.SSH.IdentityFile = folder + rest
			} else if want.SSH.IdentityFile != "" && !filepath.IsAbs(want.SSH.IdentityFile) {
				want.SSH.IdentityFile = filepath.Join(filepath.Dir(file), want.SSH.IdentityFile)
			}
		} else {
			want.SSH.User = got.SSH.User
		}
		if len(want.Labels) == 0 {
			want.Labels = nil
		}
		if len(want.Taints) == 0 {
			want.Taints = nil
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
}

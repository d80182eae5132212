// Package imports checks which package of fairlead may import which.
package imports

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// rule says what packages below a prefix may import of fairlead, and what of others they
// must not. The longest prefix that fits counts.
type rule struct {
	packages string
	may      []string
	mustNot  []string
}

func table() []rule {
	kubernetes := []string{"k8s.io/", "sigs.k8s.io/"}
	ssh := []string{"golang.org/x/crypto/ssh", "github.com/pkg/sftp"}
	cli := []string{"github.com/urfave/cli", "github.com/vbauerster/mpb"}
	client := []string{"k8s.io/client-go"}
	// What touches the world outside of the program, or is different each time.
	world := []string{"context", "os", "io/fs", "net", "net/http", "crypto/rand", "math/rand", "math/rand/v2", "log", "log/slog", "os/exec", "syscall"}
	ours := func(names ...string) []string {
		var paths []string
		for _, name := range names {
			paths = append(paths, "fairlead/provision/"+name)
		}
		return paths
	}
	base := []string{"fairlead/inventory", "fairlead/pki", "fairlead/templates", "fairlead/templates/"}
	return []rule{
		{"fairlead/cmd/", []string{"fairlead/"}, ssh},
		{"fairlead/inventory", []string{"fairlead/inventory/nearest"}, concat(kubernetes, ssh, cli)},
		{"fairlead/inventory/convert", []string{"fairlead/inventory"}, concat(kubernetes, ssh, cli, []string{"context", "os", "os/exec", "net/http", "log", "log/slog"})}, // bytes to text: others read, look up, write
		{"fairlead/inventory/nearest", nil, concat(kubernetes, ssh, cli)},                                                                                                 // of strings alone: so that one rule says for all what was meant
		{"fairlead/pki", nil, concat(ssh, cli)},
		{"fairlead/templates", []string{"fairlead/inventory/nearest"}, concat(ssh, cli, []string{"k8s.io/client-go"})},
		{"fairlead/templates/images", nil, concat(kubernetes, ssh, cli)},

		{"fairlead/provision", concat(base, []string{"fairlead/provision/"}), concat(ssh, cli, kubernetes)},
		{"fairlead/provision/plan", concat(base, ours("desired", "facts", "ledger", "object", "bundle")), concat(ssh, cli, client, world)},
		{"fairlead/provision/desired", concat(base, ours("manifests", "bundle", "object", "registry")), concat(ssh, cli, kubernetes)},
		{"fairlead/provision/facts", concat(ours("ledger", "object"), []string{"fairlead/templates"}), concat(ssh, cli, kubernetes, world)},
		{"fairlead/provision/lock", concat(ours("kube", "remote"), []string{"fairlead/templates"}), concat(ssh, cli, kubernetes)},
		{"fairlead/provision/ledger", nil, concat(ssh, cli, kubernetes, world)},
		{"fairlead/provision/object", nil, concat(ssh, cli, client, world)},
		{"fairlead/provision/event", ours("plan"), concat(ssh, cli, kubernetes)},
		{"fairlead/provision/engine", ours("plan", "event"), concat(ssh, cli, kubernetes)},
		{"fairlead/provision/connect", concat(ours("remote", "remote/", "kube"), base), concat(cli, kubernetes, []string{"golang.org/x/crypto/ssh"})},
		{"fairlead/provision/observe", concat(base, ours("facts", "ledger", "object", "desired", "connect", "remote", "kube", "etcd", "registry", "bundle", "event")), concat(ssh, cli, kubernetes)},
		{"fairlead/provision/apply", concat(base, ours("plan", "ledger", "object", "remote", "kube", "etcd", "registry", "bundle", "event")), concat(ssh, cli, client)},
		{"fairlead/provision/model", concat(base, ours("plan", "facts", "desired", "engine", "event", "ledger", "object", "model/")), concat(ssh, cli, client)},
		{"fairlead/provision/model/world", concat(base, ours("facts", "desired", "ledger", "object", "bundle")), concat(ssh, cli, client)},

		{"fairlead/provision/etcd", nil, concat(kubernetes, ssh, cli)},
		{"fairlead/provision/bundle", nil, concat(kubernetes, ssh, cli)},
		{"fairlead/provision/manifests", []string{"fairlead/inventory"}, concat(ssh, cli, []string{"k8s.io/client-go", "k8s.io/kubernetes"})},
		{"fairlead/provision/registry", nil, concat(kubernetes, ssh, cli)},
		{"fairlead/provision/remote", nil, concat(kubernetes, cli, []string{"golang.org/x/crypto/ssh"})},
		{"fairlead/provision/remote/ssh", ours("remote"), concat(kubernetes, cli)},
		{"fairlead/provision/remote/sshconfig", append(ours("remote", "remote/child"), "fairlead/inventory"), concat(kubernetes, ssh, cli)},
		{"fairlead/provision/remote/child", ours("remote"), concat(kubernetes, ssh, cli)},
		{"fairlead/provision/remote/local", ours("remote", "remote/child"), concat(kubernetes, ssh, cli)},
		{"fairlead/provision/remote/container", ours("remote", "remote/child"), concat(kubernetes, ssh, cli)},
		{"fairlead/provision/remote/remotetest", ours("remote", "remote/"), concat(kubernetes, cli)},
		{"fairlead/provision/kube", concat(ours("object"), []string{"fairlead/pki"}), concat(ssh, cli)},
	}
}

func concat(lists ...[]string) []string {
	var all []string
	for _, list := range lists {
		all = append(all, list...)
	}
	return all
}

func TestImportTable(t *testing.T) {
	list := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...")
	list.Dir = "../.."
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	packages := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(packages) < 7 {
		t.Fatalf("go list found only %d packages", len(packages))
	}
	for _, line := range packages {
		name, imports, _ := strings.Cut(line, " ")
		r, ok := ruleFor(name)
		if !ok {
			t.Errorf("%s: no rule names this package", name)
			continue
		}
		for _, imported := range strings.Fields(imports) {
			if broken(r, name, imported) {
				t.Errorf("%s must not import %s", name, imported)
			}
		}
	}
}

func ruleFor(name string) (best rule, found bool) {
	for _, r := range table() {
		fits := name == strings.TrimSuffix(r.packages, "/") || strings.HasPrefix(name, strings.TrimSuffix(r.packages, "/")+"/")
		if fits && len(r.packages) >= len(best.packages) {
			best, found = r, true
		}
	}
	return best, found
}

func broken(r rule, name, imported string) bool {
	for _, path := range r.mustNot {
		if imported == path || strings.HasPrefix(imported, strings.TrimSuffix(path, "/")+"/") && !standard(path) {
			return true
		}
	}
	if !strings.HasPrefix(imported, "fairlead/") || imported == name {
		return false
	}
	for _, allowed := range r.may {
		if imported == allowed || strings.HasSuffix(allowed, "/") && strings.HasPrefix(imported, allowed) {
			return false
		}
	}
	return true
}

// standard says that a path is of the standard library, where what lies below a package can be
// harmless: net/netip only knows addresses.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

func TestThePlanIsPure(t *testing.T) {
	r, _ := ruleFor("fairlead/provision/plan")
	for _, imported := range []string{
		"context", "os", "net/http", "crypto/rand", "log/slog", "fairlead/provision/remote", "fairlead/provision/kube", "fairlead/provision/observe", "k8s.io/client-go/rest",
	} {
		if !broken(r, "fairlead/provision/plan", imported) {
			t.Errorf("the plan may import %s", imported)
		}
	}
	if broken(r, "fairlead/provision/plan", "net/netip") {
		t.Error("the plan must not import net/netip")
	}
}

// TestThePlanStartsNothing: that is why its unit tests run without the race detector.
func TestThePlanStartsNothing(t *testing.T) {
	files, err := filepath.Glob("../../provision/plan/*.go")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if _, starts := n.(*ast.GoStmt); starts {
				t.Errorf("%s: has a go statement", name)
			}
			return true
		})
		for _, imported := range file.Imports {
			if strings.HasPrefix(imported.Path.Value, `"sync`) {
				t.Errorf("%s: imports %s", name, imported.Path.Value)
			}
		}
	}
}

func TestRuleIsNarrow(t *testing.T) {
	r, ok := ruleFor("fairlead/provision/kube")
	if !ok || r.packages != "fairlead/provision/kube" {
		t.Fatalf("rule of fairlead/provision/kube is %q", r.packages)
	}
	if !broken(r, "fairlead/provision/kube", "golang.org/x/crypto/ssh") {
		t.Error("kube may import ssh")
	}
	if !broken(r, "fairlead/provision/kube", "fairlead/provision/remote") {
		t.Error("kube may import remote")
	}
	if broken(r, "fairlead/provision/kube", "fairlead/pki") {
		t.Error("kube must not import pki")
	}
	for name, imported := range map[string]string{
		"fairlead/provision/remote":       "golang.org/x/crypto/ssh",
		"fairlead/provision/remote/local": "fairlead/provision/remote/ssh",
		"fairlead/provision/remote/ssh":   "fairlead/provision/remote/local",
	} {
		if r, _ := ruleFor(name); !broken(r, name, imported) {
			t.Errorf("%s may import %s", name, imported)
		}
	}
}

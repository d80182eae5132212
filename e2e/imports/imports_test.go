// Package imports checks which package of fairlead may import which.
package imports

import (
	"os/exec"
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
	return []rule{
		{"fairlead/cmd/", []string{"fairlead/"}, ssh},
		{"fairlead/inventory", []string{"fairlead/inventory/nearest"}, concat(kubernetes, ssh, cli)},
		{"fairlead/inventory/nearest", nil, concat(kubernetes, ssh, cli)}, // of strings alone: so that one rule says for all what was meant
		{"fairlead/pki", nil, concat(ssh, cli)},
		{"fairlead/templates", []string{"fairlead/inventory/nearest"}, concat(ssh, cli, []string{"k8s.io/client-go"})},
		{"fairlead/templates/images", nil, concat(kubernetes, ssh, cli)},
		{"fairlead/provision", []string{"fairlead/inventory", "fairlead/pki", "fairlead/templates", "fairlead/templates/", "fairlead/provision/"}, concat(ssh, cli)},
		{"fairlead/provision/bundle", nil, concat(kubernetes, ssh, cli)},
		{"fairlead/provision/manifests", []string{"fairlead/inventory"}, concat(ssh, cli, []string{"k8s.io/client-go", "k8s.io/kubernetes"})},
		{"fairlead/provision/registry", nil, concat(kubernetes, ssh, cli)},
		{"fairlead/provision/remote", nil, concat(kubernetes, cli)},
		{"fairlead/provision/kube", []string{"fairlead/pki"}, concat(ssh, cli)},
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
	for _, prefix := range r.mustNot {
		if strings.HasPrefix(imported, prefix) {
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
}

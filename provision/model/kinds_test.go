package model

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// walk looks at everything in a package, without its tests.
func walk(t *testing.T, folder string, look func(ast.Node)) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			if node != nil {
				look(node)
			}
			return true
		})
	}
}

// qualified is the name in PACKAGE.NAME; empty for anything else.
func qualified(of string, node ast.Expr) string {
	selector, ok := node.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	if name, ok := selector.X.(*ast.Ident); !ok || name.Name != of {
		return ""
	}
	return selector.Sel.Name
}

// cases are the names of a package for which a package has cases.
func cases(t *testing.T, folder, of string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	walk(t, folder, func(node ast.Node) {
		if clause, ok := node.(*ast.CaseClause); ok {
			for _, each := range clause.List {
				if name := qualified(of, each); name != "" {
					names[name] = true
				}
			}
		}
	})
	return names
}

// kinds are the types of package plan that describe themselves as actions do.
func kinds(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	walk(t, "../plan", func(node ast.Node) {
		method, ok := node.(*ast.FuncDecl)
		if !ok || method.Recv == nil || method.Name.Name != "Describe" {
			return
		}
		if receiver, ok := method.Recv.List[0].Type.(*ast.Ident); ok {
			names[receiver.Name] = true
		}
	})
	return names
}

// Both interpreters know every kind of action, and no other.
func TestKindsOfActions(t *testing.T) {
	all := map[string]map[string]bool{
		"package plan has no": kinds(t), "package apply does not do": cases(t, "../apply", "plan"), "the model does not do": cases(t, ".", "plan"),
	}
	for complaint, known := range all {
		if len(known) < 25 {
			t.Errorf("%s: only %d kinds were found", complaint, len(known))
		}
		for _, others := range all {
			for kind := range others {
				if !known[kind] {
					t.Errorf("%s %s", complaint, kind)
				}
			}
		}
	}
}

// The model knows every script that plans run.
func TestScriptsOfPlans(t *testing.T) {
	known, used := cases(t, ".", "templates"), 0
	walk(t, "../plan", func(node ast.Node) {
		expression, ok := node.(ast.Expr)
		if !ok {
			return
		}
		var names []string
		switch name := qualified("templates", expression); {
		case name == "Packages":
			names = []string{"ScriptPackagesApt", "ScriptPackagesDnf"}
		case strings.HasPrefix(name, "Script") && name != "Script":
			names = []string{name}
		}
		for _, name := range names {
			used++
			if !known[name] {
				t.Errorf("the model does not know %s", name)
			}
		}
	})
	if used < 8 {
		t.Errorf("only %d uses of scripts were found", used)
	}
}

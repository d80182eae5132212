package plan

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/bundle"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
)

// preflightCase is a cluster in which one thing is wrong, or just not wrong yet.
type preflightCase struct {
	name   string
	edit   func(*inventory.Cluster)
	bundle func(*bundle.Manifest)
	living bool // start from a converged cluster, else from fresh hosts
	on     string
	host   func(*facts.Host) // changes the host called on, cp1 if that is empty
	change func(*facts.Facts)
	// want are the findings, one a line, as line writes them; empty: there is none.
	want string
	// firm findings stay whatever ignorePreflight says: there is no plan that leaves them out.
	firm bool
}

// line is a finding as the tables have it.
func line(f Finding) string {
	level, host := "error", f.Host
	if f.Warning {
		level = "warning"
	}
	if host == "" {
		host = "all"
	}
	return fmt.Sprintf("%s %s %s: %s (%s)", level, host, f.Name, f.Message, f.Fix)
}

func lines(findings []Finding) string {
	var all []string
	for _, f := range findings {
		all = append(all, line(f))
	}
	return strings.Join(all, "\n")
}

// nameIn is what a line of the tables calls its finding.
func nameIn(line string) string { return strings.TrimSuffix(strings.Fields(line)[2], ":") }

func (c preflightCase) findings(t *testing.T, ignored ...string) []Finding {
	t.Helper()
	wish := world.BundledState(t, c.edit, c.bundle)
	wish.Cluster.IgnorePreflight = append(wish.Cluster.IgnorePreflight, ignored...)
	facts := world.Of(wish, func(_ desired.State, host inventory.Host) facts.Host { return world.FreshHost(host) })
	if c.living {
		facts = world.Converged(t, wish)
	}
	if c.host != nil {
		on := c.on
		if on == "" {
			on = "cp1"
		}
		world.ChangeHost(facts, on, c.host)
	}
	if c.change != nil {
		c.change(&facts)
	}
	plan := Make(wish, facts)
	if len(ignored) == 0 && c.name != "a daemon.json with a mistake" { // of which a file holds nothing
		WantSameFromFile(t, wish, facts)
	}
	var errs []Finding
	for _, f := range plan.Findings {
		if !f.Warning {
			errs = append(errs, f)
		}
	}
	if got := lines(plan.Errors()); got != lines(errs) {
		t.Errorf("the errors among the findings are\n%s\nwant\n%s", got, lines(errs))
	}
	return plan.Findings
}

// TestPreflight has a case for each check on either side of its limit. What ignorePreflight
// names, in whatever case, is found no more, and all the rest still is.
func TestPreflight(t *testing.T) {
	for _, c := range preflightCases(t) {
		t.Run(c.name, func(t *testing.T) {
			if got := lines(c.findings(t)); got != c.want {
				t.Errorf("found\n%s\nwant\n%s", got, c.want)
			}
			wanted := slices.DeleteFunc(strings.Split(c.want, "\n"), func(line string) bool { return line == "" })
			for _, each := range wanted {
				name := nameIn(each)
				left := slices.DeleteFunc(slices.Clone(wanted), func(line string) bool { return !c.firm && nameIn(line) == name })
				if got := lines(c.findings(t, strings.ToUpper(name))); got != strings.Join(left, "\n") {
					t.Errorf("without %s found\n%s\nwant\n%s", name, got, strings.Join(left, "\n"))
				}
			}
		})
	}
}

func preflightCases(t *testing.T) []preflightCase {
	t.Helper()
	return slices.Concat(machineCases(), networkCases(), softwareCases(), identityCases(), bundleCases(), imageCases(t), portCases(t), memberCases(t), unreadCases(), sshdCases(), cloneCases(), etcdCases(t), balancerCases(), strangerCases())
}

// Every name that a finding can have in this package stands in the table.
func TestPreflightHasACaseForEveryFinding(t *testing.T) {
	tested := map[string]bool{}
	for _, c := range preflightCases(t) {
		for each := range strings.SplitSeq(c.want, "\n") {
			if each != "" {
				tested[nameIn(each)] = true
			}
		}
	}
	names := findingNames(t)
	if len(names) < 35 {
		t.Errorf("only %d names were found in the source: %v", len(names), names)
	}
	for _, name := range names {
		stem := strings.TrimSuffix(name, "%d")
		if !slices.ContainsFunc(slices.Collect(maps.Keys(tested)), func(is string) bool { return is == name || stem != name && strings.HasPrefix(is, stem) }) {
			t.Errorf("no case of TestPreflight finds %s", name)
		}
	}
}

// findingNames reads them from the source: the field Name of Finding, the field name of check and
// of tables whose rows are made into findings. What images verify reports is no matter of preflight.
func findingNames(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var parsed []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, file)
	}
	names, constants := map[string]bool{}, map[string]string{}
	inspect := func(visit func(ast.Node) bool) {
		for _, file := range parsed {
			ast.Inspect(file, visit)
		}
	}
	inspect(func(node ast.Node) bool {
		if spec, ok := node.(*ast.ValueSpec); ok && len(spec.Names) == len(spec.Values) {
			for i, name := range spec.Names {
				constants[name.Name] = literal(spec.Values[i], nil)
			}
		}
		return true
	})
	inspect(func(node ast.Node) bool {
		if function, ok := node.(*ast.FuncDecl); ok && function.Recv != nil {
			of, _ := function.Recv.List[0].Type.(*ast.Ident)
			return of == nil || of.Name != "ForeignImage"
		}
		if list, ok := node.(*ast.CompositeLit); ok {
			for _, name := range namesIn(list) {
				if text := literal(name, constants); text != "" {
					names[text] = true
				} else if _, selected := name.(*ast.SelectorExpr); !selected { // of a row, which is looked at itself
					t.Errorf("the name of a finding is made in a way that this test does not know: %T", name)
				}
			}
		}
		return true
	})
	return slices.Sorted(maps.Keys(names))
}

// namesIn are the names of findings in a Finding, a check, or a list of rows with a name.
func namesIn(list *ast.CompositeLit) (names []ast.Expr) {
	switch of := list.Type.(type) {
	case *ast.Ident:
		if of.Name == "Finding" {
			names = appendField(names, list, "Name")
		}
		if of.Name == "check" {
			names = appendField(names, list, "name")
		}
	case *ast.ArrayType:
		row, isStruct := of.Elt.(*ast.StructType)
		named, _ := of.Elt.(*ast.Ident)
		for _, element := range list.Elts {
			each, ok := element.(*ast.CompositeLit)
			switch {
			case ok && named != nil && named.Name == "check":
				names = appendField(names, each, "name")
			case ok && isStruct && len(row.Fields.List) > 1 && row.Fields.List[0].Names[0].Name == "name" && row.Fields.List[1].Names[0].Name == "warning":
				names = append(names, each.Elts[0])
			}
		}
	}
	return names
}

func appendField(names []ast.Expr, list *ast.CompositeLit, field string) []ast.Expr {
	for _, element := range list.Elts {
		if pair, ok := element.(*ast.KeyValueExpr); ok && pair.Key.(*ast.Ident).Name == field {
			names = append(names, pair.Value)
		}
	}
	return names
}

// literal is the text of a string, of a constant, or the format of a Sprintf.
func literal(expression ast.Expr, constants map[string]string) string {
	switch e := expression.(type) {
	case *ast.BasicLit:
		text, _ := strconv.Unquote(e.Value)
		return text
	case *ast.Ident:
		return constants[e.Name]
	case *ast.CallExpr:
		return literal(e.Args[0], constants)
	}
	return ""
}

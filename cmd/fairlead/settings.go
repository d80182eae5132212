package main

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"fairlead/inventory"
	"fairlead/templates"
	"fairlead/templates/images"

	"github.com/urfave/cli/v2"
)

// settings are the flags that every command takes.
type settings struct {
	file    string
	json    bool
	verbose bool
	colours bool // whether a terminal may be coloured

	concurrency int // hosts that may be logged in to at the same time

	wait    time.Duration // for hosts that cannot be reached yet
	timeout duration      // of the whole run
}

func (p *program) settings(c *cli.Context) settings {
	return settings{
		file:    c.String(flagFile),
		json:    c.String(flagOutput) == outputJSON,
		verbose: c.Bool(flagVerbose),
		colours: !c.Bool(flagNoColor) && p.env("NO_COLOR") == "" && p.env("TERM") != "dumb",

		concurrency: c.Int(flagConcurrency),

		wait:    given(c, flagWait).Duration,
		timeout: given(c, flagTimeout),
	}
}

// load reads the inventory and shows its warnings.
func (p *program) load(file string) (*inventory.Cluster, error) {
	cluster, warnings, err := readInventory(file)
	for _, warning := range warnings {
		_, _ = fmt.Fprintln(p.stderr, printable("warning: "+warning.In(file)))
	}
	return cluster, err
}

// readInventory reads the inventory; its error is a usageError.
func readInventory(file string) (*inventory.Cluster, []inventory.Problem, error) {
	cluster, warnings, err := inventory.Load(file, checkConfig, checkRewrite)
	if err == nil {
		return cluster, warnings, nil
	}
	usage := &usageError{err: err}
	if errors.Is(err, fs.ErrNotExist) {
		usage.hint = fmt.Sprintf("name the cluster file with -f, or write one with: fairlead init -f %s", file)
	}
	return nil, warnings, usage
}

// checkConfig compares kubernetes.config with the upstream types.
func checkConfig(cluster *inventory.Cluster) []inventory.Problem {
	var problems []inventory.Problem
	for _, p := range templates.CheckOverrides(templates.Overrides(cluster.Kubernetes.Config)) {
		problems = append(problems, inventory.Problem{
			Path: slices.Concat([]string{"kubernetes", "config"}, p.Path), Message: p.Message,
		})
	}
	return problems
}

// checkRewrite looks whether the rules of images.rewrite go together. What is wrong with a
// single one, and what stands there twice, the inventory itself reports.
func checkRewrite(cluster *inventory.Cluster) []inventory.Problem {
	var rules []images.Rule
	for i, rule := range cluster.Images.Rewrite {
		twice := slices.ContainsFunc(cluster.Images.Rewrite[:i], func(r inventory.RewriteRule) bool { return r.From == rule.From })
		if rule.From == "" || rule.To == "" || twice {
			return nil
		}
		rules = append(rules, images.Rule{From: rule.From, To: rule.To})
	}
	_, err := images.NewRules(rules)
	if err == nil {
		return nil
	}
	var problems []inventory.Problem
	for line := range strings.Lines(err.Error()) {
		problems = append(problems, inventory.Problem{Path: []string{"images", "rewrite"}, Message: strings.TrimSuffix(line, "\n")})
	}
	return problems
}

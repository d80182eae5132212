package main

import (
	"bytes"
	"context"
	"fmt"

	"github.com/urfave/cli/v2"
	"sigs.k8s.io/yaml"
)

func (p *program) addonsCommand() *cli.Command {
	return &cli.Command{
		Name:        "addons",
		Usage:       "look at what is applied to the cluster",
		Description: "Example:\n  fairlead addons render",
		Subcommands: []*cli.Command{{
			Name:  "render",
			Usage: "print the objects that up applies",
			Description: "In the order in which they are applied, with their images renamed and their edits made. It talks to no host.\n\n" +
				"Example:\n  fairlead addons render | kubectl diff -f -",
			Action: func(c *cli.Context) error {
				if err := noArguments(c); err != nil {
					return err
				}
				return p.withSession(c, needs{document: true, withoutRoot: true}, func(_ context.Context, r *invocation) error { return r.renderAddons() })
			},
		}},
	}
}

func (r *invocation) renderAddons() error {
	var out bytes.Buffer
	for _, set := range r.session.Addons() {
		for _, object := range set.Objects {
			text, err := yaml.Marshal(object)
			if err == nil && r.json {
				text, err = yaml.YAMLToJSON(text)
				text = append(text, '\n')
			}
			if err != nil {
				return fmt.Errorf("write an object of %s: %w", set.Name, err)
			}
			if !r.json {
				fmt.Fprintf(&out, "---\n# %s\n", set.Title)
			}
			out.Write(text)
		}
	}
	return r.result(out.Bytes())
}

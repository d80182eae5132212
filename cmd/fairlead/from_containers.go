package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"fairlead/inventory/convert"
	"fairlead/provision/remote/container"
)

// kindProvider is the variable that tells kind itself whose containers to use.
const kindProvider = "KIND_EXPERIMENTAL_PROVIDER"

// kindDraft makes a draft of the containers of a cluster of kind.
func kindDraft(ctx context.Context, p *program, name string, o fromOptions) (*convert.Draft, error) {
	engine := cmp.Or(p.env(kindProvider), container.Docker)
	if !slices.Contains(container.Engines(), engine) {
		return nil, &usageError{err: fmt.Errorf("%s=%s: must be one of %s", kindProvider, engine, strings.Join(container.Engines(), ", "))}
	}
	name = cmp.Or(name, "kind") // as kind calls a cluster that nobody has named
	source := fmt.Sprintf("cluster %s of kind, containers of %s", name, engine)
	return containersDraft(ctx, source, convert.Engine{Transport: engine, Context: o.context}, name, convert.KindClusterLabel+"="+name, o)
}

// labelDraft makes a draft of the containers of an engine that have a label.
func labelDraft(engine string) fromReader {
	return func(ctx context.Context, _ *program, what string, o fromOptions) (*convert.Draft, error) {
		label, found := strings.CutPrefix(what, "label=")
		if !found || label == "" || strings.HasPrefix(label, "=") {
			return nil, &usageError{err: fmt.Errorf("--%s %s:%s: must be %[2]s:label=KEY=VALUE, or %[2]s:label=KEY", flagFrom, engine, what)}
		}
		source := fmt.Sprintf("containers of %s with the label %s", engine, label)
		return containersDraft(ctx, source, convert.Engine{Transport: engine, Context: o.context}, "", label, o)
	}
}

// containersDraft asks an engine.
func containersDraft(ctx context.Context, source string, engine convert.Engine, kind, label string, o fromOptions) (*convert.Draft, error) {
	found, err := container.List(ctx, engine.Transport, engine.Context, label)
	if err != nil {
		return nil, fmt.Errorf("find containers: %w", err)
	}
	if len(found) == 0 {
		return nil, &usageError{err: errors.New(source + ": there are none")}
	}
	all := make([]convert.Container, len(found))
	for i, c := range found {
		all[i] = convert.Container{Name: c.Name, Image: c.Image, Status: c.Status, Running: c.Running && !c.Paused, Labels: c.Labels, Addresses: c.Addresses}
	}
	draft, err := convert.Containers(source, engine, kind, all, o.Options)
	if err != nil {
		return nil, asUsage(err)
	}
	return draft, nil
}

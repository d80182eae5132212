package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"fairlead/provision"
	"fairlead/provision/event"
	"fairlead/provision/plan"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/urfave/cli/v2"
)

const (
	flagTo       = "to"
	flagVia      = "via"
	flagPlatform = "platform"
)

func (p *program) imagesCommand() *cli.Command {
	return &cli.Command{
		Name:  "images",
		Usage: "list, mirror, verify and rewrite images",
		Description: "Example, a private registry before the first up:\n" +
			"  fairlead images mirror --to registry.example.com:5000\n  fairlead images verify",
		Subcommands: []*cli.Command{
			p.imagesListCommand(), p.imagesMirrorCommand(), p.imagesVerifyCommand(), p.imagesRewriteCommand(), p.imagesDeleteCommand(),
		},
	}
}

func (p *program) imagesListCommand() *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "print every image that the cluster file needs, before and after rewriting",
		Description: "The columns: the name that its makers gave it, the name by which the cluster uses it, what needs it, on which\n" +
			"hosts, and whether it is imported from the bundle or pulled from a registry.\n\nExample:\n  fairlead images list -o json",
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			return p.withSession(c, needs{document: true, withoutRoot: true}, func(_ context.Context, r *invocation) error { return r.listImages() })
		},
	}
}

// listedImage is an image in the output of images list.
type listedImage struct {
	Image  string   `json:"image"`
	Name   string   `json:"name"` // by which the cluster uses it
	For    string   `json:"for"`
	Hosts  []string `json:"hosts"`
	Digest string   `json:"digest,omitempty"` // in the bundle
	From   string   `json:"from"`             // "bundle" or "registry"
}

func (r *invocation) listImages() error {
	var out bytes.Buffer
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	if !r.json {
		_, _ = fmt.Fprintln(table, "IMAGE\tNAME IN THE CLUSTER\tFOR\tHOSTS\tFROM")
	}
	for _, need := range r.session.Images() {
		listed := listedImage{Image: need.Origin, Name: need.Name, For: need.For, Hosts: append([]string{}, need.Hosts...), From: "bundle"}
		if need.Bundled != nil {
			listed.Digest = need.Bundled.Digest.String()
		}
		if need.Pulled {
			listed.From = "registry"
		}
		if !r.json {
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", listed.Image, listed.Name, listed.For, strings.Join(listed.Hosts, ","), listed.From)
			continue
		}
		line, err := json.Marshal(listed)
		if err != nil {
			return fmt.Errorf("write result: %w", err)
		}
		out.Write(append(line, '\n'))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	return r.result(out.Bytes())
}

// result writes a document to standard output.
func (r *invocation) result(content []byte) error {
	if _, err := r.stdout.Write(content); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	return nil
}

func (p *program) imagesMirrorCommand() *cli.Command {
	return &cli.Command{
		Name:  "mirror",
		Usage: "copy the images that hosts look for in a registry into it",
		Description: "The names are those that images.rewrite and the registry's mirrors make. Images come from the bundle, others from\n" +
			"where their makers keep them. Digests stay; what is there already is not sent again, so run it again after an error.\n" +
			"What cannot be copied is named and holds up nothing else. An image that is named by a digest is copied with all its\n" +
			"platforms, whatever --platform says: hosts ask for that digest.\n\n" +
			"Example:\n  fairlead images mirror --to registry.example.com:5000 --via cp1",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: flagTo, Usage: "the `REGISTRY`, host[:port]"},
			&cli.StringFlag{Name: flagVia, Usage: "reach the registry through the connection to `HOST`"},
			&cli.StringSliceFlag{Name: flagPlatform, Usage: "copy only this `OS/ARCHITECTURE` of images with several", DefaultText: "all"},
		},
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			options := provision.MirrorOptions{To: c.String(flagTo), Via: c.String(flagVia)}
			if options.To == "" {
				return wrongUsage(c, "--%s is needed: the registry, host[:port]", flagTo)
			}
			for _, text := range c.StringSlice(flagPlatform) {
				platform, err := parsePlatform(text)
				if err != nil {
					return wrongUsage(c, "--%s %s: %w", flagPlatform, text, err)
				}
				options.Platforms = append(options.Platforms, platform)
			}
			return p.withSession(c, needs{withoutRoot: true}, func(ctx context.Context, r *invocation) error {
				if _, ok := r.cluster.Host(options.Via); options.Via != "" && !ok {
					return wrongUsage(c, "--%s: host %s is not in %s; its hosts are %s",
						flagVia, options.Via, c.String(flagFile), strings.Join(hostNames(r.cluster), ", "))
				}
				return r.mirrorImages(ctx, options)
			})
		},
	}
}

// errPlatform says how a platform is written.
var errPlatform = errors.New("want OS/ARCHITECTURE, such as linux/amd64, or OS/ARCHITECTURE/VARIANT")

func parsePlatform(text string) (ocispec.Platform, error) {
	parts := strings.Split(text, "/")
	if len(parts) < 2 || len(parts) > 3 || slices.Contains(parts, "") {
		return ocispec.Platform{}, errPlatform
	}
	platform := ocispec.Platform{OS: parts[0], Architecture: parts[1]}
	if len(parts) == 3 {
		platform.Variant = parts[2]
	}
	return platform, nil
}

func (r *invocation) mirrorImages(ctx context.Context, options provision.MirrorOptions) error {
	e := func(kind event.Kind) event.Event {
		return event.Event{Kind: kind, Step: "images/mirror", Title: "copy images to " + options.To}
	}
	begin := time.Now()
	r.view.event(e(event.Started))
	options.OnProgress = func(sent, total int64) {
		step := e(event.Progress)
		step.Bytes, step.Total = sent, max(sent, total)
		r.view.event(step)
	}
	result, err := r.session.Mirror(ctx, options)
	end := e(event.Done)
	if err != nil {
		end = e(event.Failed)
		end.Error = err.Error()
	}
	end.Seconds = time.Since(begin).Seconds()
	r.view.event(end)
	if !r.json {
		for _, name := range result.Whole {
			r.view.note(name + " is named by its digest and was taken with all its platforms")
		}
	}
	if !r.json && err == nil {
		for _, need := range result.Elsewhere {
			r.view.note(need.Name + " is not looked for in " + options.To)
		}
		r.view.note(fmt.Sprintf("%s: sent %d MiB in %s, wrote %s; the rest was there",
			options.To, result.Bytes>>20, count(result.Blobs, "blob"), count(result.Images, "image")))
	}
	return err
}

func (p *program) imagesVerifyCommand() *cli.Command {
	return &cli.Command{
		Name:  "verify",
		Usage: "prove, from each host's side, that images can be had; and that none came from elsewhere",
		Description: "Asks the registries for the manifest of each image that a host pulls, through the connection to that host. If\n" +
			"there is a cluster, it also looks whether the images on its hosts and in its pods are those that the file asks for.\n" +
			"It changes nothing.\n\nExample:\n  fairlead images verify",
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			return p.withSession(c, needs{results: true}, func(ctx context.Context, r *invocation) error { return r.verifyImages(ctx) })
		},
	}
}

func (r *invocation) verifyImages(ctx context.Context) error {
	report, err := r.session.VerifyImages(ctx)
	if ctx.Err() != nil {
		return err
	}
	var findings []plan.Finding
	for _, problem := range report.Problems {
		findings = append(findings, plan.ImageFinding(problem))
	}
	for _, foreign := range report.Foreign {
		findings = append(findings, foreign.Finding())
	}
	if r.json {
		for _, finding := range findings {
			r.view.event(event.Event{Kind: event.Found, Host: finding.Host, Message: finding.Message, Finding: &finding})
		}
	} else {
		text := newPlanText(paletteFor(r.settings, r.program.stdout), false)
		text.findings(findings, r.cluster)
		summary := fmt.Sprintf("%s asked for on %s: %s", count(report.Checked, "image"), count(len(r.cluster.Hosts()), "host"), count(len(findings), "problem"))
		var unreached *provision.UnreachableError
		if errors.As(err, &unreached) {
			summary += fmt.Sprintf(", %d not looked at", len(unreached.Hosts))
		}
		text.line(0, "%s", summary)
		if err := text.flush(r.stdout); err != nil {
			return err
		}
	}
	if len(findings) > 0 {
		return errors.Join(errIncomplete, err)
	}
	return err
}

func (p *program) imagesDeleteCommand() *cli.Command {
	return &cli.Command{
		Name:      "delete",
		Usage:     "delete an image from the registry on images.host, and collect the garbage",
		ArgsUsage: "IMAGE",
		Description: "An image that the cluster file needs is put back by the next up.\n\n" +
			"Example:\n  fairlead images delete registry.k8s.io/pause:3.9",
		Action: func(c *cli.Context) error {
			if c.Args().Len() != 1 {
				return wrongUsage(c, "name one image")
			}
			return p.withSession(c, needs{withoutBundle: true}, func(ctx context.Context, r *invocation) error {
				err := r.session.DeleteImage(ctx, c.Args().First())
				if err == nil && !r.json {
					r.view.note("deleted " + c.Args().First())
				}
				return err
			})
		},
	}
}

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/templates/images"

	"github.com/urfave/cli/v2"
)

const (
	flagInPlace = "in-place"
	flagCheck   = "check"
)

func (p *program) imagesRewriteCommand() *cli.Command {
	return &cli.Command{
		Name:      "rewrite",
		Usage:     "put the names by images.rewrite into manifests",
		ArgsUsage: "[FILE...]",
		Description: "Reads YAML or JSON from FILE or from standard input and writes it with the images renamed; all other bytes stay.\n" +
			"What looks like an image and is left alone is reported with its line; name it, or the field that holds it, in\n" +
			"images.extra to have it renamed, too.\n\n" +
			"Examples:\n  fairlead images rewrite <app.yaml | kubectl apply -f -\n  fairlead images rewrite --check manifests/*.yaml",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: flagInPlace, DisableDefaultText: true, Usage: "change the files"},
			&cli.BoolFlag{Name: flagCheck, DisableDefaultText: true, Usage: "write nothing; list what would be renamed, and exit with 3 if there is anything"},
		},
		Action: func(c *cli.Context) error {
			inPlace, check := c.Bool(flagInPlace), c.Bool(flagCheck)
			files := c.Args().Slice()
			switch {
			case inPlace && check:
				return wrongUsage(c, "--%s and --%s exclude each other", flagInPlace, flagCheck)
			case inPlace && len(files) == 0:
				return wrongUsage(c, "--%s needs files", flagInPlace)
			case len(files) > 1 && !inPlace && !check:
				return wrongUsage(c, "several files need --%s or --%s", flagInPlace, flagCheck)
			}
			cluster, err := p.load(c.String(flagFile))
			if err != nil {
				return err
			}
			rewriting, err := p.newRewriting(cluster)
			if err != nil {
				return err
			}
			rewriting.inPlace, rewriting.check = inPlace, check
			return rewriting.run(files)
		},
	}
}

// rewriting is the work of images rewrite.
type rewriting struct {
	*program
	options        images.Options
	inPlace, check bool
	changes        int
}

func (p *program) newRewriting(cluster *inventory.Cluster) (*rewriting, error) {
	options, err := desired.RewriteOptions(cluster)
	if err != nil {
		return nil, &usageError{err: err}
	}
	return &rewriting{program: p, options: options}, nil
}

// run rewrites all files, or standard input. A file that cannot be read holds up no other.
func (r *rewriting) run(files []string) error {
	if len(files) == 0 {
		text, err := io.ReadAll(r.stdin)
		if err != nil {
			return fmt.Errorf("read standard input: %w", err)
		}
		if err := r.stream("(standard input)", text); err != nil {
			return err
		}
	}
	var errs []error
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err == nil {
			err = r.stream(file, text)
		}
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if r.check && r.changes > 0 {
		return exitError(exitChanges)
	}
	return nil
}

func (r *rewriting) stream(name string, text []byte) error {
	result, err := images.RewriteStream(text, r.options)
	if err != nil {
		return located(name, err)
	}
	for _, suspect := range result.Suspects {
		_, _ = fmt.Fprintf(r.stderr, "warning: %s:%d: %s: %s: %s looks like an image and is left alone; %s\n",
			name, suspect.Line, suspect.Object, suspect.Path, suspect.Value, suspect.Mend)
	}
	changed := slices.DeleteFunc(result.Images, func(image images.Image) bool { return image.From == image.To })
	r.changes += len(changed)
	switch {
	case r.check:
		return r.report(name, changed)
	case !r.inPlace:
		if _, err := r.stdout.Write(result.Text); err != nil {
			return fmt.Errorf("write result: %w", err)
		}
		return nil
	case len(changed) == 0:
		return nil
	}
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	if err := replaceFile(name, result.Text, info.Mode().Perm()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// report says what would be renamed.
func (r *rewriting) report(name string, changed []images.Image) error {
	for _, image := range changed {
		if _, err := fmt.Fprintf(r.stdout, "%s:%d: %s: %s becomes %s\n", name, image.Line, image.Object, image.From, image.To); err != nil {
			return fmt.Errorf("write result: %w", err)
		}
	}
	return nil
}

// located says of each line of an error in which file it is: "line 5: …" becomes "FILE:5: …".
func located(name string, err error) error {
	var all []string
	for line := range strings.Lines(err.Error()) {
		line = strings.TrimSuffix(line, "\n")
		if rest, ok := strings.CutPrefix(line, "line "); ok {
			all = append(all, name+":"+rest)
		} else {
			all = append(all, name+": "+line)
		}
	}
	return errors.New(strings.Join(all, "\n"))
}

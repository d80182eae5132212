package images

import (
	"errors"
	"fmt"
	"strings"
)

// knownImages are the images that are known outside of pods' image fields, also under the
// names that the rules give them: the text may have been rewritten before.
type knownImages struct {
	references   map[string]bool // Options.Known, as they are written and in full
	repositories map[string]bool // of add-ons, in full
}

func (o Options) known() (knownImages, error) {
	known := knownImages{references: map[string]bool{}, repositories: map[string]bool{}}
	var bad []error
	for _, ref := range o.Known {
		from, to, err := o.both(ref)
		if err != nil {
			bad = append(bad, fmt.Errorf("known images: %w", err))
			continue
		}
		known.references[ref], known.references[from.String()], known.references[to.String()] = true, true, true
	}
	for _, images := range addonImages() {
		for _, repository := range images.repositories {
			from, to, err := o.both(repository)
			if err != nil {
				bad = append(bad, fmt.Errorf("images of %s: %w", images.addon, err))
				continue
			}
			known.repositories[from.name()], known.repositories[to.name()] = true, true
		}
	}
	return known, errors.Join(bad...)
}

// both is an image before and after the rewriting.
func (o Options) both(ref string) (from, to Reference, err error) {
	if from, err = Parse(ref); err != nil {
		return from, to, err
	}
	rewritten, err := o.Rules.Rewrite(from.String())
	if err != nil {
		return from, to, err
	}
	to, err = Parse(rewritten)
	return from, to, err
}

// has says that a text is a known image. A single word is one only if it is listed as that very word,
// and only where images are to be expected.
func (k knownImages) has(ref string, expected bool) bool {
	if !strings.ContainsAny(ref, "/:@") {
		return expected && k.references[ref] // nginx is a program, too
	}
	if k.references[ref] {
		return true
	}
	if strings.ContainsAny(ref, " \t\n") {
		return false
	}
	r, err := parse(ref)
	if err != nil {
		return false
	}
	// A repository without a version is the beginning of a name in some add-ons' arguments.
	if r.version() != "" && k.repositories[r.name()] {
		return true
	}
	name, err := Normal(ref)
	return err == nil && k.references[name]
}

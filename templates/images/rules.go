package images

import (
	"errors"
	"fmt"
	"strings"
)

// Rule sends the repositories below one prefix to another: registry.k8s.io to
// registry.lab:5000/k8s. Both are a registry with or without a path, and without
// tag or digest. A prefix of Docker Hub is written out, and its
// official images lie in docker.io/library. A rule that sends a prefix to itself
// keeps it from wider rules.
type Rule struct{ From, To string }

// Rules is a set of rules that was checked. The zero value rewrites nothing.
type Rules struct{ list []rule }

type rule struct{ from, to prefix }

// prefix is a registry and the first segments of a path, which may be empty.
type prefix struct{ domain, path string }

// NewRules checks rules. The error names every rule that cannot be used: one that
// has no valid prefix, takes the same prefix as another one, or takes what another
// rule makes. Such a chain would depend on how often names are rewritten.
func NewRules(rules []Rule) (Rules, error) {
	var bad []error
	var out Rules
	number := map[prefix]int{}
	for i, r := range rules {
		from, errFrom := parsePrefix(r.From)
		to, errTo := parsePrefix(r.To)
		if err := errors.Join(label("from", errFrom), label("to", errTo)); err != nil {
			bad = append(bad, fmt.Errorf("rule %d: %w", i+1, err))
			continue
		}
		if first, ok := number[from.key()]; ok {
			bad = append(bad, fmt.Errorf("rule %d: from %s is taken by rule %d: keep one of them", i+1, from, first))
			continue
		}
		number[from.key()] = i + 1
		out.list = append(out.list, rule{from, to})
	}
	for _, r := range out.list {
		if r.from.key() == r.to.key() {
			continue // keeps what it matches
		}
		if earlier, ok := out.source(r); ok {
			bad = append(bad, fmt.Errorf("rule %d: from %s lies in %s, which rule %d (from %s) writes to: name the final registry there, or drop one of them",
				number[r.from.key()], r.from, earlier.to, number[earlier.from.key()], earlier.from))
		}
	}
	if err := errors.Join(bad...); err != nil {
		return Rules{}, err
	}
	return out, nil
}

// source finds the rule whose targets r would take.
func (rs Rules) source(r rule) (rule, bool) {
	for _, other := range rs.list {
		if _, inside := other.to.rest(r.from.domain, r.from.path); inside {
			return other, true
		}
	}
	return rule{}, false
}

func label(field string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", field, err)
}

// parsePrefix reads "domain[/path]". Two more segments make it a reference whose
// domain and path are unmistakable: with one, Docker Hub would get its library.
func parsePrefix(s string) (prefix, error) {
	const more = "/x/x"
	r, err := parse(s + more)
	if err != nil {
		return prefix{}, fmt.Errorf("%q is no registry or repository prefix: write registry/path, without tag and digest", s)
	}
	if !spellsDomain(s + more) {
		return prefix{}, fmt.Errorf("%q names no registry: write docker.io/%s if it is on Docker Hub", s, s)
	}
	return prefix{registryNamed(r.Domain), strings.TrimPrefix(strings.TrimSuffix("/"+r.Path, more), "/")}, nil
}

func (p prefix) String() string {
	if p.path == "" {
		return p.domain
	}
	return p.domain + "/" + p.path
}

// key is what prefixes are compared by: hosts have no case.
func (p prefix) key() prefix { return prefix{strings.ToLower(p.domain), p.path} }

// rest is what of a repository lies below p: whole segments, or nothing when it is
// p itself.
func (p prefix) rest(domain, path string) (string, bool) {
	switch {
	case !strings.EqualFold(p.domain, registryNamed(domain)):
		return "", false
	case p.path == "":
		return path, true
	case p.path == path:
		return "", true
	}
	return strings.CutPrefix(path, p.path+"/")
}

// Rewrite gives the reference by which an image is to be pulled. The longest
// matching prefix counts. Tag and digest stay, a missing tag stays missing, and a
// reference that no rule matches, or that lies at a rule's target already, comes
// back as it was written. So rewriting twice is rewriting once. The error names
// the reference: it is none, or its new name would be none.
func (rs Rules) Rewrite(ref string) (string, error) {
	r, err := parse(ref)
	if err != nil {
		return "", err
	}
	best, rest, ok := rs.match(r)
	if !ok || rs.atTarget(r) {
		return ref, nil
	}
	name := best.to.String()
	if rest != "" {
		name += "/" + rest
	}
	// A registry alone, followed by a tag, would read as an image of Docker Hub.
	if best.to.path == "" && rest == "" {
		return "", fmt.Errorf("rewrite %s: rule %s to %s leaves no repository: add one to the target", ref, best.from, best.to)
	}
	out, err := parse(name + r.version())
	if err != nil {
		return "", fmt.Errorf("rewrite %s by rule %s to %s: %w", ref, best.from, best.to, err)
	}
	if _, inside := best.to.rest(out.Domain, out.Path); !inside {
		return "", fmt.Errorf("rewrite %s: rule %s to %s gives %s: write that target out", ref, best.from, best.to, out.name())
	}
	return name + r.version(), nil
}

// match is the rule with the longest prefix, and what of the path lies below it.
func (rs Rules) match(r Reference) (best rule, rest string, ok bool) {
	for _, candidate := range rs.list {
		below, matches := candidate.from.rest(r.Domain, r.Path)
		if matches && (!ok || len(candidate.from.path) > len(best.from.path)) {
			best, rest, ok = candidate, below, true
		}
	}
	return best, rest, ok
}

// atTarget says that a rule could have made the reference.
func (rs Rules) atTarget(r Reference) bool {
	for _, rule := range rs.list {
		if _, inside := rule.to.rest(r.Domain, r.Path); inside {
			return true
		}
	}
	return false
}

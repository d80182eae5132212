package inventory

import (
	"strings"

	"fairlead/inventory/nearest"
)

// checkImages looks at what the keys below images say together.
func (doc *document) checkImages(places []place) {
	path := []string{"images"}
	doc.checkRewrite(at(path, "rewrite"))
	doc.checkExtra(at(path, "extra"))
	doc.checkRegistries(at(path, "registries"))
	doc.checkRegistryHost(at(path, "host"), places)
}

// checkExtra reports images and fields that the list has twice.
func (doc *document) checkExtra(path []string) {
	first := map[ExtraImage]string{}
	for i, e := range doc.cluster.Images.Extra {
		here := index(path, i)
		if taken, is := first[e]; is {
			doc.fault(here, "is the same as %s", taken)
		} else if e.Reference != "" || e.Path != "" {
			first[e] = pathString(here)
		}
	}
}

// checkRewrite reports rules that cannot all hold. Whether one rule takes what
// another one makes is seen where images are rewritten.
func (doc *document) checkRewrite(path []string) {
	rules := doc.cluster.Images.Rewrite
	first := map[string]string{}
	for i, r := range rules {
		here := index(path, i)
		if taken, is := first[r.From]; is {
			doc.fault(at(here, "from"), "%s is moved by %s already; keep one of them", r.From, taken)
			continue
		}
		if r.From == "" {
			continue
		}
		first[r.From] = pathString(here)
		if r.From == r.To && !insideAny(r.From, rules) {
			doc.fault(at(here, "to"), "is the same as from, and no other rule moves these images; remove the rule")
		}
	}
}

// insideAny says whether a prefix lies below what one of the rules moves: there, a
// rule to itself keeps images from moving.
func insideAny(prefix string, rules []RewriteRule) bool {
	for _, r := range rules {
		if r.From != "" && strings.HasPrefix(prefix, r.From+"/") {
			return true
		}
	}
	return false
}

func (doc *document) checkRegistries(path []string) {
	first := map[string]string{}
	for i, r := range doc.cluster.Images.Registries {
		here := index(path, i)
		if taken, is := first[r.Host]; is {
			doc.fault(at(here, "host"), "%s is the host of %s already", r.Host, taken)
		} else if r.Host != "" {
			first[r.Host] = pathString(here)
		}
		doc.checkTLS(here, r)
		doc.checkPassword(here, r)
		doc.checkMirrors(at(here, "mirrors"), r)
	}
}

func (doc *document) checkTLS(path []string, r Registry) {
	if !r.PlainHTTP {
		return
	}
	if r.CA != "" {
		doc.fault(at(path, "ca"), "a registry with plainHTTP shows no certificate; remove ca or plainHTTP")
	}
	if r.User != "" {
		doc.problems = append(doc.problems, Problem{Path: at(path, "plainHTTP"), Warning: true, Message: "the password of " +
			r.User + " crosses the network unencrypted; give the registry a certificate"})
	}
}

func (doc *document) checkPassword(path []string, r Registry) {
	given := r.PasswordFile != "" || r.AskPassword
	switch {
	case r.User != "" && !given && !doc.faultyWithin(at(path, "password")):
		doc.fault(at(path, "password"), "is required with a user; write prompt or {file: ./password}")
	case r.User == "" && given && !doc.faulty(at(path, "user")):
		doc.fault(at(path, "user"), "is required with a password")
	}
}

func (doc *document) checkMirrors(path []string, r Registry) {
	first := map[string]string{}
	for i, m := range r.Mirrors {
		here := index(path, i)
		taken, is := first[m.Of]
		switch {
		case m.Of == "":
		case m.Of == r.Host:
			doc.fault(here, "%s is this registry itself", m.Of)
		case is:
			doc.fault(here, "%s is mirrored by %s already", m.Of, taken)
		default:
			first[m.Of] = pathString(here)
		}
	}
}

// checkRegistryHost looks for the host that is to run a registry.
func (doc *document) checkRegistryHost(path []string, places []place) {
	name := doc.cluster.Images.Host
	if name == "" {
		return
	}
	k := doc.cluster.Kubernetes
	if k.Source == SourcePackages && k.Bundle == "" && !doc.faulty([]string{"kubernetes", "bundle"}) {
		doc.fault(path, "needs kubernetes.bundle, with which the program of the registry comes")
	}
	names := make([]string, 0, len(places))
	for _, p := range places {
		if p.Name == name || p.Name == "" { // one without a name is reported itself
			return
		}
		names = append(names, p.Name)
	}
	if near := nearest.Word(name, names); near != "" {
		doc.fault(path, "no host here is named %s; did you mean %s?", name, near)
	} else {
		doc.fault(path, "no host here is named %s; give the name of one below controlPlane or workers", name)
	}
}

package images

import (
	"regexp"
	"slices"
	"strings"
)

// token is a part of a text that may be an image.
type token struct {
	start, end int  // in the text
	named      bool // what stands before it says that it is one: image: or image=
}

// scanner finds tokens.
type scanner struct{ part, label *regexp.Regexp }

func newScanner() scanner {
	return scanner{
		part:  regexp.MustCompile(`[a-zA-Z0-9._:/@-]+`),
		label: regexp.MustCompile(`(?i)image["']?[ \t]*[:=][ \t]*["']?$`),
	}
}

// tokens are the parts of a text that could be references by their letters, one by one: those of
// lists, of lines, of arguments, of scripts and templates. What belongs to a URL is none, but for
// the schemes by which images are named.
func (s scanner) tokens(text string) []token {
	if !strings.ContainsAny(text, "/:=") {
		return nil // a word
	}
	var found []token
	for _, at := range s.part.FindAllStringIndex(text, -1) {
		start, end := at[0], at[1]
		if scheme, _, isURL := strings.Cut(text[start:end], "://"); isURL {
			if !slices.Contains([]string{"oci", "docker"}, scheme) {
				continue
			}
			start += len(scheme) + len("://")
		}
		for end > start && strings.ContainsRune(".,:/-", rune(text[end-1])) {
			end--
		}
		if start < end {
			line := strings.LastIndexByte(text[:start], '\n') + 1
			found = append(found, token{start, end, s.label.MatchString(text[max(line, start-longestLabel):start])})
		}
	}
	return found
}

// longestLabel is how far before a token is looked at, in bytes.
const longestLabel = 64

// wouldRename says that a rule makes another name of a reference.
func (rs Rules) wouldRename(r Reference) bool {
	if _, _, ok := rs.match(r); !ok || rs.atTarget(r) {
		return false
	}
	to, err := rs.Rewrite(r.String())
	return err == nil && to != r.String()
}

// suspicious says that a part of a text is an image to all appearances, and that a rule would
// rename it.
func (o Options) suspicious(text string, t token) bool {
	value := text[t.start:t.end]
	r, err := parse(value)
	if err != nil || !o.Rules.wouldRename(r) {
		return false
	}
	return t.named || spellsDomain(value) && r.version() != ""
}

// prefixed rewrites a registry, or a path in it, by the rule that moves all of it. A slash at its end
// stays.
func (rs Rules) prefixed(value string) (string, bool) {
	bare := strings.TrimSuffix(value, "/")
	p, err := parsePrefix(bare)
	if err != nil || bare == "" {
		return "", false
	}
	r := Reference{Domain: p.domain, Path: p.path}
	best, rest, ok := rs.match(r)
	if !ok || rs.atTarget(r) {
		return "", false
	}
	to := best.to.String()
	if rest != "" {
		to += "/" + rest
	}
	return to + value[len(bare):], to != bare
}

package facts

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"fairlead/templates"
)

// mark stands where something was withheld.
const mark = "(withheld)"

// withhold is a host without what may be secret, for a file that others may get to see. A plan
// that is made from it is the same: it goes by the files' hashes. It only cannot say in which line
// a file differs that is withheld, and not what to do about a daemon.json that is no JSON.
func withhold(h Host) Host {
	withheld := map[string]bool{}
	for _, name := range h.Withheld {
		withheld[name] = true
	}
	contents := maps.Clone(h.Contents)
	for path, content := range h.Contents {
		public, ok := publicContent(path, content)
		if ok {
			contents[path] = public
		} else {
			delete(contents, path)
		}
		if !ok || !bytes.Equal(public, content) {
			withheld[path] = true
		}
	}
	environment := maps.Clone(h.Environment)
	for name, proxy := range h.Environment {
		if environment[name] = withoutUser(proxy); environment[name] != proxy {
			withheld[name] = true
		}
	}
	h.Contents, h.Environment = contents, environment
	if len(withheld) > 0 {
		h.Withheld = slices.Sorted(maps.Keys(withheld))
	}
	return h
}

// publicContent is what may be shown of a file; ok is false where that is nothing at all.
func publicContent(path string, content []byte) (public []byte, ok bool) {
	switch {
	case path == templates.DockerConfigPath:
		return publicDockerConfig(content)
	case ofKubeadm(path): // its documents only name the files of secrets
		return user.ReplaceAll(content, []byte("${1}"+mark+"@")), true
	case path == templates.PackagesRecord, path == templates.RecoveryMark: // names, in which any word may stand
		return content, true
	case strings.HasPrefix(path, "/etc/kubernetes/manifests/"):
		return nil, false // somebody else's pod, and nobody asks what is in it
	}
	return content, !user.Match(content) && !secretWord.Match(content)
}

func ofKubeadm(path string) bool {
	return path == templates.KubeletConfigFile ||
		slices.ContainsFunc(templates.Components(), func(c string) bool { return templates.ManifestPath(c) == path })
}

// user is the user and password of a URL. secretWord says that a file, which may be the user's,
// speaks of secrets; what fairlead writes does not.
var (
	user        = regexp.MustCompile(`(://)[^/\s"'@]*@`)
	secretWord  = regexp.MustCompile(`(?i)passw|secret|token|credential|authorization|\bauth\b|private key`)
	jsonString  = regexp.MustCompile(`"(?:[^"\\\n]|\\.)*"(\s*:)?`)
	publicLists = regexp.MustCompile(`"(?:insecure-registries|registry-mirrors)"\s*:\s*\[[^\]\[{}]*\]`)
)

// publicDockerConfig keeps the keys of daemon.json and the lists that fairlead merges, and no other
// text. Text that is no JSON cannot be told apart and is left out.
func publicDockerConfig(content []byte) ([]byte, bool) {
	if len(bytes.TrimSpace(content)) == 0 {
		return content, true
	}
	if !json.Valid(content) {
		return nil, false
	}
	var public bytes.Buffer
	rest := 0
	for _, list := range publicLists.FindAllIndex(content, -1) {
		public.Write(withoutStrings(content[rest:list[0]]))
		public.Write(user.ReplaceAll(content[list[0]:list[1]], []byte("${1}"+mark+"@")))
		rest = list[1]
	}
	public.Write(withoutStrings(content[rest:]))
	return public.Bytes(), json.Valid(public.Bytes())
}

// withoutStrings marks all strings of JSON that are no keys.
func withoutStrings(text []byte) []byte {
	return jsonString.ReplaceAllFunc(text, func(found []byte) []byte {
		if bytes.HasSuffix(found, []byte(":")) {
			return found
		}
		return []byte(`"` + mark + `"`)
	})
}

// withoutUser takes user and password out of a proxy's URL, whatever a password has in it.
func withoutUser(proxy string) string {
	i := strings.LastIndexByte(proxy, '@')
	if i < 0 {
		return proxy
	}
	scheme, _, found := strings.Cut(proxy, "://")
	if !found {
		return "withheld" + proxy[i:]
	}
	return scheme + "://withheld" + proxy[i:]
}

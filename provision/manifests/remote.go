package manifests

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// ErrRemote says that a kustomization names something that is not in its folder.
var ErrRemote = errors.New("fetching from elsewhere is not pinned")

// refuseRemote looks through a kustomization and those it builds upon: kustomize would fetch
// what it cannot find on the disk.
func refuseRemote(folder, name string, seen map[string]bool) error {
	folder, err := filepath.EvalSymlinks(folder) // as kustomize does before it looks for ../base
	if err != nil {
		return err
	}
	path := filepath.Join(folder, name)
	if seen[path] {
		return nil // kustomize reports the cycle
	}
	seen[path] = true
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var k types.Kustomization
	var fields map[string]any
	if err := errors.Join(yaml.Unmarshal(text, &k), yaml.Unmarshal(text, &fields)); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	if len(k.HelmCharts)+len(k.HelmChartInflationGenerator) > 0 {
		return fmt.Errorf("%s: helm charts are not built: render them, and name the result", path)
	}
	if err := refuseURLs(path, fields, false); err != nil {
		return err
	}
	for _, entry := range slices.Concat(k.Resources, k.Bases, k.Components, k.Crds, k.Configurations) { //nolint:staticcheck // deprecated fields fetch, too
		if _, _, err := refuseEntry(path, entry, seen); err != nil {
			return err
		}
	}
	for _, entry := range slices.Concat(k.Transformers, k.Generators, k.Validators) {
		if err := refusePlugin(path, entry, seen); err != nil {
			return err
		}
	}
	return nil
}

// refuseEntry looks at what a kustomization has in a list: a file, a folder, or the thing itself,
// for which below is empty.
func refuseEntry(path, entry string, seen map[string]bool) (below string, isFolder bool, err error) {
	if isRemote(entry) { // also if there is a folder of that name: kustomize does not look
		return "", false, remoteError(path, entry)
	}
	if strings.Contains(entry, "\n") {
		return "", false, nil
	}
	below = filepath.Join(filepath.Dir(path), entry)
	info, err := os.Stat(below)
	if err != nil {
		return "", false, fmt.Errorf("%s: %w: %q is no file or folder there; download it and name it with its sha256 in addons.manifests", path, ErrRemote, entry)
	}
	if !info.IsDir() {
		return below, false, nil
	}
	inner, err := kustomizationIn(below)
	if err != nil {
		return "", false, err
	}
	return below, true, refuseRemote(below, inner, seen)
}

// refusePlugin looks through the configuration of generators, transformers and validators, which
// name files, too.
func refusePlugin(path, entry string, seen map[string]bool) error {
	below, isFolder, err := refuseEntry(path, entry, seen)
	if err != nil {
		return err
	}
	text := []byte(entry)
	switch {
	case isFolder:
		text, err = run(filesys.MakeFsOnDisk(), below)
	case below != "":
		text, err = readFile(below)
	}
	if err != nil {
		return err
	}
	plugins, err := Objects("a plugin of "+path, text)
	if err != nil {
		return err
	}
	for _, plugin := range plugins {
		if err := refuseURLs(path, plugin, false); err != nil {
			return err
		}
	}
	return nil
}

// refuseURLs looks for addresses where kustomize reads files: it fetches those without a question.
func refuseURLs(path string, value any, isFile bool) error {
	switch v := value.(type) {
	case string:
		_, file, _ := strings.Cut(v, "=") // files of a generator can have another name before them
		if isFile && (isRemote(v) || isRemote(file)) {
			return remoteError(path, v)
		}
	case []any:
		for _, item := range v {
			if err := refuseURLs(path, item, isFile); err != nil {
				return err
			}
		}
	case map[string]any:
		for key, field := range v {
			switch strings.ToLower(key) { // kustomize takes keys in any case
			case "annotations", "commonannotations":
				continue
			}
			if err := refuseURLs(path, field, namesFiles(key)); err != nil {
				return err
			}
		}
	}
	return nil
}

// namesFiles says that kustomize reads what such a key of it or of its plugins names.
func namesFiles(key string) bool {
	keys := []string{"path", "paths", "files", "env", "envs", "targetFilePath", "patchesStrategicMerge"}
	return slices.ContainsFunc(keys, func(k string) bool { return strings.EqualFold(k, key) })
}

func isRemote(entry string) bool {
	if u, err := url.Parse(entry); err == nil && (u.Scheme == "http" || u.Scheme == "https") {
		return true
	}
	git := regexp.MustCompile(`(?is)^(git::)?(ssh://|https?://|file://|github\.com[/:]|[a-z][a-z0-9-]*@[^/]*(:|/.*/|/.*\.git))`)
	return git.MatchString(entry)
}

func remoteError(path, entry string) error {
	if strings.Contains(entry, "://") {
		entry = redacted(entry)
	}
	return fmt.Errorf("%s: %w: %q would be fetched; download it, and name the copy", path, ErrRemote, entry)
}

package manifests

import (
	"fmt"
	"strings"

	"fairlead/inventory"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/resid"
	"sigs.k8s.io/yaml"
)

// build lets kustomize build a folder: without plugins, and with nothing from outside of it.
func build(folder string) ([]byte, error) {
	name, err := kustomizationIn(folder)
	if err != nil {
		return nil, err
	}
	if err := refuseRemote(folder, name, map[string]bool{}); err != nil {
		return nil, err
	}
	return run(filesys.MakeFsOnDisk(), folder)
}

func run(files filesys.FileSystem, folder string) ([]byte, error) {
	options := krusty.MakeDefaultOptions()
	options.LoadRestrictions = types.LoadRestrictionsRootOnly
	options.PluginConfig = types.DisabledPluginConfig()
	built, err := krusty.MakeKustomizer(options).Run(files, folder)
	if err != nil {
		return nil, fmt.Errorf("kustomize %s: %w", folder, err)
	}
	text, err := built.AsYaml()
	if err != nil {
		return nil, fmt.Errorf("kustomize %s: %w", folder, err)
	}
	return text, nil
}

// patch lets kustomize apply patches to a stream.
func patch(stream []byte, patches []inventory.Patch) ([]byte, error) {
	const folder, manifest = "/manifest", "manifest.yaml"
	k := types.Kustomization{
		TypeMeta:  types.TypeMeta{APIVersion: types.KustomizationVersion, Kind: types.KustomizationKind},
		Resources: []string{manifest},
	}
	objects, err := Objects(manifest, stream)
	if err != nil {
		return nil, err
	}
	for i, p := range patches {
		text := p.Inline
		if p.File != "" {
			content, err := readFile(p.File)
			if err != nil {
				return nil, err
			}
			text = string(content)
		}
		one := types.Patch{Patch: flowToJSON(text), Target: selector(p.Target)}
		if one.Target != nil && !matches(*one.Target, objects) {
			return nil, fmt.Errorf("patch %d: no object is the target %s", i+1, describeTarget(p.Target))
		}
		k.Patches = append(k.Patches, one)
	}
	text, err := yaml.Marshal(k)
	if err != nil {
		return nil, err
	}
	// kustomize would see only the first of JSON objects that follow one another.
	if stream, err = asYAML(objects); err != nil {
		return nil, err
	}
	files := filesys.MakeFsInMemory()
	for name, content := range map[string][]byte{manifest: stream, "kustomization.yaml": text} {
		if err := files.WriteFile(folder+"/"+name, content); err != nil {
			return nil, err
		}
	}
	return run(files, folder)
}

func asYAML(objects []map[string]any) ([]byte, error) {
	var stream []byte
	for _, object := range objects {
		text, err := yaml.Marshal(object)
		if err != nil {
			return nil, err
		}
		stream = append(append(stream, "---\n"...), text...)
	}
	return stream, nil
}

// flowToJSON turns a list in YAML's flow style into JSON: kustomize takes any text that begins
// with a bracket for JSON. Other text stays.
func flowToJSON(text string) string {
	if !strings.HasPrefix(strings.TrimSpace(text), "[") {
		return text
	}
	raw, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		return text // kustomize says what is wrong with it
	}
	return string(raw)
}

// selector is the target in kustomize's words, nil when the patch names its object itself.
func selector(t inventory.PatchTarget) *types.Selector {
	if t == (inventory.PatchTarget{}) {
		return nil
	}
	return &types.Selector{
		ResId: resid.ResId{
			Gvk:  resid.Gvk{Group: t.Group, Version: t.Version, Kind: t.Kind},
			Name: t.Name, Namespace: t.Namespace,
		},
		LabelSelector: t.LabelSelector, AnnotationSelector: t.AnnotationSelector,
	}
}

func describeTarget(t inventory.PatchTarget) string {
	var parts []string
	for _, field := range [][2]string{
		{"group", t.Group}, {"version", t.Version}, {"kind", t.Kind}, {"name", t.Name}, {"namespace", t.Namespace},
		{"labelSelector", t.LabelSelector}, {"annotationSelector", t.AnnotationSelector},
	} {
		if field[1] != "" {
			parts = append(parts, field[0]+" "+field[1])
		}
	}
	return strings.Join(parts, ", ")
}

package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"fairlead/provision/desired"
	"fairlead/provision/object"

	"sigs.k8s.io/yaml"
)

// shown is a plan on its way into a golden file: all that it holds. Documents come once, at
// the end, under a short name of their content.
type shown struct {
	strings.Builder
	documents map[string][]byte
}

// Show writes a plan as the golden files have it.
func Show(plan Plan) string {
	b := &shown{documents: map[string][]byte{}}
	for _, f := range plan.Findings {
		level := "error"
		if f.Warning {
			level = "warning"
		}
		fmt.Fprintf(b, "%s %s %s: %s (%s)\n", level, f.Host, f.Name, f.Message, f.Fix)
	}
	for _, blocked := range plan.Blocked {
		fmt.Fprintf(b, "blocked %s: %s: %s\n", blocked.Host, blocked.Title, blocked.Reason)
	}
	for _, step := range plan.Steps {
		b.step(step)
	}
	if plan.More != "" {
		fmt.Fprintf(b, "more: %s\n", plan.More)
	}
	for _, name := range slices.Sorted(maps.Keys(b.documents)) {
		fmt.Fprintf(b, "document %s:\n%s\n", name, indent(string(b.documents[name])))
	}
	return b.String()
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n    ")
}

func (b *shown) step(step Step) {
	fmt.Fprintf(b, "%s: %s\n", step.ID, step.Title)
	for _, reason := range step.Reasons {
		fmt.Fprintf(b, "  because %s\n", reason)
	}
	for _, action := range step.Actions {
		fmt.Fprintf(b, "  do %s\n", action.Describe())
		b.action(action)
		if toucher, ok := action.(Toucher); ok {
			for _, touched := range toucher.Touches() {
				b.line("touches %s", touched)
			}
		}
	}
	if step.Lock != "" {
		fmt.Fprintf(b, "  alone with %s\n", step.Lock)
	}
	if step.Finally {
		fmt.Fprintf(b, "  finally\n")
	}
	if len(step.GivesWayTo) > 0 {
		fmt.Fprintf(b, "  gives way to %s\n", strings.Join(step.GivesWayTo, " "))
	}
	if len(step.Needs) > 0 {
		fmt.Fprintf(b, "  after %s\n", strings.Join(step.Needs, " "))
	}
}

// action writes what Describe leaves out.
func (b *shown) action(action Action) {
	switch a := action.(type) {
	case PutFile:
		b.line("content %s, secret %v", brief(a.Content), a.Secret)
	case Script:
		b.line("script %s", a.Name)
		for _, arg := range a.Args {
			b.line("with %q", arg)
		}
	case ChangeNode:
		b.node(a.Change)
	case KubeadmInit:
		_, _, document := a.Diff()
		b.document(document)
		b.line("node %+v", a.Node)
	case KubeadmJoin:
		_, _, document := a.Diff()
		b.document(document)
		b.line("node %+v, control plane %v", a.Node, a.ControlPlane)
	case RunKubeadm:
		b.document(a.Document)
	case ChangeStaticPod:
		b.document(a.Document)
	case ApplyObject:
		b.line("object %s", b.object(a.Object))
	case InstallLayers:
		for _, layer := range a.Layers {
			b.line("layer %s", layer.Digest)
		}
	case ImportImages:
		for _, image := range a.Images {
			b.line("image %s %s", image.Name, image.Digest)
		}
	case FillRegistry:
		for _, item := range a.Items {
			b.line("%s to %s:%s %s", item.From, item.Repository, item.Tag, item.Digest)
		}
	case RecordApplied:
		for _, item := range a.Objects {
			b.line("object %s", object.Key(item.Object()))
		}
	}
}

func (b *shown) line(format string, args ...any) { fmt.Fprintf(b, "    "+format+"\n", args...) }

// document names a document of kubeadm's and keeps it for the end.
func (b *shown) document(text []byte) {
	sum := sha256.Sum256(text)
	name := hex.EncodeToString(sum[:4])
	b.documents[name] = text
	b.line("document %s", name)
}

// object names the content of an object. Settings are shown: no golden file of templates has them.
func (b *shown) object(item map[string]any) string {
	text, err := yaml.Marshal(item)
	if err != nil {
		return err.Error()
	}
	if strings.HasSuffix(object.Key(item), "/"+desired.SettingsRecord) || strings.HasSuffix(object.Key(item), "/kube-proxy") {
		return "\n" + indent(string(text))
	}
	return brief(text)
}

// brief tells one content from another. Certificates are made anew by each test.
func brief(content []byte) string {
	if bytes.HasPrefix(content, []byte("-----BEGIN CERTIFICATE-----")) {
		return "a certificate"
	}
	sum := sha256.Sum256(content)
	return fmt.Sprintf("%d bytes %s", len(content), hex.EncodeToString(sum[:4]))
}

func (b *shown) node(change object.NodeChange) {
	value := func(v *string) string {
		if v == nil {
			return "(removed)"
		}
		return fmt.Sprintf("%q", *v)
	}
	for _, key := range slices.Sorted(maps.Keys(change.Labels)) {
		b.line("label %s = %s", key, value(change.Labels[key]))
	}
	for _, key := range slices.Sorted(maps.Keys(change.Annotations)) {
		b.line("annotation %s = %s", key, value(change.Annotations[key]))
	}
	for _, taint := range change.AddTaints {
		b.line("taint + %+v", taint)
	}
	for _, taint := range change.RemoveTaints {
		b.line("taint - %+v", taint)
	}
}

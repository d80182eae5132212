package templates

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/util/json"
	kubeproxy "k8s.io/kube-proxy/config/v1alpha1"
	kubelet "k8s.io/kubelet/config/v1beta1"
	kubeadmv1beta4 "k8s.io/kubernetes/cmd/kubeadm/app/apis/kubeadm/v1beta4"
	"sigs.k8s.io/yaml"
)

// The kinds of kubeadm's documents.
const (
	KindInit      = "InitConfiguration"
	KindCluster   = "ClusterConfiguration"
	KindJoin      = "JoinConfiguration"
	KindKubelet   = "KubeletConfiguration"
	KindKubeProxy = "KubeProxyConfiguration"
)

// kind is one upstream document type.
type kind struct {
	name       string
	apiVersion string
	typ        reflect.Type
}

// kinds lists the upstream documents in the order in which they are written.
func kinds() []kind {
	return []kind{
		{KindInit, kubeadmv1beta4.SchemeGroupVersion.String(), reflect.TypeFor[kubeadmv1beta4.InitConfiguration]()},
		{KindCluster, kubeadmv1beta4.SchemeGroupVersion.String(), reflect.TypeFor[kubeadmv1beta4.ClusterConfiguration]()},
		{KindJoin, kubeadmv1beta4.SchemeGroupVersion.String(), reflect.TypeFor[kubeadmv1beta4.JoinConfiguration]()},
		{KindKubelet, kubelet.SchemeGroupVersion.String(), reflect.TypeFor[kubelet.KubeletConfiguration]()},
		{KindKubeProxy, kubeproxy.SchemeGroupVersion.String(), reflect.TypeFor[kubeproxy.KubeProxyConfiguration]()},
	}
}

// render merges the overrides over the documents and writes those as
// multi-document YAML. It refuses unacceptable overrides of any kind, also of
// kinds that are not written.
func render(o Overrides, docs map[string]any) ([]byte, error) {
	var refused []error
	for _, p := range CheckOverrides(o) {
		refused = append(refused, p)
	}
	if err := errors.Join(refused...); err != nil {
		return nil, fmt.Errorf("check overrides: %w", err)
	}
	var out bytes.Buffer
	for _, k := range kinds() {
		base, ok := docs[k.name]
		if !ok {
			continue
		}
		doc, err := k.document(base, o[k.name])
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", k.name, err)
		}
		if out.Len() > 0 {
			out.WriteString("---\n")
		}
		out.Write(doc)
	}
	return out.Bytes(), nil
}

// document writes one document with an override merged over it.
func (k kind) document(base any, override map[string]any) ([]byte, error) {
	fields, err := k.fields(base, override)
	if err != nil {
		return nil, err
	}
	return k.encode(fields)
}

// fields are those of a document that are set, with an override merged over them.
func (k kind) fields(base any, override map[string]any) (map[string]any, error) {
	fields, err := fieldsOf(base)
	if err != nil {
		return nil, err
	}
	prune(fields)
	over, err := fieldsOf(override)
	if err != nil {
		return nil, err
	}
	fields = mergeFields(fields, over)
	delete(fields, "apiVersion")
	delete(fields, "kind")
	return fields, nil
}

// encode writes one document: its type, then its fields sorted by name. The result has
// been read back strictly into the upstream type.
func (k kind) encode(fields map[string]any) ([]byte, error) {
	out := []byte("apiVersion: " + k.apiVersion + "\nkind: " + k.name + "\n")
	if len(fields) > 0 {
		body, err := yaml.Marshal(fields)
		if err != nil {
			return nil, fmt.Errorf("encode fields: %w", err)
		}
		out = append(out, body...)
	}
	if err := yaml.UnmarshalStrict(out, reflect.New(k.typ).Interface()); err != nil {
		return nil, fmt.Errorf("read back: %w", err)
	}
	return out, nil
}

// fieldsOf gives v as JSON sees it, in maps and lists that nothing else holds.
func fieldsOf(v any) (map[string]any, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode fields: %w", err)
	}
	var fields map[string]any
	if err := json.Unmarshal(raw, &fields); err != nil {
		return nil, fmt.Errorf("decode fields: %w", err)
	}
	return fields, nil
}

// prune removes what the upstream types write for fields that were never set.
// An empty list stays: `taints: []` differs from no taints field.
func prune(v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			prune(value)
			if unset(value) {
				delete(v, key)
			}
		}
	case []any:
		for _, element := range v {
			prune(element)
		}
	}
}

func unset(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case map[string]any:
		return len(v) == 0
	case []any:
		return false
	case string:
		return v == "" || v == "0" || v == "0s" // "0" and "0s": quantity and duration
	default:
		return reflect.ValueOf(v).IsZero()
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

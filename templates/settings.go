package templates

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/util/json"
	kubeadmv1beta4 "k8s.io/kubernetes/cmd/kubeadm/app/apis/kubeadm/v1beta4"
	"sigs.k8s.io/yaml"
)

// Fields are those of a document, in the plain values that a JSON decoder yields and in
// the spelling of the upstream type: 60s is 1m0s.
type Fields = map[string]any

// Settings are documents of a living cluster by their kind: ClusterConfiguration,
// KubeletConfiguration and KubeProxyConfiguration.
type Settings map[string]Fields

// SettingKinds are the kinds of the documents that a cluster keeps, in order.
func SettingKinds() []string { return []string{KindCluster, KindKubelet, KindKubeProxy} }

// WantedSettings are the fields that fairlead and the user's overrides set in the documents
// that a living cluster keeps. Left out is what init alone decides: the cluster's name and
// version. CertSANs holds the endpoints' hosts and what the user adds; each API server's
// certificate has its own address by kubeadm's doing.
func WantedSettings(c Cluster) (Settings, error) {
	c.CertSANs = nil
	documents, err := clusterDocuments(c)
	if err != nil {
		return nil, fmt.Errorf("write settings: %w", err)
	}
	wanted := Settings{}
	for _, k := range kinds() {
		base, ok := documents[k.name]
		if !ok {
			continue
		}
		fields, err := k.fields(base, c.Overrides[k.name])
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", k.name, err)
		}
		full, err := k.normal(fields)
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", k.name, err)
		}
		wanted[k.name] = shaped(full, fields)
	}
	for _, field := range []string{"clusterName", "kubernetesVersion"} {
		delete(wanted[KindCluster], field)
	}
	return wanted, nil
}

// ReadSettings reads a document of a kind as a living cluster keeps it.
func ReadSettings(name string, text []byte) (Fields, error) {
	i := slices.IndexFunc(kinds(), func(k kind) bool { return k.name == name })
	if i < 0 {
		return nil, fmt.Errorf("read settings: no kind %s", name)
	}
	var head struct{ APIVersion, Kind string }
	if err := yaml.Unmarshal(text, &head); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if k := kinds()[i]; head.Kind != k.name || head.APIVersion != k.apiVersion {
		return nil, fmt.Errorf("read %s: it is a %s of %s, want %s", name, head.Kind, head.APIVersion, k.apiVersion)
	}
	var fields Fields
	if err := yaml.Unmarshal(text, &fields); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	full, err := kinds()[i].normal(fields)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return full, nil
}

// Settle is what a live document becomes: wanted is merged over it as Overrides describes,
// and what one of before has and is no longer wanted goes, unless somebody has changed it
// since. All that others have set stays.
func Settle(live, wanted Fields, before ...Fields) Fields {
	settled := copied(live)
	for _, fields := range before {
		settled, _ = withdraw(settled, wanted, fields).(Fields)
	}
	return mergeFields(settled, copied(wanted))
}

// withdraw takes out of a live value what is in before and not in wanted.
func withdraw(live, wanted, before any) any {
	switch before := before.(type) {
	case Fields:
		if fields, ok := live.(Fields); ok {
			return withdrawFields(fields, wanted, before)
		}
		return live
	case []any:
		if list, ok := live.([]any); ok && (Named(before) || scalars(before)) {
			return withdrawItems(list, wanted, before)
		}
	}
	if wanted == nil && reflect.DeepEqual(live, before) {
		return nil
	}
	return live
}

func withdrawFields(live Fields, wanted any, before Fields) any {
	wantedFields, _ := wanted.(Fields)
	for key, value := range before {
		is, exists := live[key]
		if !exists {
			continue
		}
		want, wantedStill := wantedFields[key]
		if left := withdraw(is, want, value); left != nil || wantedStill {
			live[key] = left
		} else {
			delete(live, key)
		}
	}
	if len(live) == 0 && wanted == nil {
		return nil
	}
	return live
}

func withdrawItems(live []any, wanted any, before []any) any {
	wantedList, _ := wanted.([]any)
	left := slices.DeleteFunc(live, func(item any) bool { return contains(before, item) && !contains(wantedList, item) })
	if len(left) == 0 && wanted == nil {
		return nil
	}
	return left
}

// Named says that a list has objects with a name, which tells them apart.
func Named(list []any) bool {
	return len(list) > 0 && !slices.ContainsFunc(list, func(item any) bool { return nameOf(item) == nil })
}

func scalars(list []any) bool {
	return !slices.ContainsFunc(list, func(item any) bool {
		switch item.(type) {
		case Fields, []any:
			return true
		}
		return false
	})
}

func contains(list []any, item any) bool {
	return slices.ContainsFunc(list, func(other any) bool { return reflect.DeepEqual(other, item) })
}

// copied is a deep copy.
func copied(fields Fields) Fields {
	out := maps.Clone(fields)
	for key, value := range out {
		out[key] = copiedValue(value)
	}
	return out
}

func copiedValue(value any) any {
	switch value := value.(type) {
	case Fields:
		return copied(value)
	case []any:
		out := slices.Clone(value)
		for i := range out {
			out[i] = copiedValue(out[i])
		}
		return out
	}
	return value
}

// normal passes fields through the upstream type, which spells all values its own way and
// adds those of fields that are not there.
func (k kind) normal(fields Fields) (Fields, error) {
	raw, err := json.Marshal(fields)
	if err != nil {
		return nil, fmt.Errorf("encode fields: %w", err)
	}
	typed := reflect.New(k.typ).Interface()
	if err := yaml.Unmarshal(raw, typed); err != nil {
		return nil, fmt.Errorf("decode fields: %w", err)
	}
	full, err := fieldsOf(typed)
	if err != nil {
		return nil, err
	}
	delete(full, "apiVersion")
	delete(full, "kind")
	return full, nil
}

// shaped takes from full what shape has, too.
func shaped(full, shape Fields) Fields {
	out := Fields{}
	for key, value := range shape {
		is, exists := full[key]
		if !exists {
			continue // the type leaves out what is its zero value
		}
		if inner, ok := value.(Fields); ok {
			if isFields, ok := is.(Fields); ok {
				out[key] = shaped(isFields, inner)
				continue
			}
		}
		out[key] = is
	}
	return out
}

// Reconfiguration returns the documents with which kubeadm's phases change a living cluster,
// as seen from one control-plane host. settings are whole documents, as Settle gives them.
func Reconfiguration(c Cluster, n Node, settings Settings) ([]byte, error) {
	documents, err := render(Overrides{KindInit: c.Overrides[KindInit]}, map[string]any{
		KindInit: &kubeadmv1beta4.InitConfiguration{NodeRegistration: registration(n), LocalAPIEndpoint: localEndpoint(n)},
	})
	if err != nil {
		return nil, fmt.Errorf("write documents for kubeadm: %w", err)
	}
	for _, k := range kinds() {
		fields, ok := settings[k.name]
		if !ok {
			continue
		}
		document, err := k.encode(fields)
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", k.name, err)
		}
		documents = append(append(documents, "---\n"...), document...)
	}
	return documents, nil
}

// KubeletRefresh is the document with which kubeadm gives a host the kubelet configuration
// that the cluster keeps (kubeadm upgrade node phase kubelet-config).
func KubeletRefresh() []byte {
	return []byte("apiVersion: " + kubeadmv1beta4.SchemeGroupVersion.String() + "\nkind: UpgradeConfiguration\n")
}

// SettingsDocument is a whole document of a kind.
func SettingsDocument(name string, fields Fields) ([]byte, error) {
	for _, k := range kinds() {
		if k.name == name {
			return k.encode(fields)
		}
	}
	return nil, fmt.Errorf("write settings: no kind %s", name)
}

// FieldsText is fields sorted by name, and ParseFields reads them again.
func FieldsText(fields Fields) ([]byte, error) {
	text, err := yaml.Marshal(fields)
	if err != nil {
		return nil, fmt.Errorf("encode fields: %w", err)
	}
	return text, nil
}

// ParseFields reads what FieldsText wrote.
func ParseFields(text []byte) (Fields, error) {
	raw, err := yaml.YAMLToJSON(text)
	if err != nil {
		return nil, fmt.Errorf("decode fields: %w", err)
	}
	var fields Fields
	if err := json.Unmarshal(raw, &fields); err != nil {
		return nil, fmt.Errorf("decode fields: %w", err)
	}
	return fields, nil
}

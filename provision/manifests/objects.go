package manifests

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	yamlv3 "gopkg.in/yaml.v3"
	kubejson "k8s.io/apimachinery/pkg/util/json"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// Objects decodes a stream of YAML or JSON documents, with whole numbers as int64. Lists are
// taken apart, empty documents passed over. An object without apiVersion, kind or name is an
// error, and so is one that stands there twice. Errors name the origin and the document.
func Objects(origin string, stream []byte) ([]map[string]any, error) {
	var objects []map[string]any
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(stream)))
	for n := 1; ; n++ {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			var found []map[string]any
			found, err = decode(document)
			objects = append(objects, found...)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: document %d: %w", origin, n, err)
		}
	}
	if len(objects) == 0 {
		return nil, fmt.Errorf("%s: it holds no object", origin)
	}
	seen := map[string]bool{}
	for _, object := range objects {
		key := keyOf(object)
		if seen[key] {
			return nil, fmt.Errorf("%s: %s stands there twice", origin, key)
		}
		seen[key] = true
	}
	return objects, nil
}

// decode reads one YAML document, or JSON documents one after another.
func decode(document []byte) ([]map[string]any, error) {
	if trimmed := bytes.TrimSpace(document); len(trimmed) == 0 || trimmed[0] != '{' {
		return decodeYAML(document)
	}
	var objects []map[string]any
	values := json.NewDecoder(bytes.NewReader(document))
	for {
		var raw json.RawMessage
		err := values.Decode(&raw)
		switch {
		case errors.Is(err, io.EOF):
			return objects, nil
		case err != nil && len(objects) == 0:
			return decodeYAML(document) // a YAML mapping in braces
		case err != nil:
			return nil, err
		}
		if err := checkJSON(raw); err != nil {
			return nil, err
		}
		found, err := objectsIn(raw)
		if err != nil {
			return nil, err
		}
		objects = append(objects, found...)
	}
}

func decodeYAML(document []byte) ([]map[string]any, error) {
	raw, err := yaml.YAMLToJSONStrict(document)
	if err != nil {
		return nil, err
	}
	if err := alone(document); err != nil {
		return nil, err
	}
	return objectsIn(raw)
}

// alone refuses what follows after the end of a document, be it marked by three dots or by a line
// break that only YAML knows: the decoder passes over it.
func alone(document []byte) error {
	documents := yamlv3.NewDecoder(bytes.NewReader(document))
	var node yamlv3.Node
	err := documents.Decode(&node)
	if err == nil {
		if err = documents.Decode(&node); err == nil {
			return errors.New("another document follows in it: set it apart by a line of ---")
		}
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// checkJSON refuses what the JSON decoder would mend: keys that stand twice, and bytes that are
// no UTF-8. The YAML decoder would refuse them as well, and some JSON: pairs of surrogates, \/.
func checkJSON(raw []byte) error {
	if !utf8.Valid(raw) {
		return errors.New("it is no UTF-8")
	}
	tokens := json.NewDecoder(bytes.NewReader(raw))
	tokens.UseNumber()
	return checkKeys(tokens)
}

func checkKeys(tokens *json.Decoder) error {
	token, err := tokens.Token()
	if err != nil {
		return err
	}
	opening, isDelim := token.(json.Delim)
	if !isDelim {
		return nil
	}
	seen := map[json.Token]bool{}
	for tokens.More() {
		if opening == '{' {
			key, err := tokens.Token()
			switch {
			case err != nil:
				return err
			case seen[key]:
				return fmt.Errorf("the key %q stands there twice", key)
			}
			seen[key] = true
		}
		if err := checkKeys(tokens); err != nil {
			return err
		}
	}
	_, err = tokens.Token()
	return err
}

// objectsIn decodes one JSON value.
func objectsIn(raw []byte) ([]map[string]any, error) {
	var object any
	if err := kubejson.Unmarshal(raw, &object); err != nil {
		return nil, err
	}
	if object == nil {
		return nil, nil
	}
	fields, ok := object.(map[string]any)
	if !ok {
		return nil, errors.New("it is no object")
	}
	return flatten(fields)
}

// flatten checks an object, and takes a List apart.
func flatten(object map[string]any) ([]map[string]any, error) {
	kind, _ := object["kind"].(string)
	items, isList := object["items"].([]any)
	if isList && strings.HasSuffix(kind, "List") {
		var all []map[string]any
		for i, item := range items {
			fields, ok := item.(map[string]any)
			if !ok {
				return nil, fmt.Errorf("item %d of the %s is no object", i+1, kind)
			}
			found, err := flatten(fields)
			if err != nil {
				return nil, fmt.Errorf("item %d of the %s: %w", i+1, kind, err)
			}
			all = append(all, found...)
		}
		return all, nil
	}
	metadata, _ := object["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	apiVersion, _ := object["apiVersion"].(string)
	generated, _ := metadata["generateName"].(string)
	switch {
	case kind == "" || apiVersion == "":
		return nil, errors.New("it has no apiVersion or no kind")
	case name == "" && generated != "":
		return nil, fmt.Errorf("the %s has generateName and no name: each run would make another one; give it a name", kind)
	case name == "":
		return nil, fmt.Errorf("the %s has no name", kind)
	}
	return []map[string]any{object}, nil
}

func keyOf(object map[string]any) string {
	metadata, _ := object["metadata"].(map[string]any)
	namespace, _ := metadata["namespace"].(string)
	apiVersion, _ := object["apiVersion"].(string)
	group, _, _ := strings.Cut(apiVersion, "/")
	return fmt.Sprintf("%v.%s %s/%v", object["kind"], group, namespace, metadata["name"])
}

// Order sorts objects into the order in which they can be applied: what others need first,
// webhooks and API services, which intercept requests, last. Within a wave the order stays.
func Order(objects []map[string]any) []map[string]any {
	waves := [][]string{
		{"Namespace"},
		{"CustomResourceDefinition"},
		{"PriorityClass", "StorageClass", "IngressClass", "RuntimeClass", "GatewayClass"},
		{"ResourceQuota", "LimitRange", "NetworkPolicy", "PodDisruptionBudget"},
		{"ServiceAccount"},
		{"ClusterRole", "Role"},
		{"ClusterRoleBinding", "RoleBinding"},
		{"Secret", "ConfigMap"},
		{"PersistentVolume", "PersistentVolumeClaim"},
		{"Service"},
	}
	last := []string{"APIService", "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "ValidatingAdmissionPolicyBinding"}
	wave := func(object map[string]any) int {
		kind, _ := object["kind"].(string)
		if i := slices.IndexFunc(waves, func(kinds []string) bool { return slices.Contains(kinds, kind) }); i >= 0 {
			return i
		}
		if slices.Contains(last, kind) {
			return len(waves) + 1
		}
		return len(waves)
	}
	ordered := slices.Clone(objects)
	slices.SortStableFunc(ordered, func(a, b map[string]any) int { return wave(a) - wave(b) })
	return ordered
}

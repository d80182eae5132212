package object

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Applied identifies an object that was applied.
type Applied struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name"`
	// SHA256 is that of the object as it was applied; empty for Secrets, whose content it
	// would let people try to guess.
	SHA256 string `json:"sha256,omitempty"`
}

// Identify is what the record says of an object.
func Identify(object map[string]any) Applied {
	metadata, _ := object["metadata"].(map[string]any)
	applied := Applied{
		APIVersion: TextOf(object["apiVersion"]), Kind: TextOf(object["kind"]),
		Namespace: TextOf(metadata["namespace"]), Name: TextOf(metadata["name"]),
	}
	if text, err := json.Marshal(object); err == nil && applied.Kind != "Secret" {
		sum := sha256.Sum256(text)
		applied.SHA256 = hex.EncodeToString(sum[:])
	}
	return applied
}

// TextOf is a field as text; empty where there is none.
func TextOf(value any) string {
	text, _ := value.(string)
	return text
}

// Object has the fields that identify the object.
func (a Applied) Object() map[string]any {
	metadata := map[string]any{"name": a.Name}
	if a.Namespace != "" {
		metadata["namespace"] = a.Namespace
	}
	return map[string]any{"apiVersion": a.APIVersion, "kind": a.Kind, "metadata": metadata}
}

// Same says that both are the same object, whatever its content.
func (a Applied) Same(b Applied) bool {
	a.SHA256, b.SHA256 = "", ""
	return a == b
}

// Owner is the label by which an object says to whom it belongs.
type Owner struct{ Label, Value string }

// Owns says that a live object bears the label.
func (o Owner) Owns(live map[string]any) bool {
	return (&unstructured.Unstructured{Object: live}).GetLabels()[o.Label] == o.Value
}

package provision

import "fmt"

func systemObject(apiVersion, kind, name string) map[string]any {
	return map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"namespace": "kube-system", "name": name}}
}

func configMap(name string, data map[string]any) map[string]any {
	object := systemObject("v1", "ConfigMap", name)
	object["data"] = data
	return object
}

// labelAddon names the set that an object belongs to. Only objects with it are ever pruned.
const labelAddon = "fairlead/addon"

// objectKey identifies an object among the add-ons.
func objectKey(object map[string]any) string {
	metadata, _ := object["metadata"].(map[string]any)
	return fmt.Sprintf("%v %v/%v", object["kind"], orEmpty(metadata["namespace"]), metadata["name"])
}

func orEmpty(value any) any {
	if value == nil {
		return ""
	}
	return value
}

// tokenDescription marks fairlead's bootstrap tokens in the cluster.
const tokenDescription = "fairlead join"

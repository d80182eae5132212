package observe

import (
	"context"

	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/kube"
	"fairlead/provision/object"
)

// readSettings reads the documents that the cluster keeps, and fairlead's record of them.
func (o *Observer) readSettings(ctx context.Context, client *kube.Client, api *facts.API) error {
	api.Settings, api.RecordedSettings = map[string]string{}, map[string]string{}
	for _, source := range desired.SettingsSources() {
		data, err := configMapData(ctx, client, source.ConfigMap)
		if err != nil {
			return err
		}
		if text := data[source.Key]; text != "" {
			api.Settings[source.Kind] = text
		}
	}
	record, err := configMapData(ctx, client, desired.SettingsRecord)
	if err != nil {
		return err
	}
	api.RecordedSettings = record
	return nil
}

// configMapData is what a ConfigMap in kube-system holds; nothing where there is none.
func configMapData(ctx context.Context, client *kube.Client, name string) (map[string]string, error) {
	live, _, err := client.Look(ctx, object.ConfigMap(name, nil))
	if err != nil {
		return nil, err
	}
	texts := map[string]string{}
	data, _ := live.Object["data"].(map[string]any)
	for key, value := range data {
		texts[key], _ = value.(string)
	}
	return texts, nil
}

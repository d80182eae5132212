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
		data, err := configMapData(ctx, client, object.ConfigMap(source.ConfigMap, nil))
		if err != nil {
			return err
		}
		if text := data[source.Key]; text != "" {
			api.Settings[source.Kind] = text
		}
	}
	record, err := configMapData(ctx, client, object.ConfigMap(desired.SettingsRecord, nil))
	if err != nil {
		return err
	}
	if record != nil {
		api.RecordedSettings = record
	}
	return readKubeconfigs(ctx, client, api)
}

// readKubeconfigs reads those that the cluster hands out.
func readKubeconfigs(ctx context.Context, client *kube.Client, api *facts.API) error {
	api.Kubeconfigs = map[string]string{}
	for _, place := range desired.KubeconfigMaps() {
		data, err := configMapData(ctx, client, place.Object(nil))
		if err != nil {
			return err
		}
		if data != nil {
			api.Kubeconfigs[place.String()] = data[place.Key]
		}
	}
	return nil
}

// configMapData is what a ConfigMap holds; nil where there is none.
func configMapData(ctx context.Context, client *kube.Client, item map[string]any) (map[string]string, error) {
	live, exists, err := client.Look(ctx, item)
	if err != nil || !exists {
		return nil, err
	}
	texts := map[string]string{}
	data, _ := live.Object["data"].(map[string]any)
	for key, value := range data {
		texts[key], _ = value.(string)
	}
	return texts, nil
}

package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"fairlead/provision/desired"
	"fairlead/provision/object"
	"fairlead/templates"
)

// sameRecord says that the cluster's record of the settings is that of the inventory.
func (p *planner) sameRecord(wanted templates.Settings) bool {
	record, err := p.recordOf(wanted)
	return err == nil && maps.Equal(record, p.facts.API.RecordedSettings)
}

// recordOf is the record of settings, with the endpoints that the cluster had.
func (p *planner) recordOf(wanted templates.Settings) (map[string]string, error) {
	record, err := desired.RecordOf(wanted)
	if former := p.common.kubeadm.FormerEndpoints; err == nil && len(former) > 0 {
		record[desired.FormerEndpoints] = strings.Join(former, ",")
	}
	return record, err
}

// settles says that a step changes settings.
func settles(step Step) bool { return step.Stage == StageSettle }

// announceSettings plans to record the settings to come before the first of them is changed.
func (p *planner) announceSettings(wanted templates.Settings) {
	if !slices.ContainsFunc(p.plan.Steps, settles) {
		return
	}
	step := Step{ID: "cluster/settings/announce", Stage: StageRecord, Title: "record the settings to come"}
	step.because("settings change")
	record, err := p.recordOf(wanted)
	if err != nil {
		p.block("", step.Title, err.Error())
		return
	}
	announced := maps.Clone(p.facts.API.RecordedSettings)
	if announced == nil {
		announced = map[string]string{}
	}
	if p.has(stepKubeProxy) {
		announced[desired.ProxyToCome] = "they are started anew"
	}
	for kind, text := range record {
		if kind == desired.FormerEndpoints {
			announced[kind] = text // which nothing takes back
		} else if announced[kind] != text {
			sum := sha256.Sum256([]byte(text))
			announced[kind+desired.SettingsToCome+hex.EncodeToString(sum[:4])] = text
		}
	}
	if maps.Equal(announced, p.facts.API.RecordedSettings) {
		return // a run that was cut off has done it
	}
	for i := range p.plan.Steps {
		if settles(p.plan.Steps[i]) {
			p.plan.Steps[i].Needs = append(p.plan.Steps[i].Needs, step.ID)
		}
	}
	step.do(applyRecord(announced))
	p.insert(step, settles)
}

// recordSettings plans the record of what the inventory says, after everything that it says
// was done. A host that cannot be reached would never be told what is no longer wanted.
func (p *planner) recordSettings(wanted templates.Settings, reason string) {
	step := Step{ID: "cluster/settings/record", Stage: StageRecord, Title: "record the settings"}
	step.because("%s", reason)
	record, err := p.recordOf(wanted)
	if err != nil {
		p.block("", step.Title, err.Error())
		return
	}
	for _, host := range p.Cluster.Hosts() {
		if _, ok := p.reached(host.Name); !ok && len(p.facts.API.RecordedSettings) > 0 {
			return // that it cannot be reached was said
		}
	}
	step.Needs = p.afterInit()
	for _, each := range p.plan.Steps {
		if settles(each) {
			step.Needs = append(step.Needs, each.ID)
		}
	}
	step.do(applyRecord(record))
	p.add(step)
}

func applyRecord(record map[string]string) ApplyObject {
	data := map[string]any{}
	for kind, text := range record {
		data[kind] = text
	}
	return ApplyObject{Object: object.ConfigMap(desired.SettingsRecord, data)}
}

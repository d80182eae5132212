package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/templates"
)

// settlement is what becomes of one of the cluster's documents.
type settlement struct {
	settled templates.Fields   // as it is to be
	wanted  templates.Fields   // what the inventory says
	before  []templates.Fields // what it said, and what runs that were cut off were to make of it
	changes []templates.SettingChange
	// interrupted says that a run that changed it was cut off, and cutOff are the fields in
	// which such runs may have left something else.
	interrupted bool
	cutOff      []templates.SettingChange
}

// settle compares the cluster's documents with the inventory. A document that the cluster
// does not keep, as that of kube-proxy where kubeadm was told to install none, is left out.
func (p *planner) settle(wanted templates.Settings) (map[string]settlement, error) {
	all := map[string]settlement{}
	for _, kind := range templates.SettingKinds() {
		text, exists := p.facts.API.Settings[kind]
		if !exists {
			continue
		}
		live, err := templates.ReadSettings(kind, []byte(text))
		if err != nil {
			return nil, fmt.Errorf("the cluster's settings: %w", err)
		}
		s := settlement{wanted: wanted[kind]}
		if err := p.recorded(kind, &s); err != nil {
			return nil, err
		}
		s.settled = templates.Settle(live, s.wanted, s.before...)
		s.changes = templates.SettingChanges(live, s.settled)
		all[kind] = s
	}
	return all, nil
}

// recorded reads what the cluster's record has of a kind.
func (p *planner) recorded(kind string, s *settlement) error {
	for _, key := range slices.Sorted(maps.Keys(p.facts.API.RecordedSettings)) {
		toCome := strings.HasPrefix(key, kind+desired.SettingsToCome)
		if key != kind && !toCome {
			continue
		}
		fields, err := templates.ParseFields([]byte(p.facts.API.RecordedSettings[key]))
		if err != nil {
			return fmt.Errorf("ConfigMap kube-system/%s: %s: %w", desired.SettingsRecord, key, err)
		}
		s.before = append(s.before, fields)
		if toCome {
			s.interrupted = true
			s.cutOff = append(s.cutOff, templates.SettingChanges(fields, s.wanted)...)
		}
	}
	return nil
}

// settingRule says what is made from a field of ClusterConfiguration.
type settingRule struct {
	path       string // of the field, or what it begins with
	components []string
	addons     []string
	// fixed says why a living cluster cannot have another value; one that has none gets it.
	fixed string
}

// settingRules are looked up from the top (cmd/kubeadm/app/phases/controlplane/manifests.go,
// phases/etcd/local.go, phases/addons). Fields without a rule are only kept, for what kubeadm
// makes later: certificates, nodes that join.
func settingRules() []settingRule {
	const anew = "it is fixed when a cluster is made"
	return []settingRule{
		{path: "apiServer.certSANs"}, // certificates are compared on each host
		{path: "apiServer.timeoutForControlPlane"},
		{path: "apiServer", components: []string{templates.ComponentAPIServer}},
		{path: "controllerManager", components: []string{templates.ComponentControllerManager}},
		{path: "scheduler", components: []string{templates.ComponentScheduler}},
		{path: "etcd.local.dataDir", fixed: anew},
		{path: "etcd", components: []string{templates.ComponentEtcd}},
		{path: "imageRepository", components: templates.Components(), addons: []string{"coredns", "kube-proxy"}},
		{path: "featureGates", components: templates.Components()},
		{path: "dns", addons: []string{"coredns"}},
		{path: "proxy", addons: []string{"kube-proxy"}},
		{path: "networking", fixed: anew},
		{path: pathEndpoint}, // each place that holds it is compared
		{path: "certificatesDir", fixed: anew},
	}
}

func ruleOf(change templates.SettingChange) settingRule {
	for _, rule := range settingRules() {
		rest, ok := strings.CutPrefix(change.Path, rule.path)
		if ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return rule
		}
	}
	return settingRule{}
}

// argsField is the field of ClusterConfiguration with a component's arguments.
func argsField(component string) (section []string) {
	return map[string][]string{
		templates.ComponentAPIServer:         {"apiServer"},
		templates.ComponentControllerManager: {"controllerManager"},
		templates.ComponentScheduler:         {"scheduler"},
		templates.ComponentEtcd:              {"etcd", "local"},
	}[component]
}

// ExtraArgs are a component's arguments in a ClusterConfiguration, as they stand in its command.
func ExtraArgs(cluster templates.Fields, component string) []string {
	fields := cluster
	for _, name := range argsField(component) {
		fields, _ = fields[name].(templates.Fields)
	}
	list, _ := fields["extraArgs"].([]any)
	var args []string
	for _, item := range list {
		arg, _ := item.(templates.Fields)
		args = append(args, fmt.Sprintf("--%v=%v", arg["name"], arg["value"]))
	}
	return args
}

// unsettled are the components whose change an earlier run was cut off in.
func unsettled(facts facts.Host) []string {
	return slices.DeleteFunc(templates.Components(), func(component string) bool {
		_, kept := facts.Files[templates.FormerManifest(component)]
		return !kept
	})
}

package model

import (
	"fmt"
	"slices"
	"strings"

	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/provision/object"
	"fairlead/provision/plan"
	"fairlead/templates"
)

// actOnCluster does an action through the API server, if it is one.
//
//nolint:cyclop // a table
func (s *Simulation) actOnCluster(step plan.Step, action plan.Action) (done bool, err error) {
	api := &s.Facts.API
	switch a := action.(type) {
	case plan.AwaitAPI:
		if s.Facts.Hosts[step.Host].EtcdUnbegun {
			return true, errNoLeader
		}
		if api.Err = nil; !s.cluster.etcd[step.Host] {
			api.Err = world.Forbidden() // kubeadm has given no rights to anybody yet
		}
		return true, nil
	case plan.MintToken:
		return s.asked(s.mint)
	case plan.RevokeToken:
		return s.asked(func() error { delete(s.cluster.tokens, s.minted); return nil })
	case plan.DeleteTokens:
		return s.asked(func() error {
			for _, id := range a.IDs {
				delete(s.cluster.tokens, id)
			}
			return nil
		})
	case plan.CopyPKI:
		return s.asked(func() error { return s.copyPKI(step.Host) })
	case plan.RemoveFormerMember:
		return s.asked(func() error { return s.removeFormerMember(step.Host) })
	case plan.AwaitEndpoint:
		return s.asked(func() error { return s.answers(a.Endpoint) })
	case plan.AwaitNode:
		return s.asked(func() error { return s.eventually(step, func() error { return s.nodeIs(a.Name, a.Ready) }) })
	case plan.AwaitKubelet:
		return s.asked(func() error { return s.eventually(step, func() error { return s.nodeIs(a.Node, true) }) })
	case plan.ChangeNode:
		return s.asked(func() error { return s.changeNode(a) })
	case plan.DrainNode:
		return s.asked(func() error { return s.drain(a.Name) })
	case plan.DeleteNode:
		return s.asked(func() error { return s.deleteNode(a.Name) })
	case plan.ForgetNode:
		return s.asked(func() error { return s.forgetNode(a.Name) })
	case plan.AwaitDetached:
		return s.asked(func() error { return s.awaitDetached(a.Name) })
	case plan.CheckQuorum:
		return s.asked(func() error { return s.checkQuorum(a.Member) })
	case plan.RemoveMember:
		return s.asked(func() error { return s.removeMember(a.Member) })
	case plan.MarkRemoved:
		return s.asked(func() error { return s.markRemoved(a) })
	case plan.ForgetRemoved:
		return s.asked(func() error { return s.forgetRemoved(a.Node) })
	case plan.ApplyObject:
		return s.asked(func() error { return s.apply(a) })
	case plan.AwaitObject:
		return s.asked(func() error { return s.awaitObject(a.Object) })
	case plan.RecordApplied:
		return s.asked(func() error {
			api.Applied[a.Set] = a.Objects
			if len(a.Objects) == 0 {
				delete(api.Applied, a.Set)
			}
			return nil
		})
	case plan.PruneObjects:
		return s.asked(func() error { return s.prune(a) })
	case plan.ApproveServing:
		return s.asked(func() error {
			api.Serving = slices.DeleteFunc(slices.Clone(api.Serving), func(r object.ServingRequest) bool { return r.Node == a.Identity.Node })
			return nil
		})
	}
	return false, nil
}

// asked does something that needs the API server.
func (s *Simulation) asked(act func() error) (done bool, err error) {
	if err := s.unanswered(); err != nil {
		return true, err
	}
	return true, act()
}

func (s *Simulation) mint() error {
	s.cluster.minted++
	s.minted = fmt.Sprintf("token%d", s.cluster.minted)
	s.cluster.tokens[s.minted] = true
	return nil
}

// eventually waits for what other steps may bring.
func (s *Simulation) eventually(step plan.Step, problem func() error) error {
	for range 100 {
		if problem() == nil {
			return nil
		}
		s.turns.wait(step.ID)
	}
	return problem()
}

func (s *Simulation) nodeIs(name string, ready bool) error {
	if _, exists := s.Facts.API.Nodes[name]; !exists || ready && !s.ready(name) {
		return fmt.Errorf("node %s never comes: exists %v", name, exists)
	}
	return nil
}

func (s *Simulation) changeNode(a plan.ChangeNode) error {
	if err := s.nodeIs(a.Name, false); err != nil {
		return err
	}
	world.ChangeNode(s.Facts, a.Name, func(n *object.Node) {
		for key, value := range a.Change.Labels {
			set(n.Labels, key, value)
		}
		for key, value := range a.Change.Annotations {
			set(n.Annotations, key, value)
		}
		gone := slices.Concat(a.Change.RemoveTaints, a.Change.AddTaints)
		n.Taints = slices.DeleteFunc(slices.Clone(n.Taints), func(t object.Taint) bool { return slices.Contains(gone, t) })
		n.Taints = append(n.Taints, a.Change.AddTaints...)
		if a.Change.Unschedulable != nil {
			n.Unschedulable = *a.Change.Unschedulable
		}
	})
	return nil
}

func set(values map[string]string, key string, value *string) {
	if value == nil {
		delete(values, key)
	} else {
		values[key] = *value
	}
}

func (s *Simulation) drain(name string) error {
	if err := s.nodeIs(name, false); err != nil {
		return err
	}
	world.ChangeNode(s.Facts, name, func(n *object.Node) { n.Unschedulable = true })
	return nil
}

// deleteNode takes a node away that has been drained. kubeadm finds etcd members by their nodes.
func (s *Simulation) deleteNode(name string) error {
	node, exists := s.Facts.API.Nodes[name]
	switch {
	case exists && !node.Unschedulable:
		return fmt.Errorf("node %s was not drained", name)
	case s.cluster.etcd[s.hostOf(name)]:
		return fmt.Errorf("the etcd member of %s would stay", name)
	}
	delete(s.Facts.API.Nodes, name)
	return nil
}

func (s *Simulation) apply(a plan.ApplyObject) error {
	api := &s.Facts.API
	key := object.Key(a.Object)
	data, _ := a.Object["data"].(map[string]any)
	if kind := kindOf(a.Object); custom(kind) && !s.cluster.established[kind] {
		return fmt.Errorf("apply %s: no matches for kind %s", key, kind)
	}
	switch key {
	case "ConfigMap kube-system/" + desired.SettingsRecord:
		api.RecordedSettings = map[string]string{}
		for kind, text := range data {
			api.RecordedSettings[kind] = fmt.Sprint(text)
		}
	case "ConfigMap kube-system/kube-proxy":
		api.Settings[templates.KindKubeProxy] = fmt.Sprint(data["config.conf"])
		s.handOut(desired.ProxyKubeconfig(), data)
	case "ConfigMap kube-public/cluster-info":
		s.handOut(desired.InfoKubeconfig(), data)
	case kubeProxyPods:
		if mark := fmt.Sprint(a.Object); mark != s.cluster.proxyMark { // its pods are rolled
			s.cluster.proxy, s.cluster.proxyMark = api.Settings[templates.KindKubeProxy], mark
			s.cluster.proxyServer = s.handsOut(desired.ProxyKubeconfig())
		}
		api.Objects[key] = object.Live{Object: a.Object}
	default:
		api.Objects[key] = object.Live{Object: a.Object}
	}
	return nil
}

const (
	kubeProxyPods = "DaemonSet kube-system/kube-proxy"
	definition    = "CustomResourceDefinition"
)

// kindOf is GROUP/KIND of an object, and defines that of the objects that a definition is for.
func kindOf(item map[string]any) string {
	group, _, ok := strings.Cut(object.TextOf(item["apiVersion"]), "/")
	if !ok {
		group = ""
	}
	return group + "/" + object.TextOf(item["kind"])
}

func defines(item map[string]any) string {
	spec, _ := item["spec"].(map[string]any)
	names, _ := spec["names"].(map[string]any)
	return object.TextOf(spec["group"]) + "/" + object.TextOf(names["kind"])
}

// custom says that a kind is none of Kubernetes itself.
func custom(kind string) bool {
	group, _, _ := strings.Cut(kind, "/")
	return strings.Contains(group, ".") && !strings.HasSuffix(group, ".k8s.io")
}

// awaitObject waits for an object; of a definition until the API server has taken it up.
func (s *Simulation) awaitObject(item map[string]any) error {
	if _, exists := s.Facts.API.Objects[object.Key(item)]; !exists {
		return fmt.Errorf("%s never comes", object.Key(item))
	}
	if item["kind"] == definition {
		s.cluster.established[defines(item)] = true
	}
	return nil
}

// settleDefinitions is what the API server does by itself until somebody looks the next time.
func (s *Simulation) settleDefinitions() {
	for _, live := range s.Facts.API.Objects {
		if live.Object["kind"] == definition {
			s.cluster.established[defines(live.Object)] = true
		}
	}
}

// prune deletes objects, but for definitions of which others have objects (kube.Client.Prune).
func (s *Simulation) prune(a plan.PruneObjects) error {
	objects := s.Facts.API.Objects
	mine := object.Owner{Label: object.LabelAddon, Value: a.Set}
	for _, item := range a.Objects {
		key := object.Key(item.Object())
		live, exists := objects[key]
		if !exists {
			continue
		}
		if !mine.Owns(live.Object) {
			return fmt.Errorf("prune %s, which is not of %s", key, a.Set)
		}
		if item.Kind != definition {
			delete(objects, key)
			continue
		}
		kind := defines(live.Object)
		var kept error
		for other, each := range objects {
			if kindOf(each.Object) == kind && !mine.Owns(each.Object) {
				kept = fmt.Errorf("keeping %s, which holds %s", key, other)
			}
		}
		if kept != nil {
			return kept
		}
		for other, each := range objects {
			if kindOf(each.Object) == kind {
				delete(objects, other)
			}
		}
		delete(objects, key)
		delete(s.cluster.established, kind)
	}
	return nil
}

// copyPKI brings what control planes share to one that is to come.
func (s *Simulation) copyPKI(host string) error {
	from := s.Facts.Hosts[s.via()]
	for _, path := range sharedPKI() {
		if _, exists := from.Files[path]; !exists {
			return fmt.Errorf("%s has no %s", s.via(), path)
		}
	}
	world.ChangeHost(s.Facts, host, func(h *facts.Host) {
		for _, path := range sharedPKI() {
			world.Written(h, path, 0o600, from.Contents[path])
		}
		derive(h)
	})
	return nil
}

func sharedPKI() []string {
	var paths []string
	for _, name := range []string{"ca.crt", "ca.key", "sa.key", "sa.pub", "front-proxy-ca.crt", "front-proxy-ca.key", "etcd/ca.crt", "etcd/ca.key"} {
		paths = append(paths, kubernetesFolder+"/pki/"+name)
	}
	return paths
}

package templates

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// requiredNodes is the part of a node affinity that pods cannot do without.
const requiredNodes = "requiredDuringSchedulingIgnoredDuringExecution"

// keepOffControlPlanes adds to what the pods require of nodes already. The terms of an affinity are
// alternatives, and what one term says holds together: so it is added to each of them.
func keepOffControlPlanes(pod map[string]any) error {
	selector, _ := pod["nodeSelector"].(map[string]any)
	if _, wanted := selector[controlPlaneLabel]; wanted {
		return fmt.Errorf("the pods select control planes by %s in their own nodeSelector, and placement workers: remove one of the two", controlPlaneLabel)
	}
	workers := map[string]any{"key": controlPlaneLabel, "operator": "DoesNotExist"}
	affinity, _ := pod["affinity"].(map[string]any)
	nodes, _ := affinity["nodeAffinity"].(map[string]any)
	terms := []any{map[string]any{"matchExpressions": []any{workers}}}
	if own := nodes[requiredNodes]; own != nil {
		var err error
		if terms, err = joined(own, workers); err != nil {
			return err
		}
	}
	affinity, nodes = maps.Clone(affinity), maps.Clone(nodes)
	if affinity == nil {
		affinity = map[string]any{}
	}
	if nodes == nil {
		nodes = map[string]any{}
	}
	nodes[requiredNodes] = map[string]any{"nodeSelectorTerms": terms}
	affinity["nodeAffinity"] = nodes
	pod["affinity"] = affinity
	return nil
}

// joined are the terms of an affinity, each with one more expression. An empty term fits no node, and
// stays so.
func joined(own any, expression map[string]any) ([]any, error) {
	required, _ := own.(map[string]any)
	terms, _ := required["nodeSelectorTerms"].([]any)
	if len(terms) == 0 {
		return nil, errors.New("the pods require nodes by an affinity without nodeSelectorTerms, which fits none: give it a term, or remove it")
	}
	all, possible := make([]any, len(terms)), false
	for i, t := range terms {
		term, _ := t.(map[string]any)
		expressions, _ := term["matchExpressions"].([]any)
		fields, _ := term["matchFields"].([]any)
		all[i] = t
		if len(expressions)+len(fields) == 0 {
			continue
		}
		possible = possible || !slices.ContainsFunc(expressions, wantsControlPlanes)
		has := func(e any) bool { return reflect.DeepEqual(e, any(expression)) }
		if !slices.ContainsFunc(expressions, has) {
			term = maps.Clone(term)
			term["matchExpressions"] = append(slices.Clone(expressions), expression)
			all[i] = term
		}
	}
	if !possible {
		return nil, fmt.Errorf("the pods require control planes by %s in their own node affinity, and placement workers: remove one of the two", controlPlaneLabel)
	}
	return all, nil
}

// wantsControlPlanes says that an expression fits control planes only.
func wantsControlPlanes(expression any) bool {
	e, _ := expression.(map[string]any)
	return e["key"] == controlPlaneLabel && (e["operator"] == "Exists" || e["operator"] == "In")
}

// requiresWorkers says that none of the pods' own terms fits a control plane.
func requiresWorkers(pod map[string]any) bool {
	affinity, _ := pod["affinity"].(map[string]any)
	nodes, _ := affinity["nodeAffinity"].(map[string]any)
	required, _ := nodes[requiredNodes].(map[string]any)
	terms, _ := required["nodeSelectorTerms"].([]any)
	keepsOff := func(expression any) bool {
		e, _ := expression.(map[string]any)
		return e["key"] == controlPlaneLabel && e["operator"] == "DoesNotExist"
	}
	for _, t := range terms {
		term, _ := t.(map[string]any)
		expressions, _ := term["matchExpressions"].([]any)
		if !slices.ContainsFunc(expressions, keepsOff) {
			return false
		}
	}
	return len(terms) > 0
}

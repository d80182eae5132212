package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/version"
)

// ServerVersion is the version of the API server without "v", such as 1.37.2.
func (c *Client) ServerVersion(ctx context.Context) (string, error) {
	data, err := c.clientset.Discovery().RESTClient().Get().AbsPath("/version").Do(ctx).Raw()
	if err != nil {
		return "", fmt.Errorf("read server version: %w", err)
	}
	var info version.Info
	if err := json.Unmarshal(data, &info); err != nil {
		return "", fmt.Errorf("parse server version: %w", err)
	}
	return strings.TrimPrefix(info.GitVersion, "v"), nil
}

// RolloutReason says why a live DaemonSet is not rolled out on all its nodes; it is empty
// when it is, and for every other kind of object.
func RolloutReason(live map[string]any) string {
	if live["kind"] != "DaemonSet" {
		return ""
	}
	var set appsv1.DaemonSet
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(live, &set); err != nil {
		return fmt.Sprintf("DaemonSet cannot be read: %v", err)
	}
	if done, reason := rolledOut(&set); !done {
		return fmt.Sprintf("DaemonSet %s/%s: %s", set.Namespace, set.Name, reason)
	}
	return ""
}

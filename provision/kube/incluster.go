package kube

import (
	"fmt"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// NewInCluster builds a client for a program in a pod, with its service account. It cannot be
// used for objects of any kind, only for what has a method of its own.
func NewInCluster() (*Client, error) {
	config, err := rest.InClusterConfig()
	if err != nil {
		return nil, fmt.Errorf("use the pod's service account: %w", err)
	}
	config.UserAgent = fieldManager
	clientset, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("build client: %w", err)
	}
	return &Client{clientset: clientset, now: time.Now, retry: retryInterval}, nil
}

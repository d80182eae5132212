package provision

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"fairlead/templates"

	"sigs.k8s.io/yaml"
)

// How long what was changed may take to be well again.
const (
	staticPodPatience = 3 * time.Minute
	kubeletPatience   = 2 * time.Minute
)

// RunKubeadm runs one phase of kubeadm.
type RunKubeadm struct {
	Document []byte // its configuration, without secrets
	Verb     []string
}

// Describe implements Action.
func (a RunKubeadm) Describe() string { return "kubeadm " + strings.Join(a.Verb, " ") }

func (RunKubeadm) touches() []touch { return nil }

func (a RunKubeadm) apply(ctx context.Context, s *stepRun) error {
	return s.kubeadm(ctx, a.Document, a.Verb...)
}

// RemoveForKubeadm removes files that kubeadm makes anew only where there are none. They are
// part of a tree that the ledger has, so it needs not know them.
func RemoveForKubeadm(paths ...string) Script {
	return Script{Title: "remove " + strings.Join(paths, ", "), Text: templates.RemoveFiles(), Args: paths}
}

// ChangeStaticPod has kubeadm write the manifest of a component of the control plane anew and
// waits until it runs so. If it does not, the former manifest comes back. That is kept beside
// the ledger until then, so that the next run can put it back if this one is cut off.
type ChangeStaticPod struct {
	Node, Component string
	Document        []byte // for kubeadm
}

// Describe implements Action.
func (a ChangeStaticPod) Describe() string {
	return fmt.Sprintf("kubeadm %s, wait until %s runs as its manifest says", strings.Join(kubeadmPhase(a.Component), " "), a.pod())
}

func (a ChangeStaticPod) pod() string { return a.Component + "-" + a.Node }

func (ChangeStaticPod) touches() []touch { return nil }

func (a ChangeStaticPod) apply(ctx context.Context, s *stepRun) error {
	if err := s.keepManifest(ctx, a.Component); err != nil {
		return err
	}
	err := s.kubeadm(ctx, a.Document, kubeadmPhase(a.Component)...)
	if err == nil {
		err = a.await(ctx, s)
	}
	switch {
	case err == nil:
		return s.forgetManifest(ctx, a.Component)
	case ctx.Err() != nil:
		return err // the run was stopped: the next one sees what is kept
	}
	back := RestoreManifests{Components: []string{a.Component}}
	if errBack := back.apply(ctx, s); errBack != nil {
		return fmt.Errorf("%w; put back the former manifest: %w", err, errBack)
	}
	return fmt.Errorf("%w; the former manifest was put back", err)
}

func (a ChangeStaticPod) await(ctx context.Context, s *stepRun) error {
	text, err := s.host.ReadFile(ctx, manifestPath(a.Component))
	if err != nil {
		return fmt.Errorf("read %s: %w", manifestPath(a.Component), err)
	}
	var manifest map[string]any
	if err := yaml.Unmarshal(text, &manifest); err != nil {
		return fmt.Errorf("read %s: %w", manifestPath(a.Component), err)
	}
	client, _, err := s.session.api(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, staticPodPatience)
	defer cancel()
	return client.WaitStaticPod(ctx, a.pod(), manifest, s.waiting)
}

// keepManifest keeps a manifest that is about to change, unless an earlier run has kept it.
func (s *stepRun) keepManifest(ctx context.Context, component string) error {
	_, err := s.host.ReadFile(ctx, formerManifest(component))
	if err == nil {
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read %s: %w", formerManifest(component), err)
	}
	text, err := s.host.ReadFile(ctx, manifestPath(component))
	if err != nil {
		return fmt.Errorf("read %s: %w", manifestPath(component), err)
	}
	return s.writeSecret(ctx, formerManifest(component), text)
}

// forgetManifest removes the manifest that was kept.
func (s *stepRun) forgetManifest(ctx context.Context, component string) error {
	return RemoveForKubeadm(formerManifest(component)).apply(ctx, s)
}

// RestoreManifests puts back manifests of static pods that a change has not been good for.
type RestoreManifests struct{ Components []string }

// Describe implements Action.
func (a RestoreManifests) Describe() string {
	return "put back the former manifests of " + strings.Join(a.Components, ", ")
}

func (RestoreManifests) touches() []touch { return nil }

func (a RestoreManifests) apply(ctx context.Context, s *stepRun) error {
	for _, component := range a.Components {
		text, err := s.host.ReadFile(ctx, formerManifest(component))
		if err != nil {
			return fmt.Errorf("read %s: %w", formerManifest(component), err)
		}
		if err := s.writeSecret(ctx, manifestPath(component), text); err != nil {
			return err
		}
		if err := s.forgetManifest(ctx, component); err != nil {
			return err
		}
	}
	return nil
}

// AwaitKubelet waits until the kubelet of a node was heard of again, and the node is Ready.
type AwaitKubelet struct{ Node string }

// Describe implements Action.
func (a AwaitKubelet) Describe() string {
	return "wait until the kubelet of " + a.Node + " is heard of"
}

func (AwaitKubelet) touches() []touch { return nil }

func (a AwaitKubelet) apply(ctx context.Context, s *stepRun) error {
	client, _, err := s.session.api(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, kubeletPatience)
	defer cancel()
	if err := client.WaitHeartbeat(ctx, a.Node, s.waiting); err != nil {
		return err
	}
	return client.WaitNode(ctx, a.Node, true, s.waiting)
}

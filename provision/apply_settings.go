package provision

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"sigs.k8s.io/yaml"
)

// How long what was changed may take to be well again.
const (
	staticPodPatience = 3 * time.Minute
	kubeletPatience   = 2 * time.Minute
)

func (s *stepRun) runKubeadm(ctx context.Context, a RunKubeadm) error {
	return s.kubeadm(ctx, a.Document, a.Verb...)
}

func (s *stepRun) changeStaticPod(ctx context.Context, a ChangeStaticPod) error {
	if err := s.keepManifest(ctx, a.Component); err != nil {
		return err
	}
	err := s.kubeadm(ctx, a.Document, kubeadmPhase(a.Component)...)
	if err == nil {
		err = s.awaitStaticPod(ctx, a)
	}
	switch {
	case err == nil:
		return s.forgetManifest(ctx, a.Component)
	case ctx.Err() != nil:
		return err // the run was stopped: the next one sees what is kept
	}
	back := RestoreManifests{Components: []string{a.Component}}
	if errBack := s.restoreManifests(ctx, back); errBack != nil {
		return fmt.Errorf("%w; put back the former manifest: %w", err, errBack)
	}
	return fmt.Errorf("%w; the former manifest was put back", err)
}

func (s *stepRun) restoreManifests(ctx context.Context, a RestoreManifests) error {
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

func (s *stepRun) awaitKubelet(ctx context.Context, a AwaitKubelet) error {
	client, _, err := s.connections.API(ctx)
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
	return s.script(ctx, RemoveForKubeadm(formerManifest(component)))
}

// awaitStaticPod waits until a component runs as its manifest says.
func (s *stepRun) awaitStaticPod(ctx context.Context, a ChangeStaticPod) error {
	text, err := s.host.ReadFile(ctx, manifestPath(a.Component))
	if err != nil {
		return fmt.Errorf("read %s: %w", manifestPath(a.Component), err)
	}
	var manifest map[string]any
	if err := yaml.Unmarshal(text, &manifest); err != nil {
		return fmt.Errorf("read %s: %w", manifestPath(a.Component), err)
	}
	client, _, err := s.connections.API(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, staticPodPatience)
	defer cancel()
	return client.WaitStaticPod(ctx, a.Pod(), manifest, s.waiting)
}

package apply

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"fairlead/provision/plan"
	"fairlead/templates"

	"sigs.k8s.io/yaml"
)

// How long what was changed may take to be well again.
const (
	staticPodPatience = 3 * time.Minute
	kubeletPatience   = 2 * time.Minute
)

func (s *stepRun) runKubeadm(ctx context.Context, a plan.RunKubeadm) error {
	return s.kubeadm(ctx, a.Document, a.Verb...)
}

func (s *stepRun) changeStaticPod(ctx context.Context, a plan.ChangeStaticPod) error {
	if err := s.keepManifest(ctx, a.Component); err != nil {
		return err
	}
	err := s.kubeadm(ctx, a.Document, templates.KubeadmPhase(a.Component)...)
	if err == nil {
		err = s.awaitStaticPod(ctx, a)
	}
	switch {
	case err == nil:
		return s.forgetManifest(ctx, a.Component)
	case ctx.Err() != nil:
		return err // the run was stopped: the next one sees what is kept
	}
	back := plan.RestoreManifests{Components: []string{a.Component}}
	if errBack := s.restoreManifests(ctx, back); errBack != nil {
		return fmt.Errorf("%w; put back the former manifest: %w", err, errBack)
	}
	return fmt.Errorf("%w; the former manifest was put back", err)
}

func (s *stepRun) restoreManifests(ctx context.Context, a plan.RestoreManifests) error {
	for _, component := range a.Components {
		text, err := s.host.ReadFile(ctx, templates.FormerManifest(component))
		if err != nil {
			return err
		}
		if err := s.write(ctx, templates.ManifestPath(component), secret, text); err != nil {
			return err
		}
		if err := s.forgetManifest(ctx, component); err != nil {
			return err
		}
	}
	return nil
}

func (s *stepRun) awaitKubelet(ctx context.Context, a plan.AwaitKubelet) error {
	client, _, err := s.connections.API(ctx)
	if err != nil {
		return err
	}
	return s.await(ctx, kubeletPatience, nil, func(ctx context.Context) error {
		if err := client.WaitHeartbeat(ctx, a.Node, s.waiting); err != nil {
			return err
		}
		return client.WaitNode(ctx, a.Node, true, s.waiting)
	})
}

// keepManifest keeps a manifest that is about to change, unless an earlier run has kept it.
func (s *stepRun) keepManifest(ctx context.Context, component string) error {
	_, err := s.host.ReadFile(ctx, templates.FormerManifest(component))
	if err == nil {
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text, err := s.host.ReadFile(ctx, templates.ManifestPath(component))
	if err != nil {
		return err
	}
	return s.write(ctx, templates.FormerManifest(component), secret, text)
}

// forgetManifest removes the manifest that was kept.
func (s *stepRun) forgetManifest(ctx context.Context, component string) error {
	return s.script(ctx, plan.RemoveForKubeadm(templates.FormerManifest(component)))
}

// awaitStaticPod waits until a component runs as its manifest says.
func (s *stepRun) awaitStaticPod(ctx context.Context, a plan.ChangeStaticPod) error {
	text, err := s.host.ReadFile(ctx, templates.ManifestPath(a.Component))
	if err != nil {
		return err
	}
	var manifest map[string]any
	if err := yaml.Unmarshal(text, &manifest); err != nil {
		return fmt.Errorf("read %s: %w", templates.ManifestPath(a.Component), err)
	}
	client, _, err := s.connections.API(ctx)
	if err != nil {
		return err
	}
	return s.await(ctx, staticPodPatience, []string{a.Component}, func(ctx context.Context) error {
		return client.WaitStaticPod(ctx, a.Pod(), manifest, s.waiting)
	})
}

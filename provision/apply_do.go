package provision

import (
	"context"
	"fmt"
)

// do carries out one action. There is one case for each kind of action.
//
//nolint:cyclop // a table that the compiler checks
func (s *stepRun) do(ctx context.Context, action Action) error {
	switch a := action.(type) {
	case ApplyObject:
		return s.applyObject(ctx, a)
	case AwaitObject:
		return s.awaitObject(ctx, a)
	case RecordApplied:
		return s.recordApplied(ctx, a)
	case PruneObjects:
		return s.pruneObjects(ctx, a)
	case MintToken:
		return s.mintToken(ctx, a)
	case RevokeToken:
		return s.revokeToken(ctx, a)
	case DeleteTokens:
		return s.deleteTokens(ctx, a)
	case CopyPKI:
		return s.copyPKI(ctx, a)
	case AwaitAPI:
		return s.awaitAPI(ctx, a)
	case AwaitNode:
		return s.awaitNode(ctx, a)
	case ChangeNode:
		return s.changeNode(ctx, a)
	case InstallLayers:
		return s.installLayers(ctx, a)
	case ImportImages:
		return s.importImages(ctx, a)
	case PutFile:
		return s.putFile(ctx, a)
	case Script:
		return s.script(ctx, a)
	case KubeadmInit:
		return s.kubeadmInit(ctx, a)
	case KubeadmJoin:
		return s.kubeadmJoin(ctx, a)
	case AwaitKubeadm:
		return s.awaitKubeadm(ctx, a)
	case MakeRegistryCertificate:
		return s.makeRegistryCertificate(ctx, a)
	case CopyRegistryCA:
		return s.copyRegistryCA(ctx, a)
	case FillRegistry:
		return s.fillRegistry(ctx, a)
	case DeleteImage:
		return s.deleteImage(ctx, a)
	case RunKubeadm:
		return s.runKubeadm(ctx, a)
	case ChangeStaticPod:
		return s.changeStaticPod(ctx, a)
	case RestoreManifests:
		return s.restoreManifests(ctx, a)
	case AwaitKubelet:
		return s.awaitKubelet(ctx, a)
	case ApproveServing:
		return s.approveServing(ctx, a)
	case DrainNode:
		return s.drainNode(ctx, a)
	case DeleteNode:
		return s.deleteNode(ctx, a)
	default:
		return fmt.Errorf("unknown kind of action %T", action)
	}
}

package apply

import (
	"context"
	"fmt"

	"fairlead/provision/plan"
)

// do carries out one action. There is one case for each kind of action.
//
//nolint:cyclop,funlen // a table that the compiler checks
func (s *stepRun) do(ctx context.Context, action plan.Action) error {
	switch a := action.(type) {
	case plan.ApplyObject:
		return s.applyObject(ctx, a)
	case plan.AwaitObject:
		return s.awaitObject(ctx, a)
	case plan.RecordApplied:
		return s.recordApplied(ctx, a)
	case plan.PruneObjects:
		return s.pruneObjects(ctx, a)
	case plan.MintToken:
		return s.mintToken(ctx, a)
	case plan.RevokeToken:
		return s.revokeToken(ctx, a)
	case plan.DeleteTokens:
		return s.deleteTokens(ctx, a)
	case plan.CopyPKI:
		return s.copyPKI(ctx, a)
	case plan.AwaitAPI:
		return s.awaitAPI(ctx, a)
	case plan.AwaitEndpoint:
		return s.awaitEndpoint(ctx, a)
	case plan.AwaitNode:
		return s.awaitNode(ctx, a)
	case plan.ChangeNode:
		return s.changeNode(ctx, a)
	case plan.InstallLayers:
		return s.installLayers(ctx, a)
	case plan.ImportImages:
		return s.importImages(ctx, a)
	case plan.PutFile:
		return s.putFile(ctx, a)
	case plan.RecordCluster:
		return s.recordCluster(ctx, a)
	case plan.Script:
		return s.script(ctx, a)
	case plan.KubeadmInit:
		return s.kubeadmInit(ctx, a)
	case plan.KubeadmJoin:
		return s.kubeadmJoin(ctx, a)
	case plan.RemoveFormerMember:
		return s.removeFormerMember(ctx, a)
	case plan.ForceNewCluster:
		return s.forceNewCluster(ctx, a)
	case plan.EndForce:
		return s.endForce(ctx, a)
	case plan.AwaitMember:
		return s.awaitMember(ctx, a)
	case plan.AwaitKubeadm:
		return s.awaitKubeadm(ctx, a)
	case plan.MakeRegistryCertificate:
		return s.makeRegistryCertificate(ctx, a)
	case plan.CopyRegistryCA:
		return s.copyRegistryCA(ctx, a)
	case plan.FillRegistry:
		return s.fillRegistry(ctx, a)
	case plan.DeleteImage:
		return s.deleteImage(ctx, a)
	case plan.RunKubeadm:
		return s.runKubeadm(ctx, a)
	case plan.ChangeStaticPod:
		return s.changeStaticPod(ctx, a)
	case plan.RestoreManifests:
		return s.restoreManifests(ctx, a)
	case plan.AwaitKubelet:
		return s.awaitKubelet(ctx, a)
	case plan.ApproveServing:
		return s.approveServing(ctx, a)
	case plan.DrainNode:
		return s.drainNode(ctx, a)
	case plan.DeleteNode:
		return s.deleteNode(ctx, a)
	case plan.ForgetNode:
		return s.forgetNode(ctx, a)
	case plan.AwaitDetached:
		return s.awaitDetached(ctx, a)
	case plan.CheckQuorum:
		return s.checkQuorum(ctx, a)
	case plan.RemoveMember:
		return s.removeMember(ctx, a)
	case plan.MarkRemoved:
		return s.markRemoved(ctx, a)
	case plan.ForgetRemoved:
		return s.forgetRemoved(ctx, a)
	default:
		return fmt.Errorf("unknown kind of action %T", action)
	}
}

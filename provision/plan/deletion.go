package plan

import (
	"fairlead/inventory"
	"fairlead/templates"
)

// MakeImageDeletion says how to take an image out of fairlead's own registry on a host. What the
// registry does not hold any more may have left garbage all the same.
func MakeImageDeletion(host inventory.Host, reference, repository, tag string) Plan {
	step := hostStep(host, StageSupply, stepFill, "delete "+reference)
	step.because("it is not wanted any more")
	step.do(DeleteImage{Repository: repository, Tag: tag},
		Script{Title: "collect the registry's garbage", Name: templates.ScriptCollectGarbage})
	return Plan{Steps: []Step{step}}
}

package plan

import "fairlead/templates"

// RecordCluster writes down, beside the host's ledger, for which cluster fairlead makes it a member, and with which CA, if it
// has one by then.
type RecordCluster struct{ Name string }

// Describe implements Action.
func (a RecordCluster) Describe() string {
	return "note in " + templates.ClusterRecord + " that the host is of cluster " + a.Name
}

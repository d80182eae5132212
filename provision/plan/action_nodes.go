package plan

// DrainNode cordons a node and evicts its pods.
type DrainNode struct{ Name string }

// Describe implements Action.
func (a DrainNode) Describe() string { return "drain node " + a.Name }

// DeleteNode deletes a node that was drained.
type DeleteNode struct{ Name string }

// Describe implements Action.
func (a DeleteNode) Describe() string { return "delete node " + a.Name }

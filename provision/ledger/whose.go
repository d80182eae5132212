package ledger

import "strings"

// Whose is the record beside a host's ledger of the cluster that fairlead has made the host a member of. Unlike the ledger it
// tells of the present. It goes with the ledger, and a fairlead that does not know it takes it away all the same.
type Whose struct {
	// Cluster is the name that the inventory gives the cluster.
	Cluster string
	// CA is the hash of the CA that the host had when the record was written; empty where it had none yet.
	CA string
}

// The lines around a record: one that lacks either was cut, or is of a form that this fairlead does not know.
const (
	whoseForm = "fairlead-cluster 1"
	whoseEnd  = "end"
)

// Text is the record as it stands on the host.
func (w Whose) Text() []byte {
	lines := []string{whoseForm, "name " + Encode(w.Cluster)}
	if w.CA != "" {
		lines = append(lines, "ca "+Encode(w.CA))
	}
	return []byte(strings.Join(append(lines, whoseEnd), "\n") + "\n")
}

// ReadWhose reads a record. One that is not whole proves nothing, and counts as none.
func ReadWhose(text []byte) (Whose, bool) {
	body, whole := strings.CutSuffix(string(text), "\n"+whoseEnd+"\n")
	body, ours := strings.CutPrefix(body, whoseForm+"\n")
	var w Whose
	for line := range strings.SplitSeq(body, "\n") {
		word, value, _ := strings.Cut(line, " ")
		value, err := Decode(value)
		switch {
		case err != nil:
			return Whose{}, false
		case word == "name":
			w.Cluster = value
		case word == "ca":
			w.CA = value
		default:
			return Whose{}, false
		}
	}
	if !whole || !ours || w.Cluster == "" {
		return Whose{}, false
	}
	return w, true
}

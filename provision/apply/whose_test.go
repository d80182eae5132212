package apply_test

import (
	"strings"
	"testing"

	"fairlead/pki"
	"fairlead/provision/ledger"
	sample "fairlead/provision/model/world"
	"fairlead/provision/plan"
	"fairlead/templates"
)

// TestRecordCluster writes down whose a host is, before it has a CA and after that; a CA that cannot be read is none only if it
// is not there.
func TestRecordCluster(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		record := func(want ledger.Whose) {
			t.Helper()
			w.well(w.do(plan.RecordCluster{Name: "lab"}))
			if is := w.cp1.file(templates.ClusterRecord); is != "644 "+string(want.Text()) {
				t.Errorf("the record is %q, want %q", is, want.Text())
			}
		}
		record(ledger.Whose{Cluster: "lab"})
		hash, err := pki.CAHash([]byte(sample.CA))
		if err != nil {
			t.Fatal(err)
		}
		w.cp1.put(templates.CACertificate, "644", sample.CA)
		record(ledger.Whose{Cluster: "lab", CA: hash})
		w.cp1.fails("read "+templates.CACertificate, "Input/output error")
		if said := w.do(plan.RecordCluster{Name: "lab"}); !strings.HasPrefix(said, "read the host's CA: ") || !strings.Contains(said, "Input/output error") {
			t.Errorf("said %q", said)
		}
		if is := w.cp1.file(templates.ClusterRecord); !strings.Contains(is, hash) {
			t.Errorf("the record is %q", is)
		}
	})
}

package ledger

import (
	"strings"
	"testing"
)

func TestWhose(t *testing.T) {
	for want, text := range map[Whose]string{
		{Cluster: "lab"}:                       "fairlead-cluster 1\nname lab\nend\n",
		{Cluster: "lab", CA: "sha256:beef"}:    "fairlead-cluster 1\nname lab\nca sha256:beef\nend\n",
		{Cluster: "a b\n*", CA: "sha256:beef"}: "fairlead-cluster 1\nname a\\040b\\012\\052\nca sha256:beef\nend\n",
	} {
		if is := string(want.Text()); is != text {
			t.Errorf("%v is written as %q, want %q", want, is, text)
		}
		if is, ok := ReadWhose([]byte(text)); !ok || is != want {
			t.Errorf("%q is read as %v, %v", text, is, ok)
		}
		for n := range text { // wherever it is cut
			if is, ok := ReadWhose([]byte(text[:n])); ok {
				t.Errorf("%q is read as %v", text[:n], is)
			}
		}
	}
	for _, text := range []string{
		"", "fairlead-cluster 2\nname lab\nend\n", "fairlead-cluster 1\nend\n", "fairlead-cluster 1\nname \nend\n", "fairlead-cluster 1\nname a\\9\nend\n",
		"fairlead-cluster 1\nname lab\nmoon full\nend\n", strings.Repeat("\x00", 40),
	} {
		if is, ok := ReadWhose([]byte(text)); ok {
			t.Errorf("%q is read as %v", text, is)
		}
	}
}

package main

import (
	"strings"
	"testing"

	"fairlead/inventory/convert"
)

// TestAddressAll looks up names that a file has, and asks for all addresses that cannot be known at once.
func TestAddressAll(t *testing.T) {
	read := func(text string) *convert.Draft {
		draft, err := convert.Read("hosts.ini", []byte(text), convert.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return draft
	}
	draft := read("[masters]\nnode1.lab.example\n[workers]\na ansible_host=w1\nb ansible_host=192.0.2.9\n")
	if err := addressAll(t.Context(), draft, testDirectory()); err != nil {
		t.Fatal(err)
	}
	text, err := draft.Write()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"- {name: node1.lab.example, address: 192.0.2.31, ssh: {address: node1.lab.example}}", "- {name: a, address: 192.0.2.34, ssh: {address: w1}}", "- {name: b, address: 192.0.2.9}",
		"#   line 4: a: its address was looked up: w1\n",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	err = addressAll(t.Context(), read("[masters]\nlocalhost ansible_connection=local\n[workers]\na ansible_host=127.0.0.1\nb ansible_host=many.example\nc ansible_host=here\n"), testDirectory())
	for _, want := range []string{
		"host localhost: the file has no address that other hosts reach it by; say it with --address localhost=IP",
		"host a: 127.0.0.1 leads there from here, and is not the address that other hosts reach it by; say it with --address a=IP",
		"host b: has 2 addresses", "host c: here: 127.0.1.1 is not an address that other hosts can reach it by",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestFromReaders: a word with a colon is a reader's, all else is a file.
func TestFromReaders(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "file", "[masters]\na ansible_host=192.0.2.1\n", 0o600)
	write(t, "other:x", "[masters]\nb ansible_host=192.0.2.2\n", 0o600)
	p := &program{}
	for from, want := range map[string]string{"file": "a", "file:file": "a", "other:x": "b", "file:other:x": "b", "./other:x": "b"} {
		draft, err := p.draftFrom(t.Context(), from, fromOptions{})
		if err != nil || draft.Hosts[0].Name != want {
			t.Errorf("%s: %v, %v", from, draft, err)
		}
	}
	if _, err := p.draftFrom(t.Context(), "file:none", fromOptions{}); err == nil {
		t.Error("a file that is not there was read")
	}
}

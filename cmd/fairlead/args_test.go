package main

import (
	"slices"
	"strings"
	"testing"
)

func TestArrange(t *testing.T) {
	p := &program{env: func(string) string { return "" }}
	tests := []struct{ line, want string }{
		{"", ""},
		{"--help", "--help"},
		{"-f x", "-f x"},
		{"-f x up", "up -f x"},
		{"up -f x", "up -f x"},
		{"--file=x up", "up --file=x"},
		{"join w3 --address 192.0.2.3 --control-plane", "join --address 192.0.2.3 --control-plane -- w3"},
		{"reset w1 --yes w2 -f x", "reset --yes -f x -- w1 w2"},
		{"--yes reset -- -w1", "reset --yes -- -w1"},
		{"--unknown up w1", "up --unknown -- w1"},
		{"up --file", "up --file"},
		{"up -", "up -- -"},
		{"help up", "help -- up"},
		{"kubectl get pods -o json -f x", "kubectl -- get pods -o json -f x"},
		{"-f x --verbose kubectl -f y --verbose", "kubectl -f x --verbose -- -f y --verbose"},
		{"--file=x kubectl", "kubectl --file=x --"},
		{"-f kubectl up", "up -f kubectl"},
		{"kubectl --help", "kubectl --help"},
		{"kubectl -- --help", "kubectl -- -- --help"},
		{"kubectl get --help", "kubectl -- get --help"},
		{"join kubectl", "join -- kubectl"},
	}
	for _, test := range tests {
		args := append([]string{"fairlead"}, strings.Fields(test.line)...)
		want := append([]string{"fairlead"}, strings.Fields(test.want)...)
		if got := arrange(p.app(), args); !slices.Equal(got, want) {
			t.Errorf("%q became %q, want %q", args, got, want)
		}
	}
}

package main

// foreignCommands are what other tools call things that fairlead does, and what it calls them.
func foreignCommands() map[string]string {
	all := map[string]string{}
	for ours, theirs := range map[string][]string{
		"init":   {"new", "generate", "gen", "template", "scaffold", "config", "configure"},
		"import": {"convert", "migrate", "adopt"},
		"check": {
			"status", "info", "health", "doctor", "diagnose", "preflight", "validate", "verify", "lint", "test", "ping", "probe", "get",
			"list", "ls", "show", "describe", "inspect",
		},
		"plan": {"diff", "dry-run", "dryrun", "preview", "simulate"},
		"up": {
			"apply", "create", "deploy", "install", "provision", "bootstrap", "build", "launch", "start", "run", "sync", "converge", "reconcile",
			"update", "repair", "fix", "setup", "cluster",
		},
		"join":       {"add", "add-node", "scale", "node", "nodes", "attach", "expand"},
		"remove":     {"rm", "delete-node", "remove-node", "del-node", "leave", "detach", "evict", "drain", "decommission", "forget", "scale-down"},
		"reset":      {"destroy", "delete", "del", "down", "teardown", "uninstall", "undo", "purge", "clean", "cleanup", "nuke", "wipe"},
		"kubeconfig": {"credentials", "creds", "get-credentials", "get-kubeconfig", "login"},
		"trust":      {"keyscan", "ssh-keyscan", "hostkeys", "host-keys", "known-hosts", "known_hosts", "fingerprints", "scan"},
		"images":     {"image", "mirror", "pull", "registry"},
		"addons":     {"addon", "manifests", "render"},
		"--help":     {"help", "man", "usage"},
		"completion": {"bash", "zsh", "fish", "autocomplete"},
	} {
		for _, word := range theirs {
			all[word] = ours
		}
	}
	return all
}

// foreignSubcommands are such words after images and addons.
func foreignSubcommands() map[string]map[string]string {
	return map[string]map[string]string{
		"images": {
			"ls": "list", "show": "list", "copy": "mirror", "cp": "mirror", "sync": "mirror", "push": "mirror", "pull": "mirror", "rm": "delete",
			"remove": "delete", "del": "delete", "check": "verify", "replace": "rewrite", "relocate": "rewrite",
		},
		"addons": {"show": "render", "template": "render", "list": "render", "ls": "render", "diff": "render"},
	}
}

// foreignFlag is a flag of other tools.
type foreignFlag struct {
	names  []string
	valued bool // a value follows it
	meant  string
}

// foreignFlags come in the order in which they are looked for. What is meant is a flag or a command, or a sentence.
func foreignFlags() []foreignFlag {
	const inFile = " of the cluster file says that; see fairlead init"
	return []foreignFlag{
		{names: []string{"config", "c", "inventory", "i", "filename", "cluster-file", "cluster-config", "vars"}, valued: true, meant: "--file"},
		{names: []string{"json"}, meant: "--output json"},
		{names: []string{"format"}, valued: true, meant: "--output"},
		{names: []string{"debug", "v", "vv", "vvv", "trace"}, meant: "--verbose"},
		{names: []string{"log-level", "loglevel"}, valued: true, meant: "--verbose"},
		{names: []string{"no-colour", "nocolor", "no-ansi"}, meant: "--no-color"},
		{names: []string{"parallel", "parallelism", "forks", "j", "jobs", "workers", "p"}, valued: true, meant: "--concurrency"},
		{names: []string{"user", "u", "remote-user", "ssh-user"}, valued: true, meant: "ssh.user" + inFile},
		{names: []string{"key", "ssh-key", "ssh-key-path", "private-key", "identity", "identity-file", "identityFile"}, valued: true, meant: "ssh.identityFile" + inFile},
		{names: []string{"port", "ssh-port"}, valued: true, meant: "ssh.port" + inFile},
		{names: []string{"kubernetes-version", "kube-version", "k8s-version"}, valued: true, meant: "kubernetes.version" + inFile},
		{names: []string{"pod-network-cidr", "pod-cidr", "cluster-cidr"}, valued: true, meant: "kubernetes.podSubnet" + inFile},
		{names: []string{"service-cidr", "service-cluster-ip-range"}, valued: true, meant: "kubernetes.serviceSubnet" + inFile},
		{names: []string{"control-plane-endpoint"}, valued: true, meant: "controlPlane.endpoint" + inFile},
		{names: []string{"ignore-preflight-errors", "skip-preflight"}, valued: true, meant: "ignorePreflight" + inFile},
		{names: []string{"ip", "host"}, valued: true, meant: "--address"},
		{names: []string{"master", "controlplane", "control"}, meant: "--control-plane"},
		{names: []string{"limit", "l", "target", "hosts", "nodes"}, valued: true, meant: "all hosts of the cluster file take part; only reset and trust take names"},
	}
}

// dryRun are flags that let other tools change nothing.
func dryRun(name string) bool {
	switch name {
	case "dry-run", "dryrun", "n", "check", "preview", "simulate", "what-if", "whatif", "noop":
		return true
	}
	return false
}

// insteadOfDryRun is what a command has for that.
func insteadOfDryRun(command string) string {
	switch command {
	case "fairlead", "fairlead up", "fairlead join":
		return "did you mean fairlead plan?"
	case "fairlead reset":
		return "without --yes it names the hosts and asks first"
	case "fairlead trust":
		return "without --yes it shows the keys and asks first"
	}
	return command + " changes no host: leave it out"
}

// asking are flags that let other tools go on without a question.
func asking(name string) bool {
	switch name {
	case "y", "yes", "assume-yes", "auto-approve", "approve", "non-interactive", "noconfirm", "no-confirm", "force", "confirm":
		return true
	}
	return false
}

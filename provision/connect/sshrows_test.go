package connect

// whereCases are about where one gets, and as whom. Outside of blocks, what stands first counts.
func whereCases() []sshCase {
	const rest = "{known}{key}"
	return []sshCase{
		{name: "address", ask: "127.0.0.1:{port}", config: rest, want: accepted},
		{name: "address of all hosts", ask: "127.0.0.1", config: "Host *\nPort {port}\n" + rest, want: accepted},
		{name: "alias", config: "Host web\n{there}" + rest, want: accepted},
		{name: "alias with a user", ask: "{me}@web", config: "Host web\n{there}" + rest, want: accepted},
		{name: "alias of another host", config: "Host web2\n{there}Host *\n" + rest, want: refused, says: "connect to {me}@web:22: host is unreachable"},
		{name: "alias in capitals", ask: "WEB", config: "Host web\n{there}Host *\n" + rest, want: refused, says: "connect to {me}@web:22 (WEB): host is unreachable"},
		{name: "several aliases", config: "Host one web two\n{there}" + rest, want: accepted},
		{name: "star", config: "Host w*b\n{there}" + rest, want: accepted},
		{name: "question mark", config: "Host w?b\n{there}" + rest, want: accepted},
		{name: "not this one", config: "Host * !web\n{there}Host *\n" + rest, want: refused, says: "unreachable"},
		{name: "not another one", config: "Host * !web2\n{there}" + rest, want: accepted},
		{name: "first value counts", config: "Host web\n{there}Host *\nHostName 127.0.0.9\nPort 1\n" + rest, want: accepted},
		{name: "first value counts, and is wrong", config: "Host *\nPort {closed port}\nHost web\n{there}" + rest, want: refused, says: "connect to {me}@127.0.0.1:{closed port} (web): host is unreachable"},
		{name: "name with a token", ask: "0.0.1", config: "HostName 127.%h\nPort {port}\n" + rest, want: accepted},
		{name: "user", config: "Host web\nUser {me}\n{there}" + rest, want: accepted},
		{name: "user of the configuration", config: "Host web\nUser nobody-here\n{there}" + rest, want: refused, says: "connect to nobody-here@127.0.0.1:{port} (web): login refused"},
		{name: "user who is asked for", ask: "{me}@web", config: "Host web\nUser nobody-here\n{there}" + rest, want: accepted},
		{name: "user who is asked for, a wrong one", ask: "nobody-here@web", config: "Host web\nUser {me}\n{there}" + rest, want: refused, says: "login refused"},
		{name: "port that is asked for", ask: "web:{port}", config: "Host web\nHostName 127.0.0.1\nPort 1\n" + rest, want: accepted},
		{name: "port that is asked for, a wrong one", ask: "web:{closed port}", config: "Host web\n{there}" + rest, want: refused, says: "unreachable"},
		{name: "equals signs and quotes", config: "Host=\"web\"\nHostName = \"127.0.0.1\"\n\tport={port}\n" + rest, want: accepted},
		{name: "comments and case", config: "# x\nHOST web # x\n  hostname 127.0.0.1\n\n #Port 1\nPORT {port}\n" + rest, want: accepted},
		{name: "included", config: "Include {dir}/included\nHost web\nHostName 127.0.0.1\n" + rest, want: accepted},
		{name: "included for a host", config: "Host web\nInclude {dir}/inc*\nHostName 127.0.0.1\n" + rest, want: accepted},
		{name: "included for another host", config: "Host web2\nInclude {dir}/included\nHost *\nHostName 127.0.0.1\nPort {closed port}\n" + rest, want: refused, says: "unreachable"},
		{name: "match of a host", config: "Match host web\n{there}" + rest, want: accepted},
		{name: "match of the host that it leads to", config: "Host web\n{there}Match host 127.0.0.1\n" + rest, want: accepted},
		{name: "match of the original host", config: "Host web\n{there}Match originalhost web\n" + rest, want: accepted},
		{name: "match of a user", ask: "{me}@web", config: "Host web\n{there}Match user {me}\n" + rest, want: accepted},
		{name: "match of another user", ask: "{me}@web", config: "Host web\n{there}{known}Match user another\n{key}", want: refused, says: "login refused"},
		{name: "match of the local user", config: "Host web\n{there}Match localuser {me}\n" + rest, want: accepted},
		{name: "match of a command", config: "Match exec \"test %h:%n = web:web\"\n{there}" + rest, want: accepted},
		{name: "match of a command that fails", config: "Host web\n{there}{known}Match exec false\n{key}", want: refused, says: "login refused"},
		{name: "match at the end", config: "Host web\n{there}{known}Match final host 127.0.0.1\n{key}", want: accepted},
		{name: "canonical name", config: "CanonicalizeHostname yes\nHost web\n{there}{known}Match canonical host 127.0.0.1\n{key}", want: accepted},
		{name: "family", config: "Host web\nAddressFamily inet\n{there}" + rest, want: accepted},
		{name: "another family", config: "Host web\nAddressFamily inet6\n{there}" + rest, want: refused, says: "unreachable"},
		{name: "name in the DNS", ask: "localhost:{port}", config: "AddressFamily inet\nUserKnownHostsFile {dir}/named\n{key}", want: accepted},
		{name: "own address", config: "Host web\nBindAddress 127.0.0.1\n{there}" + rest, want: accepted},
		{name: "unknown option", config: "Host web\nNonsense yes\n{there}" + rest, want: refused, says: "Bad configuration option: nonsense: see for yourself with: ssh -G web"},
		{name: "unknown option that is to be ignored", config: "IgnoreUnknown Nonsense\nNonsense yes\nHost web\n{there}" + rest, want: accepted},
		{name: "bad port", config: "Host web\nPort 65536\n", want: refused, says: "Bad port '65536'"},
		{name: "option for a terminal", config: "Host web\nRequestTTY yes\nForwardAgent yes\nLogLevel QUIET\n{there}" + rest, want: accepted},
	}
}

// identityCases are about keys, certificates and agents.
func identityCases() []sshCase {
	const there = "{there}{known}"
	return []sshCase{
		{name: "no key", config: "IdentityFile none\n" + there, want: refused, says: "no key to log in as {me}@127.0.0.1:{port} (web): no agent"},
		{name: "missing key", config: "IdentityFile {dir}/missing\n" + there, want: refused, says: "identity file {dir}/missing does not exist"},
		{name: "wrong key", config: "IdentityFile {dir}/wrong\n" + there, want: refused, says: "login refused: tried ssh-ed25519"},
		{name: "wrong key first", config: "IdentityFile {dir}/wrong\n{key}" + there, want: accepted},
		{name: "missing key first", config: "IdentityFile {dir}/missing\n{key}" + there, want: accepted},
		{name: "keys of two blocks", config: "Host web\nIdentityFile {dir}/wrong\n" + there + "Host *\n{key}", want: accepted},
		{name: "key with a blank", config: "IdentityFile \"{dir}/with blank/key\"\n" + there, want: accepted},
		{name: "key with the name", config: "IdentityFile {dir}/%n.key\n" + there, want: accepted},
		{name: "key with user and host", config: "IdentityFile {dir}/%r@%h\n" + there, want: accepted},
		{name: "key with a percent sign", config: "IdentityFile {dir}/50%%\n" + there, want: accepted},
		{name: "key with every token", config: "IdentityFile {dir}/%d-%i-%k-%L-%l-%p-%u\n{key}" + there, want: accepted},
		{name: "key with an unknown token", config: "IdentityFile {dir}/%x\n{key}" + there, want: refused, says: "IdentityFile \"{dir}/%x\" has %x"},
		{name: "key with a variable", config: "IdentityFile ${FL_DIR}/key\n" + there, want: accepted},
		{name: "key with a variable that is not set", config: "IdentityFile ${FL_NONE}/key\n" + there, want: refused, says: "has ${FL_NONE}, which is not set in the environment"},
		{name: "key below home", config: "IdentityFile ~/.fairlead-test-none\nIdentityFile ~{me}/.fairlead-test-none\n{key}" + there, want: accepted},
		{name: "encrypted key", config: "IdentityFile {dir}/encrypted\n" + there, want: refused, says: "identity file {dir}/encrypted is encrypted"},
		{name: "encrypted key, agent", config: "IdentityFile {dir}/encrypted\nIdentitiesOnly yes\nIdentityAgent {agent}\n" + there, want: accepted},
		{name: "public key, agent", config: "IdentityFile {dir}/key.pub\nIdentitiesOnly yes\nIdentityAgent {agent}\n" + there, want: accepted},
		{name: "agent", config: "IdentityAgent {agent}\nIdentityFile none\n" + there, want: accepted},
		{name: "agent, default keys", config: "IdentityAgent {agent}\n" + there, want: accepted},
		{name: "agent, wrong key", config: "IdentityAgent {agent}\nIdentityFile {dir}/wrong\n" + there, want: accepted},
		{name: "agent, only the wrong key", config: "IdentityAgent {agent}\nIdentityFile {dir}/wrong\nIdentitiesOnly yes\n" + there, want: refused, says: "login refused: tried"},
		{name: "agent of a variable", config: "IdentityAgent $FL_AGENT\nIdentityFile none\n" + there, want: accepted},
		{name: "agent of a variable in braces", config: "IdentityAgent ${FL_AGENT}\nIdentityFile none\n" + there, want: accepted},
		{name: "agent of a variable that is not set", config: "IdentityAgent $FL_NONE\nIdentityFile none\n" + there, want: refused, says: "no agent"},
		{name: "no agent", config: "IdentityAgent none\n{key}" + there, want: accepted},
		{name: "agent that is gone", config: "IdentityAgent {dir}/gone\n{key}" + there, want: accepted},
		{name: "agent of the environment", config: "IdentityAgent SSH_AUTH_SOCK\nIdentityFile none\n" + there, want: refused, says: "no agent ($SSH_AUTH_SOCK is not set)"},
		{name: "bare key", config: "IdentityFile {dir}/bare\n" + there, want: refused, says: "login refused"},
		{name: "certificate", config: "IdentityFile {dir}/bare\nCertificateFile {dir}/certificate\n" + there, want: accepted},
		{name: "certificate with a variable", config: "IdentityFile {dir}/bare\nCertificateFile ${FL_DIR}/certificate\n" + there, want: accepted},
		{name: "certificate beside the key", config: "IdentityFile {dir}/beside\n" + there, want: accepted},
		{name: "certificate beside the key, another one named", config: "IdentityFile {dir}/beside\nCertificateFile {dir}/expired\n" + there, want: refused, says: "{dir}/expired, expired)"},
		{name: "certificate that is missing", config: "IdentityFile {dir}/bare\nCertificateFile {dir}/missing\n" + there, want: refused, says: "certificate {dir}/missing does not exist"},
		{name: "two certificates", config: "IdentityFile {dir}/bare\nCertificateFile {dir}/expired\nCertificateFile {dir}/certificate\n" + there, want: accepted},
		{name: "certificate of the agent's key", config: "IdentityFile none\nCertificateFile {dir}/certificate\nIdentityAgent {agent with certified}\n" + there, want: accepted},
		{name: "keys are not to be used", config: "PubkeyAuthentication no\n{key}" + there, want: refused, says: "PubkeyAuthentication no"},
		{name: "passwords are preferred", config: "PreferredAuthentications password,publickey\n{key}" + there, want: accepted},
		{name: "passwords only", config: "PreferredAuthentications password\n{key}" + there, want: refused, says: "PreferredAuthentications password"},
	}
}

// hostKeyCases are about how the host is known.
func hostKeyCases() []sshCase {
	const there, always = "{there}{key}", "host keys are always verified"
	return []sshCase{
		{name: "unknown", config: "UserKnownHostsFile {dir}/empty\n" + there, want: refused, says: "then run fairlead trust, or add this line to {dir}/empty:\n[127.0.0.1]:{port} ssh-ed25519"},
		{name: "known by another key", config: "UserKnownHostsFile {dir}/another\n" + there, want: refused, says: "but known is ssh-ed25519"},
		{name: "second file", config: "UserKnownHostsFile {dir}/missing {dir}/known\n" + there, want: accepted},
		{name: "file with a blank", config: "UserKnownHostsFile \"{dir}/with blank/known\"\n" + there, want: accepted},
		{name: "file with the alias", config: "UserKnownHostsFile {dir}/%k.known\n" + there, want: accepted},
		{name: "file with a variable", config: "UserKnownHostsFile ${FL_DIR}/known\n" + there, want: accepted},
		{name: "file below home", config: "UserKnownHostsFile ~/.fairlead-test-none {dir}/known\n" + there, want: accepted},
		{name: "file of the machine", config: "UserKnownHostsFile none\nGlobalKnownHostsFile {dir}/known\n" + there, want: accepted},
		{name: "no files", config: "UserKnownHostsFile none\n" + there, want: refused, says: "set ssh.hostKey: \"SHA256:"},
		{name: "file that keeps nothing", config: "UserKnownHostsFile /dev/null\n" + there, want: refused, says: "as UserKnownHostsFile of ssh's configuration, or ssh.knownHosts, keeps none"},
		{name: "whoever it is", config: "StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\n" + there, want: refused, says: "or name a file that keeps them with ssh.knownHosts", stricter: always},
		{name: "whoever it is, with another key", config: "StrictHostKeyChecking no\nUserKnownHostsFile {dir}/another\n" + there, want: refused, says: "but known is", stricter: always},
		{name: "whoever is new", config: "StrictHostKeyChecking accept-new\nUserKnownHostsFile {dir}/written-by-ssh\n" + there, want: refused, says: "no known key", stricter: always},
		{name: "whoever is here", config: "NoHostAuthenticationForLocalhost yes\nUserKnownHostsFile none\n" + there, want: refused, says: "no known key", stricter: always},
		{name: "alias of the key", config: "HostKeyAlias the-web\nUserKnownHostsFile {dir}/named\n" + there, want: accepted},
		{name: "alias of the key in capitals", config: "HostKeyAlias THE-WEB\nUserKnownHostsFile {dir}/named\n" + there, want: accepted},
		{name: "alias that is not known", config: "HostKeyAlias other\n{known}" + there, want: refused, says: "\nother ssh-ed25519 "},
		{name: "name of the alias alone", config: "UserKnownHostsFile {dir}/named\n" + there, want: refused, says: "no known key"},
		{name: "revoked", config: "RevokedHostKeys {dir}/revoked\n{known}" + there, want: refused, says: "which is revoked at"},
		{name: "another one revoked", config: "RevokedHostKeys {dir}/revoked-another\n{known}" + there, want: accepted},
		{name: "revocations are missing", config: "RevokedHostKeys {dir}/missing\n{known}" + there, want: refused, says: "read revoked host keys: open {dir}/missing"},
		{name: "revocations as a list of ssh-keygen", config: "RevokedHostKeys {dir}/krl\n{known}" + there, want: refused, says: "key revocation list of ssh-keygen -k", stricter: "it is a binary format"},
		{name: "known by a command", config: "KnownHostsCommand /bin/cat {dir}/known\nUserKnownHostsFile none\n" + there, want: refused, says: "(fairlead does not follow KnownHostsCommand of ssh's configuration)", stricter: "it is not run"},
	}
}

// commandCases go through a ProxyCommand.
func commandCases() []sshCase {
	const rest = "UserKnownHostsFile {dir}/named\n{key}"
	return []sshCase{
		{name: "command", ask: "web.lab", config: "ProxyCommand {inetd}\n" + rest, want: accepted},
		{name: "command for a name that leads elsewhere", config: "Host web\nHostName web.lab\nProxyCommand {inetd}\n" + rest, want: accepted},
		{name: "command for an IPv6 address", ask: "[2001:db8::1]", config: "ProxyCommand {inetd}\n" + rest, want: accepted},
		{name: "command with every token", config: "Host web\nHostName web.lab\nProxyCommand sh -c 'test %h,%n,%p,%r,%k,%% = web.lab,web,22,{me},web,%% && exec {inetd}'\n" + rest, want: accepted},
		{name: "command with variables", ask: "web.lab", config: "ProxyCommand test -d \"$FL_DIR\" && exec {inetd}\n" + rest, want: refused, says: "through ProxyCommand"},
		{name: "command of a shell", ask: "web.lab", config: "ProxyCommand true; exec {inetd}\n" + rest, want: refused, says: "ProxyCommand"},
		{name: "command that talks", ask: "web.lab", config: "ProxyCommand sh -c 'echo by the way >&2; exec {inetd}'\n" + rest, want: accepted},
		{name: "command that fails", ask: "web.lab", config: "ProxyCommand sh -c 'echo no way there >&2; exit 3'\n" + rest, want: refused, says: "ProxyCommand (exit status 3) says: no way there"},
		{name: "command that ends", ask: "web.lab", config: "ProxyCommand true\n" + rest, want: refused, says: "unreachable: no SSH server answers there: "},
		{name: "command that is missing", ask: "web.lab", config: "ProxyCommand /nonexistent/command\n" + rest, want: refused, says: "/nonexistent/command: not found"},
		{name: "command with an unknown token", ask: "web.lab", config: "ProxyCommand {inetd} %x\n" + rest, want: refused, says: "ProxyCommand \""},
		{name: "no command", config: "Host web\nProxyCommand none\n{there}{known}{key}Host *\nProxyCommand false\n", want: accepted},
		{name: "command with a wrong key", ask: "web.lab", config: "ProxyCommand {inetd}\nUserKnownHostsFile {dir}/another\n{key}", want: refused, says: "no known key"},
		{name: "command that hands over a socket", ask: "web.lab", config: "ProxyUseFdpass yes\nProxyCommand {inetd}\n" + rest, want: refused, says: "ProxyUseFdpass yes"},
	}
}

// jumpCases go through other hosts, each with its own configuration.
func jumpCases() []sshCase {
	const web, gate = "Host web\n{there}{known}{key}", "Host gate\n{gate}"
	return []sshCase{
		{name: "jump host", config: web + "ProxyJump gate\n" + gate, want: accepted},
		{name: "jump host with a user and a port", config: web + "ProxyJump {me}@gate:{gate port}\nHost gate\nHostName 127.0.0.1\nUser nobody-here\nPort 1\n{gate key}", want: accepted},
		{name: "two jump hosts", config: web + "ProxyJump gate,inner\n" + gate + "Host inner\n{gate}", want: accepted},
		{name: "jump host of the jump host", config: web + "ProxyJump gate\n" + gate + "ProxyJump outer\nHost outer\n{gate}", want: accepted},
		{name: "command of the jump host", config: web + "ProxyJump gate\nHost gate\nHostKeyAlias [127.0.0.1]:{gate port}\nProxyCommand {gate inetd}\n{gate key}", want: accepted},
		{name: "command of the second jump host", config: web + "ProxyJump gate,inner\n" + gate + "Host inner\nProxyCommand false %x\n{gate}", want: accepted},
		{name: "jump host with a wrong key", config: web + "ProxyJump gate\nHost gate\nIdentityFile {dir}/wrong\nIdentitiesOnly yes\nHostName 127.0.0.1\nPort {gate port}\nUserKnownHostsFile {dir}/gates\n", want: refused,
			says: "connect to the jump host gate ({me}@127.0.0.1:{gate port}): login refused"},
		{name: "jump host that is not known", config: web + "ProxyJump gate\nHost gate\nUserKnownHostsFile {dir}/empty\n{gate}", want: refused, says: "connect to the jump host gate ({me}@127.0.0.1:{gate port}): host key of gate"},
		{name: "jump host known by a command", config: web + "ProxyJump gate\nHost gate\nKnownHostsCommand /bin/cat {dir}/gates\nUserKnownHostsFile none\n{gate}", want: refused,
			says: "(fairlead does not follow KnownHostsCommand of ssh's configuration)", stricter: "it is not run"},
		{name: "jump host that is not there", config: web + "ProxyJump gate\nHost gate\nHostName 127.0.0.1\nPort {closed port}\n{gate key}", want: refused, says: "connect to the jump host gate ({me}@127.0.0.1:{closed port}): host is unreachable"},
		{name: "given jump host", jump: "gate", config: web + gate, want: accepted},
		{name: "given jump host with a user and a port", jump: "{me}@gate:{gate port}", config: web + "Host gate\nHostName 127.0.0.1\nUser nobody-here\nPort 1\n{gate key}", want: accepted},
		{name: "given jump host, a wrong user", jump: "nobody-here@gate", config: web + "Host gate\nUser {me}\n{gate}", want: refused, says: "connect to the jump host gate (nobody-here@127.0.0.1:{gate port}): login refused"},
		{name: "given jump hosts", jump: "gate,inner", config: web + gate + "Host inner\n{gate}", want: accepted},
		{name: "given jump host and its own", jump: "gate", config: web + gate + "ProxyJump outer\nHost outer\n{gate}", want: accepted},
		{name: "given jump host instead of another", jump: "gate", config: web + "ProxyJump nowhere\n" + gate, want: accepted},
		{name: "given jump host instead of a command", jump: "gate", config: web + "ProxyCommand false %x\n" + gate, want: accepted},
		{name: "no jump host instead of one", jump: "none", config: web + "ProxyJump nowhere\n", want: accepted},
		{name: "no jump host, and a command", jump: "none", ask: "web.lab", config: "ProxyCommand {inetd}\nUserKnownHostsFile {dir}/named\n{key}", want: accepted},
	}
}

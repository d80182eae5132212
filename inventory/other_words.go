package inventory

import (
	"slices"
	"strings"
)

// otherWord is one of our keys for what other tools call otherwise, and what to know of it.
type otherWord struct{ ours, how string }

// otherWords are keys of other tools in lower case, without - and _: KubeOne's, k0sctl's, KubeKey's, RKE's, Ansible's and ssh's.
func otherWords() map[string]otherWord {
	jump := otherWord{"jump", "[USER@]HOST[:PORT], as ssh -J takes it"}
	key := otherWord{"identityFile", "the path of a private key"}
	user := otherWord{"user", "who logs in"}
	keys := otherWord{"identityFile", "fairlead logs in with keys; sudo: {password: prompt} is for sudo's"}
	sudo := otherWord{"sudo", "{password: prompt}, {password: {file: …}} or {password: {env: …}}"}
	node := otherWord{"address", "the one by which other hosts reach it; ssh: {address: …} is the way from here, where that is another"}
	public := otherWord{"ssh", "{address: …} is the way from here; the host's own address is the one by which other hosts reach it"}
	check := otherWord{"knownHosts", "nothing turns the check of host keys off; hostKey of a host pins one"}
	return map[string]otherWord{
		"bastion": jump, "bastionhost": jump, "bastionuser": jump, "bastionport": jump, "jumphost": jump, "jumphosts": jump, "proxyjump": jump, "gateway": jump, "proxy": jump,
		"keypath": key, "key": key, "keyfile": key, "sshkey": key, "sshkeypath": key, "privatekey": key, "privatekeypath": key, "privatekeyfile": key,
		"sshprivatekeyfile": key, "identity": key,
		"username": user, "sshuser": user, "sshusername": user, "login": user, "password": keys, "sshpassword": keys,
		"sudopassword": sudo, "becomepassword": sudo, "become": sudo,
		"ip": node, "internaladdress": node, "privateaddress": node, "internalip": node, "privateip": node,
		"publicaddress": public, "externalip": public, "publicip": public, "ansiblehost": public,
		"stricthostkeychecking": check, "insecureignorehostkey": check, "hostpublickey": check, "sshhostpublickey": check, "fingerprint": check,
	}
}

// inOurWords says which key a key of another tool is here; empty where it is none of the known ones.
func inOurWords(key string, known []string) string {
	word, is := otherWords()[strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(key))]
	switch ofSSH := slices.ContainsFunc(hostSSHFields(), func(f field[SSH]) bool { return f.key == key || is && f.key == word.ours && word.ours != "address" }); {
	case is && slices.Contains(known, word.ours):
		return "unknown key; it is " + word.ours + " here: " + word.how
	case ofSSH && slices.Contains(known, "ssh") && is:
		return "unknown key; it is " + word.ours + " here, below ssh: " + word.how
	case ofSSH && slices.Contains(known, "ssh"):
		return "unknown key; it belongs below ssh"
	}
	return ""
}

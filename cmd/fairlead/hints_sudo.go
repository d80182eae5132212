package main

import (
	"cmp"
	"errors"
	"strings"

	"fairlead/provision/remote"
)

// sudoHints say what lets a user become root, by why he could not. USER stands for the user, NAME for a file of the user's.
func sudoHints() map[remote.SudoReason]string {
	const (
		noPassword = "let USER become root without a password; as root on the host: " +
			"echo 'USER ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/NAME && chmod 0440 /etc/sudoers.d/NAME"
		ownPassword = "correct what ssh.sudo.password names; a host with another password gets an ssh.sudo of its own. " +
			"No password is tried twice, so that no account is locked"
		forDoas = "as root on the host: echo 'permit nopass USER' >>/etc/doas.conf; or install sudo"
	)
	return map[remote.SudoReason]string{
		remote.SudoAsks:    "set ssh.sudo.password (prompt, {file: …} or {env: …}) in the cluster file, or " + noPassword,
		remote.SudoWrong:   ownPassword,
		remote.SudoUntried: ownPassword,
		remote.SudoTerminal: "as root on the host: echo 'Defaults:USER !requiretty' >/etc/sudoers.d/NAME-tty && " +
			"chmod 0440 /etc/sudoers.d/NAME-tty",
		remote.SudoRules:   noPassword,
		remote.SudoMissing: "install sudo on the host, or log in as root (ssh.user)",
		remote.DoasAsks:    forDoas,
		remote.SudoOther:   noPassword,
	}
}

// sudoHint says what lets the user become root.
func sudoHint(t troubled) string {
	refused := &remote.SudoError{Reason: remote.SudoOther}
	errors.As(t.err, &refused)
	user := cmp.Or(refused.User, t.user())
	hint := sudoHints()[refused.Reason]
	if refused.Reason == remote.SudoRules && strings.HasPrefix(refused.Said, "doas: ") {
		hint = sudoHints()[remote.DoasAsks]
	}
	// sudo passes over files whose name has a dot (sudoers(5)).
	return strings.NewReplacer("USER", user, "NAME", strings.ReplaceAll(user, ".", "_")).Replace(hint)
}

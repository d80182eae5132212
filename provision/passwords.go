package provision

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/remote"
)

// account is where a password is the same: the hosts where one user has one from one source.
type account struct {
	user string // empty where ssh's configuration says who logs in
	from inventory.PasswordSource
}

// whose is how the password is called.
func (a account) whose() string {
	if a.user == "" {
		return "the login user"
	}
	return a.user
}

// sudoPasswords reads what sudo is told, by host. Who types it is asked once for each user, before anything else. Hosts of one
// account share theirs, so that one that is wrong is tried on one of them alone.
func sudoPasswords(ctx context.Context, cluster *inventory.Cluster, options Options) (map[string]*remote.Password, error) {
	passwords := map[string]*remote.Password{}
	if options.WithoutRoot {
		return passwords, nil
	}
	hosts := map[account][]string{}
	for _, host := range cluster.Hosts() {
		if of := accountOf(host); of.from.Given() {
			hosts[of] = append(hosts[of], host.Name)
		}
	}
	for _, host := range cluster.Hosts() {
		of := accountOf(host)
		if !of.from.Given() || passwords[host.Name] != nil {
			continue
		}
		text, err := readSudoPassword(ctx, of, hosts[of], options.Sources)
		if err != nil {
			return nil, fmt.Errorf("ssh.sudo.password of %s: %w", host.Name, err)
		}
		password := remote.NewPassword(text)
		for _, name := range hosts[of] {
			passwords[name] = password
		}
	}
	return passwords, nil
}

// accountOf is that of the host's login; root needs no password.
func accountOf(host inventory.Host) account {
	if host.SSH.User == "root" {
		return account{user: host.SSH.User}
	}
	return account{user: host.SSH.User, from: host.SSH.Sudo.Password}
}

// readSudoPassword reads the password of an account.
func readSudoPassword(ctx context.Context, of account, hosts []string, sources desired.Sources) (text string, err error) {
	switch {
	case of.from.File != "":
		text, err = desired.ReadPassword(of.from.File)
	case of.from.Env != "" && sources.Env != nil:
		if text = sources.Env(of.from.Env); text == "" {
			err = fmt.Errorf("the variable %s is not set", of.from.Env)
		}
	case of.from.Prompt && sources.AskPassword != nil:
		where := hosts[0]
		if len(hosts) > 1 {
			where = fmt.Sprintf("%d hosts", len(hosts))
		}
		if text, err = sources.AskPassword(ctx, fmt.Sprintf("Password of %s for sudo on %s: ", of.whose(), where)); err != nil {
			err = fmt.Errorf("ask for the password of %s: %w", of.whose(), err)
		}
	default:
		err = errors.New("nobody can be asked for it here: use {file: …}")
	}
	if err == nil {
		err = tellable(text, of.whose())
	}
	return text, err
}

// tellable says whether sudo can be told a password.
func tellable(text, user string) error {
	if text == "" {
		return fmt.Errorf("the password of %s is empty", user)
	}
	if strings.ContainsFunc(text, unicode.IsControl) { // sudo would take a part of it for the whole
		return fmt.Errorf("the password of %s has a control character in it", user)
	}
	return nil
}

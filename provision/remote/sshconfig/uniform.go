package sshconfig

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"strings"
)

// An inventory may have thousands of addresses, and each question takes a processor some milliseconds, as long as a login
// does. Where no configuration file says anything of some hosts only, one answer is that of all addresses. That is no reading
// of the configuration: any doubt makes it a question for each host.

// anyAddress stands for all addresses in a question (RFC 5737: it is nobody's).
const anyAddress = "192.0.2.1"

// isPlainAddress tells IP addresses that ssh takes as they are written.
func isPlainAddress(name string) bool {
	a, err := netip.ParseAddr(name)
	return err == nil && a.Zone() == "" && !a.Is4In6() && a.String() == name
}

// forAny answers by what is said of any address.
func (r *Resolver) forAny(ctx context.Context, q Question) (Answer, error) {
	any := q
	any.Name = anyAddress
	answer, err := r.answers.get(ctx, any, func(ctx context.Context) (Answer, error) { return r.ask(ctx, any) })
	if err != nil {
		return Answer{}, err
	}
	answer.Name, answer.Hostname = q.Name, q.Name
	return answer, nil
}

// saysTheSame says whether the configuration is the same for all addresses. It has ssh name the files that it reads.
func (r *Resolver) saysTheSame(ctx context.Context) (bool, error) {
	_, said, err := r.run(ctx, append(r.argv(Question{}), "-v", "--", anyAddress)...)
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	if err != nil || !strings.Contains(said, "OpenSSH_") {
		return false, nil //nolint:nilerr // the questions themselves will tell
	}
	for line := range strings.Lines(said) {
		path, reads := strings.CutPrefix(strings.TrimSpace(line), "debug1: Reading configuration data ")
		if !reads {
			continue
		}
		text, err := os.ReadFile(path) //nolint:gosec // ssh reads it, too
		if err != nil && !errors.Is(err, os.ErrNotExist) || err == nil && !saysNothingOfSome(string(text)) {
			return false, nil
		}
	}
	return true, nil
}

// saysNothingOfSome says that a configuration file has nothing that could be for some hosts only: blocks, tokens, and names that
// ssh is to look up.
func saysNothingOfSome(text string) bool {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		end := strings.IndexAny(line, " \t=\"")
		if end < 0 {
			return false
		}
		rest := strings.Trim(line[end:], " \t=")
		switch keyword := strings.ToLower(line[:end]); {
		case strings.Contains(line, "%"), keyword == "match", strings.HasPrefix(keyword, "canonical"), keyword == "host" && rest != "*":
			return false
		}
	}
	return true
}

package sshconfig

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// ParseHop reads one host of a ProxyJump: [user@]host[:port] or ssh://[user@]host[:port], an IPv6 address in brackets.
func ParseHop(text string) (Question, error) {
	rest := strings.TrimSpace(text)
	rest, uri := strings.CutPrefix(rest, "ssh://")
	if uri {
		rest, _ = strings.CutSuffix(rest, "/")
	}
	var q Question
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		q.User, rest = rest[:at], rest[at+1:]
		if q.User == "" {
			return q, fmt.Errorf("jump host %q has no user before the @", text)
		}
	}
	q.Name = rest
	if inner, closed := strings.CutSuffix(rest, "]"); closed && strings.HasPrefix(inner, "[") {
		q.Name = inner[1:]
	} else if strings.Contains(rest, ":") && (strings.Count(rest, ":") == 1 || strings.HasPrefix(rest, "[")) {
		host, digits, err := net.SplitHostPort(rest)
		port, bad := strconv.ParseUint(digits, 10, 16)
		if err != nil || bad != nil || port == 0 {
			return q, fmt.Errorf("jump host %q is not [user@]host[:port]", text)
		}
		q.Name, q.Port = host, int(port)
	}
	if q.Name == "" {
		return q, fmt.Errorf("jump host %q names no host", text)
	}
	return q, nil
}

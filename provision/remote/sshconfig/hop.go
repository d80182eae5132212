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
	var err error
	if q.Name, q.Port, err = cutPort(rest); err != nil || q.Name == "" {
		return q, fmt.Errorf("jump host %q is not [user@]host[:port]", text)
	}
	return q, nil
}

// cutPort cuts the port off host[:port]; 0 where there is none. An IPv6 address without brackets has none.
func cutPort(text string) (host string, port int, err error) {
	if inner, closed := strings.CutSuffix(text, "]"); closed && strings.HasPrefix(inner, "[") {
		return inner[1:], 0, nil
	}
	if strings.Count(text, ":") != 1 && !strings.HasPrefix(text, "[") {
		return text, 0, nil
	}
	host, digits, err := net.SplitHostPort(text)
	if err != nil {
		return "", 0, err
	}
	number, err := strconv.ParseUint(digits, 10, 16)
	if err == nil && number == 0 {
		err = strconv.ErrRange
	}
	return host, int(number), err
}

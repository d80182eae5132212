package packages

import (
	"context"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"fairlead/e2e/lab"
)

const (
	proxyPort   = 8888
	proxyConfig = "/etc/tinyproxy/tinyproxy.conf"
	proxyUnit   = "tinyproxy.service"
)

// Proxy is an HTTP proxy on a lab host: Debian's tinyproxy. All lab hosts may use it.
type Proxy struct {
	lab     *lab.Lab
	name    string
	address netip.Addr
}

// InstallProxy installs a proxy on a lab host from the server's mirror, which the host then uses,
// and starts it.
func InstallProxy(ctx context.Context, l *lab.Lab, host string, server *Server) (*Proxy, error) {
	h, err := l.Host(host)
	if err != nil {
		return nil, err
	}
	if err := server.Distribution(ctx, host); err != nil {
		return nil, err
	}
	const install = `apt-get --quiet update &&
		DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes --no-install-recommends install tinyproxy`
	if _, err := l.Exec(ctx, host, "sh", "-c", install); err != nil {
		return nil, fmt.Errorf("install proxy: %w", err)
	}
	text, err := tinyproxy(h.Address)
	if err != nil {
		return nil, err
	}
	if err := server.put(ctx, host, proxyConfig, []byte(text)); err != nil {
		return nil, fmt.Errorf("configure proxy: %w", err)
	}
	p := &Proxy{lab: l, name: host, address: h.Address}
	return p, p.start(ctx)
}

// tinyproxy is the configuration of a proxy with that address, for the hosts of its lab. Beside
// what goes over HTTP it lets through HTTPS and what a registry's port carries.
func tinyproxy(address netip.Addr) (string, error) {
	network, err := address.Prefix(24) // as every lab's is
	if err != nil {
		return "", fmt.Errorf("configure proxy: %w", err)
	}
	return strings.Join([]string{
		"User tinyproxy",
		"Group tinyproxy",
		"Port " + strconv.Itoa(proxyPort),
		"Timeout 600",
		"Syslog On", // Debian's package has no log file that this user may write
		"LogLevel Connect",
		`PidFile "/run/tinyproxy/tinyproxy.pid"`,
		"MaxClients 100",
		"Allow " + network.String(),
		"ConnectPort 443",
		"ConnectPort 5000",
	}, "\n") + "\n", nil
}

// start runs the proxy with what is configured and returns when it listens.
func (p *Proxy) start(ctx context.Context) error {
	const script = `systemctl restart "$1"
		for i in $(seq 300); do
			ss -Hltn "sport = :$2" | grep -q . && exit 0
			systemctl is-active --quiet "$1" || exit 1
			sleep 0.1
		done
		exit 1`
	if _, err := p.lab.Exec(ctx, p.name, "sh", "-c", script, "sh", proxyUnit, strconv.Itoa(proxyPort)); err != nil {
		return fmt.Errorf("start proxy: %w", err)
	}
	return nil
}

// URL returns the proxy's URL, as it stands in environment variables.
func (p *Proxy) URL() string {
	return "http://" + netip.AddrPortFrom(p.address, proxyPort).String()
}

// Requests are what the proxy was asked for, the oldest first: client address, method and target
// of each request, answered or refused.
func (p *Proxy) Requests(ctx context.Context) ([]string, error) {
	const script = `journalctl --sync && journalctl --quiet --output=cat _SYSTEMD_UNIT="$1"`
	out, err := p.lab.Exec(ctx, p.name, "sh", "-c", script, "sh", proxyUnit)
	if err != nil {
		return nil, fmt.Errorf("read log of proxy: %w", err)
	}
	return asked(out), nil
}

// asked makes a line of the two that tinyproxy logs for a request: who connected, and what for.
// The number of the connection, which is used again and again, tells which belong together.
func asked(log string) []string {
	line := regexp.MustCompile(`^(Connect|Request) \(file descriptor (\d+)\): (.*)$`)
	clients := map[string]string{}
	var requests []string
	for _, text := range lines(log) {
		match := line.FindStringSubmatch(text)
		switch {
		case match == nil:
		case match[1] == "Connect":
			clients[match[2]] = match[3]
		default:
			request, _, _ := strings.Cut(match[3], " HTTP/")
			requests = append(requests, clients[match[2]]+" "+request)
		}
	}
	return requests
}

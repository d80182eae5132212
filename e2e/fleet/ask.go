package fleet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"

	"golang.org/x/crypto/ssh"
)

// Ask asks the first n hosts what fairlead was seen to ask the first of them, atOnce of them at
// once: it connects, verifies the host's key, logs in, runs the command and reads the answer.
// Less than that cannot be done.
func Ask(ctx context.Context, files Files, n, atOnce int) error {
	hosts, keys, err := readKnown(files.known(n))
	if err != nil {
		return err
	}
	signer, err := readSigner(files.identity())
	if err != nil {
		return err
	}
	line, err := os.ReadFile(files.line())
	if err != nil {
		return err
	}
	input, err := os.ReadFile(files.input())
	if err != nil {
		return err
	}
	a := &asker{signer: signer, keys: keys, line: string(line), input: input}
	return a.all(ctx, hosts, "22", atOnce)
}

// asker asks hosts.
type asker struct {
	signer ssh.Signer
	keys   map[string][]byte
	line   string
	input  []byte
}

// all asks all hosts. Connections stay open until the last host has answered, as those of a run
// do that goes on with them.
func (a *asker) all(ctx context.Context, hosts []string, port string, atOnce int) error {
	clients, errs := make([]*ssh.Client, len(hosts)), make([]error, len(hosts))
	free := make(chan struct{}, atOnce)
	var group sync.WaitGroup
	for i, host := range hosts {
		free <- struct{}{}
		group.Go(func() {
			defer func() { <-free }()
			if clients[i], errs[i] = a.connect(ctx, host, port); errs[i] == nil {
				errs[i] = a.ask(clients[i])
			}
			if errs[i] != nil {
				errs[i] = fmt.Errorf("ask %s: %w", host, errs[i])
			}
		})
	}
	group.Wait()
	for _, client := range clients {
		if client != nil {
			client.Close()
		}
	}
	return errors.Join(errs...)
}

func (a *asker) connect(ctx context.Context, host, port string) (*ssh.Client, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, err
	}
	client, channels, requests, err := ssh.NewClientConn(conn, host, &ssh.ClientConfig{
		User:              "root",
		Auth:              []ssh.AuthMethod{ssh.PublicKeys(a.signer)},
		HostKeyAlgorithms: []string{ssh.KeyAlgoED25519},
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			if !bytes.Equal(key.Marshal(), a.keys[host]) {
				return errors.New("the host shows another key")
			}
			return nil
		},
	})
	if err != nil {
		return nil, err // which has closed the connection
	}
	return ssh.NewClient(client, channels, requests), nil
}

func (a *asker) ask(client *ssh.Client) error {
	session, err := client.NewSession()
	if err != nil {
		return err
	}
	defer session.Close()
	session.Stdin = bytes.NewReader(a.input)
	answer, err := session.Output(a.line)
	if err != nil {
		return err
	}
	return whole(answer)
}

// whole fails for an answer that lacks its last line: nobody may take half of one.
func whole(answer []byte) error {
	if !bytes.HasSuffix(answer, []byte("\nend\n")) {
		return fmt.Errorf("the answer ends early, after %d bytes", len(answer))
	}
	return nil
}

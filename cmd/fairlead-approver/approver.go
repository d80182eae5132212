package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"sync/atomic"

	"fairlead/provision/object"
)

// node is a node in the file of nodes.
type node struct {
	Node      string       `json:"node"`
	DNSNames  []string     `json:"dnsNames"`
	Addresses []netip.Addr `json:"addresses"`
}

// approver decides on requests, one at a time.
type approver struct {
	approve func(context.Context, string, object.ServingIdentity) error
	nodes   string // the file, read for each request: it follows the inventory
	log     *slog.Logger
	works   atomic.Bool
	said    map[string]string // request → the last decision that was logged
}

// decide approves a request or says why it does not.
func (a *approver) decide(ctx context.Context, request object.ServingRequest) {
	id, err := a.identity(request.Node)
	if err == nil {
		err = a.approve(ctx, request.Name, id)
	}
	decision := "approved"
	if err != nil {
		decision = "left for a person: " + err.Error()
	}
	if a.said[request.Name] != decision {
		a.said[request.Name] = decision
		a.log.Info(decision, "request", request.Name, "node", request.Node)
	}
}

// read notes whether the API server can be read.
func (a *approver) read(err error) {
	a.works.Store(err == nil)
	if err != nil {
		a.log.Warn("read requests", "error", err.Error())
	}
}

// identity is what the file of nodes allows a node.
func (a *approver) identity(name string) (object.ServingIdentity, error) {
	text, err := os.ReadFile(a.nodes)
	if err != nil {
		return object.ServingIdentity{}, err
	}
	var nodes []node
	if err := json.Unmarshal(text, &nodes); err != nil {
		return object.ServingIdentity{}, fmt.Errorf("read %s: %w", a.nodes, err)
	}
	for _, n := range nodes {
		if n.Node == name {
			return object.ServingIdentity{Node: n.Node, DNSNames: n.DNSNames, Addresses: n.Addresses}, nil
		}
	}
	return object.ServingIdentity{}, fmt.Errorf("node %s is not in %s", name, a.nodes)
}

// Package apply carries out the actions of plans on real hosts and through the API server. Before a
// step touches anything on a host, the host's ledger holds how it was.
package apply

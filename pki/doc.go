// Package pki holds the security material of a cluster as plain values: the hash that
// pins the CA certificate, bootstrap tokens, certificate expiry, and kubeconfigs.
//
// Everything works on bytes in memory. The package never reads or writes a file, never
// talks to a host or an API server, and never puts a key, a token's secret or the content
// of a kubeconfig into an error.
package pki

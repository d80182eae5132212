// Package registry talks to OCI registries: it asks for manifests, lists and deletes them,
// and copies images into a registry, from a bundle or from other registries.
//
// A Client may go through a dial function, so that its requests leave from a host and
// answer what that host would be answered. Certificates are verified, always. Each kind of
// failure is one error to test for with errors.Is; what repeating cannot mend is never tried
// again, and the rest only a few times.
//
// The package knows nothing of SSH, of hosts, or of a cluster. It never prints, keeps no file,
// and puts no credentials into an error.
package registry

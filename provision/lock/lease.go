package lock

import (
	"context"
	"errors"
	"strings"

	"fairlead/provision/kube"
)

// leaseName is the name of the Lease in kube-system.
const leaseName = "fairlead"

// lease is a Store in the cluster.
type lease struct {
	client func(context.Context) (*kube.Client, error)
}

// InCluster keeps the record in a Lease of the cluster.
func InCluster(client func(context.Context) (*kube.Client, error)) Store { return lease{client} }

// String implements fmt.Stringer.
func (lease) String() string { return "Lease kube-system/" + leaseName }

// Read implements Store.
func (s lease) Read(ctx context.Context) (*Record, string, error) {
	client, err := s.client(ctx)
	if err != nil {
		return nil, "", err
	}
	is, err := client.Lease(ctx, leaseName)
	if err != nil || is == nil {
		return nil, "", err
	}
	if is.Holder == "" { // given back, in the way of others
		return nil, is.Version, nil
	}
	holder, run := is.Holder, ""
	if i := strings.LastIndexByte(is.Holder, '/'); i >= 0 {
		holder, run = is.Holder[:i], is.Holder[i+1:]
	}
	return &Record{Holder: holder, Run: run, Since: is.Acquired, Renewed: is.Renewed, Life: is.Duration}, is.Version, nil
}

// Write implements Store.
func (s lease) Write(ctx context.Context, record *Record, version string) (string, error) {
	client, err := s.client(ctx)
	if err != nil {
		return "", err
	}
	if record == nil {
		err = client.DeleteLease(ctx, leaseName, version)
		return "", changed(err)
	}
	version, err = client.PutLease(ctx, leaseName, kube.Lease{
		Holder: record.Holder + "/" + record.Run, Acquired: record.Since, Renewed: record.Renewed, Duration: record.Life, Version: version,
	})
	return version, changed(err)
}

// changed puts kube's word into this package's.
func changed(err error) error {
	if errors.Is(err, kube.ErrLeaseChanged) {
		return ErrChanged
	}
	return err
}

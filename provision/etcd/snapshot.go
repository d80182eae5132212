package etcd

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"time"
)

const (
	// snapshotSilence is how long a member may send nothing of a snapshot before it is given up.
	snapshotSilence = 30 * time.Second
	// pageSize divides the size of every database of etcd (bbolt); its snapshot has the sum of it at the end.
	pageSize = 512
)

// ErrSnapshot says that what was received is no whole snapshot.
var ErrSnapshot = errors.New("the snapshot is damaged or cut off")

// SnapshotInfo is what is known of a snapshot that was taken.
type SnapshotInfo struct {
	Size     int64
	Revision string // up to which it holds everything
	Version  string // of the etcd that it is of; empty where that does not say so
}

// Snapshot writes the database of the asked member to w, with its sum at the end, as etcdctl saves it. It needs no quorum. An
// error says that what was written is not to be used: the stream was cut off, or its sum is not that of its content.
func (c *Client) Snapshot(ctx context.Context, w io.Writer) (SnapshotInfo, error) {
	info, err := c.snapshot(ctx, w)
	if err != nil {
		return info, fmt.Errorf("take a snapshot of etcd: %w", err)
	}
	return info, nil
}

func (c *Client) snapshot(ctx context.Context, w io.Writer) (info SnapshotInfo, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silent := time.AfterFunc(snapshotSilence, func() { cancel(fmt.Errorf("the member has sent nothing for %v", snapshotSilence)) })
	defer silent.Stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint+"/v3/maintenance/snapshot", bytes.NewReader([]byte("{}")))
	if err != nil {
		return info, fmt.Errorf("make request: %w", err)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return info, fmt.Errorf("ask etcd: %w", causeOf(ctx, err))
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(response.Body, maxBody))
		return info, understand(response.StatusCode, said, nil)
	}
	verifier := NewVerifier(w)
	chunks := json.NewDecoder(response.Body)
	for {
		chunk, err := nextChunk(chunks)
		if errors.Is(err, io.EOF) {
			info.Size = verifier.size
			return info, verifier.Close()
		}
		if err != nil {
			return info, causeOf(ctx, err)
		}
		silent.Reset(snapshotSilence)
		info.Revision, info.Version = orFirst(info.Revision, chunk.Header.Revision), orFirst(info.Version, chunk.Version)
		if _, err := verifier.Write(chunk.Blob); err != nil {
			return info, err
		}
	}
}

// chunk is one part of the stream of a snapshot.
type chunk struct {
	Header  struct{ Revision string }
	Blob    []byte
	Version string
}

// nextChunk reads one part; io.EOF is the end of a stream that was not cut off.
func nextChunk(from *json.Decoder) (chunk, error) {
	var next struct {
		Result chunk
		Error  *struct{ Message string }
	}
	err := from.Decode(&next)
	switch {
	case errors.Is(err, io.EOF):
		return chunk{}, io.EOF
	case err != nil:
		return chunk{}, fmt.Errorf("%w: %w", ErrSnapshot, err)
	case next.Error != nil:
		return chunk{}, fmt.Errorf("etcd ends the snapshot: %s", next.Error.Message)
	}
	return next.Result, nil
}

func orFirst(is, next string) string {
	if is == "" {
		return next
	}
	return is
}

// causeOf is why a context ended, if that is what an error comes from.
func causeOf(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// Verifier passes a snapshot on and says at its end whether it is whole: the last 32 bytes are the SHA-256 of all before them,
// which is a number of whole pages. What etcdctl's snapshot status says is no proof: it does not look at that sum.
type Verifier struct {
	to   io.Writer
	sum  hash.Hash
	tail []byte // the last bytes, which may be the sum
	size int64
}

// NewVerifier passes what is written to it on to w.
func NewVerifier(w io.Writer) *Verifier { return &Verifier{to: w, sum: sha256.New()} }

// Write implements io.Writer.
func (v *Verifier) Write(p []byte) (int, error) {
	n, err := v.to.Write(p)
	v.size += int64(n)
	v.tail = append(v.tail, p[:n]...)
	if over := len(v.tail) - sha256.Size; over > 0 {
		v.sum.Write(v.tail[:over])
		v.tail = append(v.tail[:0], v.tail[over:]...)
	}
	if err != nil {
		return n, fmt.Errorf("write the snapshot: %w", err)
	}
	return n, nil
}

// Close says whether all that was written is one whole snapshot. It does not close what that was passed on to.
func (v *Verifier) Close() error {
	switch {
	case v.size%pageSize != sha256.Size || v.size < pageSize:
		return fmt.Errorf("%w: it has %d bytes, which is no number of pages of %d and a sum", ErrSnapshot, v.size, pageSize)
	case !bytes.Equal(v.sum.Sum(nil), v.tail):
		return fmt.Errorf("%w: its content has another sum than it says at its end", ErrSnapshot)
	}
	return nil
}

package etcd

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// database is a snapshot of some pages, with its sum.
func database(pages int) []byte {
	content := bytes.Repeat([]byte("0123456789abcdef"), pages*pageSize/16)
	sum := sha256.Sum256(content)
	return append(content, sum[:]...)
}

func TestVerifier(t *testing.T) {
	whole := database(3)
	flipped := slices.Clone(whole)
	flipped[700] ^= 1
	other := slices.Clone(whole)
	other[len(other)-1] ^= 1
	for name, c := range map[string]struct {
		content []byte
		well    bool
	}{
		"whole": {whole, true}, "one page": {database(1), true}, "a flipped bit": {flipped, false}, "another sum": {other, false},
		"cut off": {whole[:len(whole)-1], false}, "a page too few": {whole[pageSize:], false}, "without its sum": {whole[:3*pageSize], false},
		"nothing": {nil, false}, "a sum of nothing": {database(0), false},
	} {
		for _, size := range []int{1, 31, 32, 33, 500, 5000} {
			var got bytes.Buffer
			v := NewVerifier(&got)
			for part := range slices.Chunk(c.content, size) {
				if _, err := v.Write(part); err != nil {
					t.Fatal(err)
				}
			}
			if err := v.Close(); (err == nil) != c.well || err != nil && !errors.Is(err, ErrSnapshot) {
				t.Errorf("%s, in parts of %d: %v", name, size, err)
			}
			if !bytes.Equal(got.Bytes(), c.content) {
				t.Errorf("%s, in parts of %d: %d bytes were passed on", name, size, got.Len())
			}
		}
	}
}

// stream is a gateway that sends the snapshot in parts of 100 bytes and ends as it is told.
func stream(content []byte, end func(http.ResponseWriter)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v3/maintenance/snapshot" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		for part := range slices.Chunk(content, 100) {
			text, _ := json.Marshal(map[string]any{"result": map[string]any{
				"header": map[string]string{"revision": "77"}, "blob": part, "version": "3.7.3",
			}})
			_, _ = fmt.Fprintln(w, string(text))
		}
		end(w)
	})
}

func TestSnapshot(t *testing.T) {
	whole := database(5)
	flipped := slices.Clone(whole)
	flipped[1000] ^= 4
	for name, c := range map[string]struct {
		content []byte
		end     func(http.ResponseWriter)
		fails   string
	}{
		"whole":     {whole, func(http.ResponseWriter) {}, ""},
		"flipped":   {flipped, func(http.ResponseWriter) {}, "take a snapshot of etcd: the snapshot is damaged or cut off: its content has another sum than it says at its end"},
		"too short": {whole[:900], func(http.ResponseWriter) {}, "take a snapshot of etcd: the snapshot is damaged or cut off: it has 900 bytes, which is no number of pages of 512 and a sum"},
		"cut off": {whole, func(w http.ResponseWriter) {
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, "take a snapshot of etcd: the snapshot is damaged or cut off: "},
		"ended by etcd": {whole[:1024], func(w http.ResponseWriter) {
			_, _ = fmt.Fprintln(w, `{"error":{"code":14,"message":"etcdserver: server stopped"}}`)
		}, "take a snapshot of etcd: etcd ends the snapshot: etcdserver: server stopped"},
	} {
		var got bytes.Buffer
		client := clientOf(t, stream(c.content, c.end), func(string) bool { return true })
		info, err := client.Snapshot(t.Context(), &got)
		if said := errorText(err); !strings.HasPrefix(said, c.fails) || (said == "") != (c.fails == "") {
			t.Errorf("%s: %s", name, said)
		}
		if c.fails == "" && (!bytes.Equal(got.Bytes(), whole) || info != SnapshotInfo{Size: int64(len(whole)), Revision: "77", Version: "3.7.3"}) {
			t.Errorf("%s: %+v, %d bytes", name, info, got.Len())
		}
	}
	client := clientOf(t, stream(whole, func(http.ResponseWriter) {}), func(string) bool { return true })
	if _, err := client.Snapshot(t.Context(), full{}); errorText(err) != "take a snapshot of etcd: write the snapshot: no space left" {
		t.Error(err)
	}
	client.endpoint += "/other"
	if _, err := client.Snapshot(t.Context(), &bytes.Buffer{}); errorText(err) != "take a snapshot of etcd: etcd answers 404: " {
		t.Error(err)
	}
}

// full is a disk on which nothing can be written.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

package manifests

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

const (
	// fetchTime bounds one download.
	fetchTime = 2 * time.Minute
	// maxRedirects is how many redirects a download may follow.
	maxRedirects = 5
)

// Errors of a download.
var (
	ErrHash     = errors.New("the content is not the one that the inventory names")
	ErrDownload = errors.New("the download failed")
)

// fetch returns what lies at an address if it has the hash, from the cache if that has it.
func (s Source) fetch(ctx context.Context, address, hash string) ([]byte, error) {
	cached := ""
	if s.CacheDir != "" {
		cached = filepath.Join(s.CacheDir, hash)
		if content, err := readFile(cached); err == nil && sum(content) == hash {
			return content, nil
		}
	}
	if s.Client == nil {
		return nil, fmt.Errorf("%s: %w: nothing can be fetched here", redacted(address), ErrDownload)
	}
	content, err := s.download(ctx, address)
	if err != nil {
		return nil, err
	}
	if is := sum(content); is != hash {
		return nil, fmt.Errorf("%s: %w: its sha256 is %s, want %s; nothing was applied", redacted(address), ErrHash, is, hash)
	}
	if cached != "" {
		if err := keep(cached, content); err != nil {
			return nil, fmt.Errorf("keep the manifest: %w", err)
		}
	}
	return content, nil
}

func (s Source) download(ctx context.Context, address string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	failed := func(err error) ([]byte, error) {
		var inner *url.Error // it repeats the address, with what must not be shown
		if errors.As(err, &inner) {
			err = inner.Err
		}
		return nil, fmt.Errorf("%s: %w: %w", redacted(address), ErrDownload, err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return failed(err)
	}
	if request.URL.Scheme != "https" {
		return failed(errors.New("only https is fetched"))
	}
	client := *s.Client
	client.CheckRedirect = func(request *http.Request, via []*http.Request) error {
		switch {
		case request.URL.Scheme != "https":
			return errors.New("it leads away from https")
		case len(via) > maxRedirects:
			return fmt.Errorf("it leads on more than %d times", maxRedirects)
		}
		return nil
	}
	answer, err := client.Do(request)
	if err != nil {
		return failed(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return failed(errors.New(answer.Status))
	}
	content, err := readBounded(answer.Body)
	if err != nil {
		return failed(err)
	}
	return content, nil
}

// keep writes a file in one move: another run may read it.
func keep(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".new-")
	if err != nil {
		return err
	}
	_, err = temp.Write(content)
	if err = errors.Join(err, temp.Close()); err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return nil
}

func sum(content []byte) string {
	s := sha256.Sum256(content)
	return hex.EncodeToString(s[:])
}

// redacted is an address without its password and its query, which may hold a token.
func redacted(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "(unreadable URL)"
	}
	if u.RawQuery != "" {
		u.RawQuery = "xxxxx" // as Redacted writes a password
	}
	return u.Redacted()
}

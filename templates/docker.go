package templates

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// DockerConfigPath is where Docker Engine reads its configuration.
const DockerConfigPath = "/etc/docker/daemon.json"

// DockerConfig merges registries into Docker Engine's daemon.json, which is empty when there is
// none yet. Keys of others keep their values. A nil list leaves its key as it is.
// The error for text that is no JSON object names its line and column.
func DockerConfig(before []byte, insecureRegistries, mirrors []string) ([]byte, error) {
	keys := map[string]json.RawMessage{}
	if len(bytes.TrimSpace(before)) > 0 {
		if err := decodeKeys(before, &keys); err != nil {
			return nil, err
		}
	}
	changed := false
	for key, list := range map[string][]string{"insecure-registries": insecureRegistries, "registry-mirrors": mirrors} {
		if list == nil {
			continue
		}
		text, err := json.Marshal(list)
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", key, err)
		}
		if equalJSON(keys[key], text) {
			continue
		}
		keys[key], changed = text, true
	}
	if !changed {
		return before, nil
	}
	after, err := json.MarshalIndent(keys, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", DockerConfigPath, err)
	}
	return append(after, '\n'), nil
}

// decodeKeys reads exactly one JSON object.
func decodeKeys(text []byte, into *map[string]json.RawMessage) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	err := decoder.Decode(into)
	offset := decoder.InputOffset()
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil && *into == nil:
		return errors.New("1:1: it holds null instead of an object")
	case err == nil:
		if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
			return fmt.Errorf("%s: there is more after the object", place(text, decoder.InputOffset()))
		}
		return nil
	case errors.As(err, &syntax):
		return fmt.Errorf("%s: %w", place(text, syntax.Offset-1), err)
	case errors.As(err, &kind):
		return fmt.Errorf("%s: it holds a %s instead of an object", place(text, 0), kind.Value)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s: it ends early", place(text, int64(len(text))))
	}
	return fmt.Errorf("%s: %w", place(text, offset), err)
}

// place is the line and the column of an offset.
func place(text []byte, offset int64) string {
	read := text[:min(max(int(offset), 0), len(text))]
	line := bytes.Count(read, []byte("\n")) + 1
	return fmt.Sprintf("%d:%d", line, len(read)-bytes.LastIndexByte(read, '\n'))
}

func equalJSON(a, b []byte) bool {
	var left, right bytes.Buffer
	return json.Compact(&left, a) == nil && json.Compact(&right, b) == nil && bytes.Equal(left.Bytes(), right.Bytes())
}

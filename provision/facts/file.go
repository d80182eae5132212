package facts

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// format is the version of the form that Encode writes.
const format = 1

// document is what a file of facts holds.
type document struct {
	Format int `json:"format"`
	Facts
}

// Encode writes facts down as JSON for people and programs, the same bytes for the same facts.
// What may be secret is left out: see Host.Withheld and object.Live.Withheld.
func Encode(facts Facts) ([]byte, error) {
	return encode(document{Format: format, Facts: facts}, "\t")
}

// Decode reads what Encode wrote: equal facts, but for what is withheld. Fields that it does not
// know are an error, as their absence would be taken for an observation.
func Decode(text []byte) (Facts, error) {
	var d document
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		return Facts{}, fmt.Errorf("read facts: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Facts{}, errors.New("read facts: there is more after them")
	}
	if d.Format != format {
		return Facts{}, fmt.Errorf("read facts: they are of format %d, want %d", d.Format, format)
	}
	for _, problem := range d.ImageProblems {
		if problem.Err == nil {
			return Facts{}, fmt.Errorf("read facts: a problem of the image %q without err", problem.Image)
		}
	}
	return d.Facts, nil
}

// encode is json.MarshalIndent that leaves <, > and & as they are.
func encode(value any, indent string) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	if err := encoder.Encode(value); err != nil {
		return nil, fmt.Errorf("write facts: %w", err)
	}
	return b.Bytes(), nil
}

// text is the content of a file that people can read in JSON: a string, or, where it is not of
// UTF-8, {"base64": "…"}.
type text []byte

type binary struct {
	Base64 []byte `json:"base64"`
}

// MarshalJSON implements json.Marshaler.
func (t text) MarshalJSON() ([]byte, error) {
	if utf8.Valid(t) {
		return encode(string(t), "")
	}
	return encode(binary{t}, "")
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(from []byte) error {
	var words string
	if json.Unmarshal(from, &words) == nil {
		*t = text(words)
		return nil
	}
	var b binary
	err := json.Unmarshal(from, &b)
	*t = b.Base64
	return err
}

// hostFields are a Host's, without its methods.
type hostFields Host

// hostDocument is a Host in JSON: its texts take the place of the fields of the same names.
type hostDocument struct {
	hostFields
	Contents            map[string]text `json:"contents,omitzero"`
	CA                  text            `json:"ca,omitzero"`
	RegistryCA          text            `json:"registryCA,omitzero"`
	RegistryCertificate text            `json:"registryCertificate,omitzero"`
}

// MarshalJSON implements json.Marshaler. It leaves out what may be secret, whoever calls it.
func (h Host) MarshalJSON() ([]byte, error) {
	h = withhold(h)
	d := hostDocument{hostFields: hostFields(h), CA: h.CA, RegistryCA: h.RegistryCA, RegistryCertificate: h.RegistryCertificate}
	if h.Contents != nil {
		d.Contents = map[string]text{}
	}
	for path, content := range h.Contents {
		d.Contents[path] = content
	}
	return encode(d, "")
}

// UnmarshalJSON implements json.Unmarshaler.
func (h *Host) UnmarshalJSON(from []byte) error {
	var d hostDocument
	decoder := json.NewDecoder(bytes.NewReader(from))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		return err
	}
	*h = Host(d.hostFields)
	h.CA, h.RegistryCA, h.RegistryCertificate = d.CA, d.RegistryCA, d.RegistryCertificate
	if d.Contents != nil {
		h.Contents = map[string][]byte{}
	}
	for path, content := range d.Contents {
		h.Contents[path] = content
	}
	return nil
}

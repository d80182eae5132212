package pki

import "testing"

// Of a kubeconfig the one line with the server is read and written, whatever else there is.
func TestServerLine(t *testing.T) {
	for text, want := range map[string]string{
		"clusters:\n- cluster:\n    certificate-authority-data: QQ==\n    server: https://a:6443\n  name: x\n": "https://a:6443",
		"- cluster: \n  server: \"https://[2001:db8::1]:6443\"\r\n":                                            "https://[2001:db8::1]:6443",
		"- server: 'https://a'\n": "https://a",
		"server:\n":               "",
		"":                        "",
		"server: a\nserver: b\n":  "",
		"tls-server-name: a\n":    "",
	} {
		if is := ServerLine(text); is != want {
			t.Errorf("the server of %q is %q, want %q", text, is, want)
		}
		other, err := WithServerLine(text, "https://b:1")
		if (err == nil) != (want != "") || err == nil && ServerLine(other) != "https://b:1" {
			t.Errorf("%q became %q: %v", text, other, err)
		}
	}
	const before, after = "a: b\n    server: https://a:1\n  name: x\n", "a: b\n    server: https://b:2\n  name: x\n"
	if is, err := WithServerLine(before, "https://b:2"); is != after || err != nil {
		t.Errorf("it became %q: %v", is, err)
	}
}

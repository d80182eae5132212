package ssh

import "time"

// hostCertificates are the servers that show a certificate.
func hostCertificates() []hostCertificate {
	cp1 := []string{"cp1.lab"}
	return []hostCertificate{
		{server: "certified", principals: cp1},
		{server: "certified rsa", key: "rsa", principals: cp1},
		{server: "by rsa-sha2-512", ca: "ca-rsa", algorithm: "rsa-sha2-512", principals: cp1},
		{server: "by rsa-sha2-256", ca: "ca-rsa", algorithm: "rsa-sha2-256", principals: cp1},
		{server: "by ssh-rsa", ca: "ca-rsa", algorithm: "ssh-rsa", principals: cp1},
		{server: "by ecdsa", ca: "ca-ecdsa", principals: cp1},
		{server: "by a security key", ca: "ca-sk", principals: cp1},
		{server: "expired", principals: cp1, before: -time.Minute},
		{server: "to come", principals: cp1, after: 30 * time.Minute},
		{server: "for cp2", principals: []string{"cp2.lab"}},
		{server: "for two", principals: []string{"cp2.lab", "cp1.lab"}},
		{server: "for CP1", principals: []string{"CP1.lab"}},
		{server: "for a port", principals: []string{"[cp1.lab]:2222"}},
		{server: "for a pattern", principals: []string{"*.lab"}},
		{server: "for anybody"},
		{server: "for an address", principals: []string{"2001:db8::1"}},
		{server: "with source-address", principals: cp1, options: map[string]string{"source-address": "0.0.0.0/0"}},
		{server: "with another option", principals: cp1, options: map[string]string{"force-command": "true"}},
		{server: "with an extension", principals: cp1, extensions: map[string]string{"x@lab": ""}},
		{server: "of a user", principals: cp1, user: true},
	}
}

// certificateCases are hosts that show a certificate, or may.
func certificateCases() []hostKeyCase {
	const c22, c2222 = "cp1.lab:22", "cp1.lab:2222"
	const trust = "@cert-authority * {ca}\n"
	return []hostKeyCase{
		// Who is an authority for the host.
		{"authority", "certified", c22, trust, accepted, "", ""},
		{"authority of the host", "certified", c22, "@cert-authority cp1.lab {ca}\n", accepted, "", ""},
		{"authority of a pattern", "certified", c22, "@cert-authority *.lab,!cp2.lab {ca}\n", accepted, "", ""},
		{"authority of a hashed name", "certified", c22, "@cert-authority {hash of cp1.lab} {ca}\n", accepted, "", ""},
		{"authority of others", "certified", c22, "@cert-authority cp2.lab {ca}\n", refused, "", ""},
		{"authority of all others", "certified", c22, "@cert-authority *,!cp1.lab {ca}\n", refused, "", ""},
		{"another authority", "certified", c22, "@cert-authority * {ca-2}\n", refused, "", ""},
		{"one of two authorities", "certified", c22, "@cert-authority * {ca-2}\n" + trust, accepted, "", ""},
		{"authority in the second file", "certified", c22, "cp2.lab {ed25519-2}\n---\n" + trust, accepted, "", ""},
		{"authority without its marker", "certified", c22, "cp1.lab {ca}\n", refused, "", ""},
		{"the host's key as an authority", "certified", c22, "@cert-authority * {ed25519}\n", refused, "", ""},
		{"the host's key as an authority, no certificate", "all", c22, "@cert-authority * {ed25519}\n", refused, "", ""},
		{"authority with spaces and tabs", "certified", c22, "@cert-authority \t* \t {ca} \t x\n", accepted, "", ""},
		{"authority with a tab and spaces", "certified", c22, "@cert-authority\t* {ca}\n", refused, "", ""},
		{"authority in upper case", "certified", c22, "@CERT-AUTHORITY * {ca}\n", refused, "", ""},
		{"authority with two markers", "certified", c22, "@cert-authority " + trust, refused, "", ""},
		{"authority as a certificate", "certified", c22, "@cert-authority * {certificate of ca}\n", refused, "an authority is a key, ssh takes it out of the certificate", ""},
		{"authority at the port", "certified", c2222, "@cert-authority [cp1.lab]:2222 {ca}\n", accepted, "", ""},
		{"authority of the bare name", "certified", c2222, "@cert-authority *.lab {ca}\n", accepted, "", ""},
		{"authority of the bare name, another at the port", "certified", c2222, "@cert-authority [cp1.lab]:2222 {ca-2}\n@cert-authority *.lab {ca}\n", accepted, "", ""},
		{"authority of the bare name, another key at the port", "certified", c2222, "[cp1.lab]:2222 {ed25519-2}\n@cert-authority *.lab {ca}\n", accepted, "", ""},
		// Certificates beside known keys.
		{"authority and known key", "certified", c22, trust + "cp1.lab {ed25519}\n", accepted, "", ""},
		{"authority and another key", "certified", c22, trust + "cp1.lab {ed25519-2}\n", accepted, "", ""},
		{"authority and known key, no certificate", "all", c22, trust + "cp1.lab {ed25519}\n", accepted, "", ""},
		{"authority and known rsa key, no certificate", "all", c22, trust + "cp1.lab {rsa}\n", accepted, "", ""},
		{"authority alone, no certificate", "all", c22, trust, refused, "", ""},
		{"another authority and known key", "certified", c22, "@cert-authority * {ca-2}\ncp1.lab {ed25519}\n", accepted, "", ""},
		{"another authority and another key", "certified", c22, "@cert-authority * {ca-2}\ncp1.lab {ed25519-2}\n", refused, "", ""},
		{"no authority, known key", "certified", c22, "cp1.lab {ed25519}\n", accepted, "", ""},
		{"no authority, bare name known", "certified", c2222, "cp1.lab {ed25519}\n", accepted, "", ""},
		{"no authority, known rsa key", "certified", c22, "cp1.lab {rsa}\n", accepted, "", ""},
		{"known key, certificate of another", "certified rsa", c22, "cp1.lab {ed25519}\n", refused, "", ""},
		{"authority, certificate of the rsa key", "certified rsa", c22, trust, accepted, "", ""},
		{"certificate as the known key", "certified", c22, "cp1.lab {certificate of ed25519}\n", refused, "", ""},
		{"certificate at the port, known by the bare name", "certified", c2222, "[cp1.lab]:2222 {ed25519-2}\ncp1.lab {ed25519}\n", refused, "ssh looks for the bare name's key although it knows another one at the port", ""},
		// How authorities sign.
		{"rsa-sha2-512", "by rsa-sha2-512", c22, "@cert-authority * {ca-rsa}\n", accepted, "", ""},
		{"rsa-sha2-256", "by rsa-sha2-256", c22, "@cert-authority * {ca-rsa}\n", accepted, "", ""},
		{"rsa-sha2-512, label rsa-sha2-256", "by rsa-sha2-512", c22, "@cert-authority * rsa-sha2-256 {ca-rsa base64}\n", accepted, "", ""},
		{"SHA-1", "by ssh-rsa", c22, "@cert-authority * {ca-rsa}\n", refused, "", ""},
		{"SHA-1 and known key", "by ssh-rsa", c22, "@cert-authority * {ca-rsa}\ncp1.lab {ed25519}\n", accepted, "", ""},
		{"ecdsa", "by ecdsa", c22, "@cert-authority * {ca-ecdsa}\n", accepted, "", ""},
		{"security key", "by a security key", c22, "@cert-authority * {ca-sk}\n", accepted, "", ""},
		// What the certificate says.
		{"expired", "expired", c22, trust, refused, "", ""},
		{"expired, known key", "expired", c22, trust + "cp1.lab {ed25519}\n", accepted, "", ""},
		{"expired, another key", "expired", c22, trust + "cp1.lab {ed25519-2}\n", refused, "", ""},
		{"not yet valid", "to come", c22, trust, refused, "", ""},
		{"another name", "for cp2", c22, trust, refused, "", ""},
		{"one of two names", "for two", c22, trust, accepted, "", ""},
		{"dialled in upper case", "certified", "CP1.LAB:22", trust, accepted, "", ""},
		{"name in upper case", "for CP1", c22, trust, refused, "", ""},
		{"name, other port", "certified", c2222, trust, accepted, "", ""},
		{"name with port", "for a port", c2222, trust, refused, "", ""},
		{"address", "for an address", "[2001:db8::1]:2222", trust, accepted, "", ""},
		{"pattern as a name", "for a pattern", c22, trust, refused, "", "newer ones accept patterns"},
		{"no names", "for anybody", c22, trust, refused, "", "older ones accept it for every host"},
		{"source-address", "with source-address", c22, trust, refused, "", ""},
		{"another option", "with another option", c22, trust, refused, "", ""},
		{"extension", "with an extension", c22, trust, accepted, "", ""},
		{"certificate of a user", "of a user", c22, trust, refused, "", ""},
		// Revocations.
		{"authority revoked", "certified", c22, trust + "@revoked * {ca}\n", refused, "", ""},
		{"authority revoked, known key", "certified", c22, "@revoked * {ca}\ncp1.lab {ed25519}\n", refused, "", ""},
		{"authority revoked as a certificate", "certified", c22, trust + "@revoked * {certificate of ca}\n", refused, "", ""},
		{"authority revoked for others", "certified", c22, trust + "@revoked cp2.lab {ca}\n", accepted, "", ""},
		{"authority revoked, label rsa-sha2-512", "by rsa-sha2-512", c22, "@cert-authority * {ca-rsa}\n@revoked * rsa-sha2-512 {ca-rsa base64}\n", refused, "", ""},
		{"another authority revoked", "certified", c22, trust + "@revoked * {ca-2}\n", accepted, "", ""},
		{"certified key revoked", "certified", c22, trust + "@revoked * {ed25519}\n", refused, "", ""},
		{"certified key revoked as a certificate", "certified", c22, trust + "@revoked * {certificate of ed25519}\n", refused, "", ""},
		{"another key of the host revoked", "certified", c22, trust + "@revoked * {rsa}\n", accepted, "", ""},
		{"authority revoked by the bare name", "certified", c2222, "@cert-authority *.lab {ca}\n@revoked *.lab {ca}\n", refused, "", ""},
		{"authority revoked by the bare name, known key", "certified", c2222, "@revoked cp1.lab {ca}\ncp1.lab {ed25519}\n", refused, "ssh forgets the revocation that it found by the bare name", ""},
		{"authority's revocation unreadable", "certified", c22, trust + "@revoked cp1.lab ssh-ed25519 !\n", refused, "ssh passes over a revocation that it cannot read", ""},
	}
}

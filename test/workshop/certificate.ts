// A certificate for localhost and 127.0.0.1 that no program trusts, for tests alone. Made by
// openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj /CN=localhost \
//   -addext subjectAltName=DNS:localhost,IP:127.0.0.1

export const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgeppEp6hU85uRykhG
V6nw5zSIyfiVCX4u3+e+VpWFEmihRANCAATGUWwXmk3gkm0zcsAaXFjg2k7YsVxS
BAKm2J4h9ggPwWfEqkJIFre0tC2sEVEJA+muqRls9v0ibYDNShW3Rc5a
-----END PRIVATE KEY-----
`

export const cert = `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUTSGeMSNy5V8o84CcgWMD9nZdXfAwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEzMDIxNTc0MloYDzIxMjYxMTA2
MjE1NzQyWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATGUWwXmk3gkm0zcsAaXFjg2k7YsVxSBAKm2J4h9ggPwWfEqkJIFre0
tC2sEVEJA+muqRls9v0ibYDNShW3Rc5ao28wbTAdBgNVHQ4EFgQUhoo2MGvx3FvS
ojvRdlwRsqnkoLIwHwYDVR0jBBgwFoAUhoo2MGvx3FvSojvRdlwRsqnkoLIwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIhANIjvjetXPH6rB808I62tM3vitpQ6Z8G51I6v4exgZX3AiBx
swZrDiqzFh0pfc5/XkgZBnLU4EOGl2RqhQ0QehR5FQ==
-----END CERTIFICATE-----
`

"""The HTTP API, on a unix socket and over the network: the daemon's one control interface (docs/api.md)."""

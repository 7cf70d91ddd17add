"""The HTTP API, on a unix socket: the one control interface of the daemon (docs/api.md)."""

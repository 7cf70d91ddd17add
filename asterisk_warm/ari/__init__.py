"""Asterisk by ARI: REST out, events in.

`link` ties it together: `socket` (events), `client` (REST), `pbx` (the engine's port), `translate` (events →
facts)."""

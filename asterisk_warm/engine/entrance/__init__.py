"""The ways into a handoff: by request, through the dialplan, by keys in a call, by a phone's Transfer key.
`entrance` puts them together."""

"""FastAGI: the dialplan asks and sets presence, and hears the answer in channel variables (docs/agi.md)."""

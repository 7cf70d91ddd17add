"""`python -m asterisk_warm` is `asterisk-warm`."""

from __future__ import annotations

from asterisk_warm.cli import main

main()

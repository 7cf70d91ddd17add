"""`asterisk-warm demo`: scenes with real phones on a private Asterisk, told live and kept in a folder."""

from asterisk_warm.lab.demo.command import main

__all__ = ["main"]

"""asterisk_warm: hands a live, qualified lead to the right person, warm."""

__version__ = "0.1.0"

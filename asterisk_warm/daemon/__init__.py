"""The one place that names concrete adapters: a config in, a running daemon out."""

from asterisk_warm.daemon.daemon import serve
from asterisk_warm.daemon.failures import CannotStart

__all__ = ["CannotStart", "serve"]

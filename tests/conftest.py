"""Shared by all tests."""

from __future__ import annotations

import signal

import asterisk_warm.lab  # noqa: F401 - before anything loads numpy


def pytest_configure() -> None:
    # Who runs the tests in the background of a script has Ctrl-C ignored, and what the tests start would inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)

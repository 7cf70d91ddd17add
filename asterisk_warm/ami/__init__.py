"""Asterisk's manager interface: redirects, and what must be known at start-up."""

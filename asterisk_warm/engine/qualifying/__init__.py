"""Qualification: scripts and their versions, and leads being asked."""

"""Leads: who they are, what they have consented to, what came of their calls."""

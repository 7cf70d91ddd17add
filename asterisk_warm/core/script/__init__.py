"""Qualification: a script's questions, one lead's answers, and what they amount to."""

"""The shell around the core: mailboxes, journal, timers and the execution of commands. No Asterisk, HTTP or
SQL in it."""

"""Agents' calendars, read again and again: iCalendar files, iCalendar by HTTP, CalDAV collections.

`calendars` ties it together: `source` (where a calendar is), `files`, `web` and `caldav` (its text), `expand`
(text → busy times, in the process of `worker`, started by `process`), `reading` (one, as last read).
Nothing is imported here: the worker, which starts for every reading, does without all but `expand`."""

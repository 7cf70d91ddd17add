"""The engine's agents: `staff` knows them, `dispatcher` brings them and waiting leads together, `lamps` shows
them, and `service` is what can be asked."""

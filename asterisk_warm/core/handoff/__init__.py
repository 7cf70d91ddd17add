"""One lead's transfer, from request to end, as a state machine over facts.

Read in this order: `states` (what each state means), `events` (facts in), `commands` (orders out), `table`
(state × event), `transition`."""

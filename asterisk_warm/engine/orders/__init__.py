"""How each order is carried out, by whom it is about. `executor` chooses and repeats."""

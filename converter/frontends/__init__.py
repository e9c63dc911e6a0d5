"""Front ends: a model of another framework in, our graph out. Each is a table of small functions, one per operator."""

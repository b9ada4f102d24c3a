"""One small module per kind of step: how it is visited, and how an answer to it is taken."""

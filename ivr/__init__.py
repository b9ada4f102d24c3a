"""A contact line that knows who is calling. README.md shows the house; start reading at `turn.py`."""

__version__ = "0.1.0"

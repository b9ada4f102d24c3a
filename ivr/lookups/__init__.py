"""The outside-data edge: sources that are asked within a budget, and actions that are done once.

A source that is slow, failing, lying, huge or dead costs a call its budget and nothing more.
"""

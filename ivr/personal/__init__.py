"""THE PERSON: what is known about a caller, who may hear it, which flow fits them, and what they likely want."""

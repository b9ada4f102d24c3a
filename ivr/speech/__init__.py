"""THE WORDS: what was said → which of the open options. A small port with a matcher of words behind it."""

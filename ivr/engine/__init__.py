"""THE CONVERSATION: start and resume, pure. Same bundle, session, input and moment: same bytes out."""

"""THE LANGUAGE: what designers write, as frozen data, with every mistake in it as a Problem."""

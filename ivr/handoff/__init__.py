"""Hand-off: what an agent is told about a call, who is served next, how long it may take, and when to call back. All pure."""

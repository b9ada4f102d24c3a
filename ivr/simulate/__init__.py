"""The same engine without a phone, and a caller that plays Twilio against a running server."""

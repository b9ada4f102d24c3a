"""The Twilio edge: forms → inputs, events → TwiML, signatures. The only importer of twilio."""

"""Callers, agents and Twilio for some minutes of simulated time, around the real application. Nobody sleeps.

stage     the clock, what comes next, and what should be so: written down beside the product, never read from its tables
twilio    the wire to the application, and the phones that it has rung
callers   what callers do
agents    what agents do, through the desk's own code

Chance is seeded, for each caller and each agent apart, so that two runs are one and the same, also where two agents take one
caller in real threads: then the two are alike, and whoever was first sits down in the first one's place.
"""

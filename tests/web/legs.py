"""An agent's telephone: what Twilio asks us once the desk has had it rung.

leg = Leg(house, fake_twilio)          # the newest call that was made
leg.picks_up().hears("To move").presses("1")
leg.hangs_up()
"""

from __future__ import annotations

import re
from html import unescape

from ivr.simulate.wire import Reply, form_fields
from tests.actors import House
from tests.fake_twilio import FakeTwilio


class Leg:
    """One call to an agent, as it was asked for by REST."""

    def __init__(self, house: House, twilio: FakeTwilio) -> None:
        self.house = house
        self.sid, asked = list(twilio.calls.items())[-1]
        self.to, self.from_, self.url, self.told = asked["To"], asked["From"], asked["Url"], asked["StatusCallback"]
        self.twiml = ""

    def picks_up(self) -> Leg:
        """They answer and hear the whisper."""
        return self._asks(self.url)

    def presses(self, key: str) -> Leg:
        """A key, at the Gather that they hear."""
        found = re.search(r'<Gather[^>]* action="([^"]+)"', self.twiml)
        assert found, self.twiml
        return self._asks(unescape(found[1]), Digits=key)

    def hears(self, words: str) -> Leg:
        """These words are in the last answer."""
        assert words in self.twiml, self.twiml
        return self

    def hangs_up(self) -> Leg:
        """The two have talked, and one of them hangs up."""
        found = re.search(r'<Dial[^>]* action="([^"]+)"', self.twiml)
        if found:
            self._asks(unescape(found[1]), DialCallStatus="completed", DialBridged="true")
        return self.ends("completed")

    def ends(self, status: str) -> Leg:
        """busy, no-answer, failed, canceled or completed: what Twilio says of it at the end."""
        return self._asks(self.told, CallStatus=status)

    def _asks(self, url: str, **fields: str) -> Leg:
        form = form_fields(self.sid, self.from_, self.to, extra={"Direction": "outbound-api", **fields})
        path = url.removeprefix(self.house.base)
        reply: Reply = self.house.post(path, form, token=self.house.config.tokens[0])
        assert reply.status == 200
        self.twiml = reply.body.decode()
        return self

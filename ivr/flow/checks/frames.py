"""Flows that are entered and come back: what a frame reaches, and the names it may hand to whoever entered it."""

from __future__ import annotations

from collections.abc import Iterator

from ivr.flow.bundle import Place
from ivr.flow.checks.project import Project
from ivr.flow.checks.ways import Way, after, ways


class Frames:
    """What is reached from an entry without leaving its frame, and the names that it may return."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.reach: dict[Place, dict[Place, None]] = {}
        self.returns: dict[Place, dict[tuple[str, Place], Way]] = {}

    def ask(self, entry: Place) -> None:
        """Works out `entry` and everything that is entered from it."""
        if entry in self.reach:
            return
        self.reach[entry], self.returns[entry] = {}, {}
        changed = True
        while changed:
            changed = sum(self._walk(known) for known in list(self.reach)) > 0

    def _walk(self, entry: Place) -> bool:
        reach: dict[Place, None] = {entry: None}
        returns: dict[tuple[str, Place], Way] = {}
        stack = [entry]
        grown = False
        while stack:
            place = stack.pop()
            for way in self._expanded(place):
                if way.how == "enter" and way.to is not None and way.to not in self.reach:
                    self.reach[way.to], self.returns[way.to] = {}, {}
                    grown = True
                if way.how == "return":
                    returns[way.name, place] = way
                if way.how == "go" and way.to is not None and way.to not in reach:
                    reach[way.to] = None
                    stack.append(way.to)
        grown = grown or len(reach) != len(self.reach[entry]) or len(returns) != len(self.returns[entry])
        self.reach[entry], self.returns[entry] = reach, returns
        return grown

    def _expanded(self, place: Place) -> Iterator[Way]:
        """The ways of a step, and those it has after what it entered came back."""
        for way in ways(self.project, place):
            yield way
            if way.how == "enter" and way.to is not None:
                for name in self.names(way.to):
                    yield from after(self.project, place, name)

    def names(self, entry: Place) -> list[str]:
        """The names that may come back from `entry`."""
        return list(dict.fromkeys(name for name, _ in self.returns.get(entry, {})))


def frames(project: Project) -> Frames:
    """The frames of every entry in the project."""
    return project.once("frames", lambda: _frames(project))


def _frames(project: Project) -> Frames:
    made = Frames(project)
    for name, (_, flow) in project.flows.items():
        place = project.resolve(name, flow.start)
        if place is not None:
            made.ask(place)
    return made

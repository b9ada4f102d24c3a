"""What holds wherever a call may stand: the least level of the caller, and the values that are surely set.

A meet over all paths, by rounds until nothing changes. Entering and returning are matched by what a frame can hand back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ivr.flow.bundle import Place
from ivr.flow.checks.anywhere import changes_subject, hands_over, line_ways, listens, survey
from ivr.flow.checks.frames import frames
from ivr.flow.checks.logic import NOTHING, Name, known_if_holds, level_if_holds, needed
from ivr.flow.checks.project import OPAQUE, Project
from ivr.flow.checks.ways import Way, after, ways
from ivr.flow.model import Ask, ChooseRule, Line
from ivr.kinds import LEVELS

VALUES = ("said", "found", "given")
PERSONAL = ("caller", "history", "cases")
VERIFIED = LEVELS["verified"]


class State(NamedTuple):
    """The least level, and `said`, `found` and `given` values that are set on every path."""

    level: int
    known: frozenset[Name]


def meet(one: State | None, other: State) -> State:
    """What holds on both paths."""
    return other if one is None else State(min(one.level, other.level), one.known & other.known)


def level_of(project: Project, name: Name) -> int:
    """The level at which a condition or a give knows `name`; a list's level is also its items'."""
    levels = [
        LEVELS[found.speak]
        for length in range(2, len(name) + 1)
        if (found := project.field(name[:length])) and found.kind != "record"
    ]
    return min(max(levels, default=0), VERIFIED)


def refine(
    project: Project, state: State, known: Iterable[Name], level: str | None = None, care: bool = False
) -> State:
    """`state` where those names are known. A fact above the caller's level is not known, so a known one tells the level."""
    names = list(known)
    least = max([state.level, LEVELS.get(level or "", 0), *(0 if care else level_of(project, name) for name in names)])
    return State(least, state.known | {name[:2] for name in names if name[0] in VALUES})


def follow(project: Project, state: State, way: Way) -> State:
    """The state at the end of `way`."""
    state = refine(project, state, way.known, way.level, way.care)
    return State(state.level, (state.known | way.sets) - way.unsets)


def entry_level(rule: ChooseRule) -> int:
    """`recognised` where the rule can only hold for a person whose facts are known."""
    known = known_if_holds(rule.when.tree) if rule.when else NOTHING
    return LEVELS["recognised"] if any(name[0] in PERSONAL for name in known) else 0


def roots(project: Project, line: Line) -> list[tuple[Place, State]]:
    """Where calls to `line` begin."""
    chosen = [(rule.flow, entry_level(rule)) for rule in line.choose if rule.flow != OPAQUE]
    if line.control_group:
        chosen.append((line.control_group.flow, 0))
    starts = ((project.meant(None, flow), level) for flow, level in chosen)
    return [(place, State(level, NOTHING)) for place, level in starts if place is not None]


class Solver:
    """States of every place that can be reached from `start` on `line`; `spared`: its survey is not asked."""

    def __init__(
        self, project: Project, line: Line, start: Iterable[tuple[Place, State]], *, spared: bool = False
    ) -> None:
        self.project, self.line = project, line
        self.frames = frames(project)
        self.states: dict[Place, State] = {}
        self.bottoms: dict[Place, None] = {}
        self.changed = False
        self.commands, self.subjects = line_ways(project, line)
        self.survey = None if spared else survey(project, line)
        begin = list(start)
        for place, state in begin:
            self._bottom(place, state)
        if begin:
            # Any step may come to a bound, so the line's `otherwise` is always a way on.
            least = State(min(state.level for _, state in begin), NOTHING)
            self._bottom(project.meant(None, line.otherwise), least)
        self._rounds()

    def _rounds(self) -> None:
        for _ in range(200):
            self.changed = False
            for place in list(self.states):
                self._leave(place)
            self._interrupt()
            if not self.changed:
                return

    def _arrive(self, place: Place | None, state: State) -> None:
        if place is None:
            return
        old = self.states.get(place)
        new = meet(old, state)
        if new != old:
            self.states[place] = new
            self.changed = True

    def _bottom(self, place: Place | None, state: State) -> None:
        """Arrives where nothing else is open: what returns from here goes on at the line's `after`."""
        if place is None:
            return
        self.frames.ask(place)
        if place not in self.bottoms:
            self.bottoms[place] = None
            self.changed = True
        self._arrive(place, state)

    def _leave(self, place: Place) -> None:
        state = self.states[place]
        for way in ways(self.project, place):
            self._take(place, way, follow(self.project, state, way))
        if self.survey is not None and hands_over(self.project, place):
            self._surveyed(place, self.survey, state)

    def _surveyed(self, place: Place, to: Place, state: State) -> None:
        """From people into the survey, and whatever it returns is the outcome `ended` of the handoff."""
        step = self.project.step(place)
        holds = step.when if step else None
        known = known_if_holds(holds.tree) if holds else NOTHING
        way = Way("enter", "survey", to=to, known=known, level=level_if_holds(holds))
        self._enter(place, way, follow(self.project, state, way), comes_back="ended")

    def _interrupt(self) -> None:
        """Commands and changes of subject lead on from every question alike, so once for all of them."""
        anywhere: State | None = None
        subjects: State | None = None
        for place, state in self.states.items():
            if not listens(self.project, place):
                continue
            step = self.project.step(place)
            lost = {("said", step.save_as or place[1])} if isinstance(step, Ask) and step.refuse else set()
            state = State(state.level, _without_given(state).known - lost)
            anywhere = meet(anywhere, state)
            if changes_subject(self.project, place):
                subjects = meet(subjects, state)
        for found, ways_on in ((anywhere, self.commands), (subjects, self.subjects)):
            for way in ways_on if found is not None else ():
                if way.to is not None and found is not None:
                    arrive = self._bottom if way.how == "go" else self._arrive
                    arrive(way.to, follow(self.project, found, way))

    def _take(self, place: Place, way: Way, state: State) -> None:
        if way.how == "go" and way.to is not None:
            self._arrive(way.to, state if way.to[0] == place[0] else _without_given(state))
        elif way.how == "enter" and way.to is not None:
            self._enter(place, way, state)
        elif way.how == "rescue":
            self._bottom(self.project.meant(None, self.line.otherwise), _without_given(state))
        elif (
            way.how == "return"
            and self.line.after is not None
            and any(place in self.frames.reach[root] for root in self.bottoms)
        ):
            self._bottom(self.project.meant(None, self.line.after), _without_given(state))

    def _enter(self, place: Place, way: Way, state: State, comes_back: str | None = None) -> None:
        assert way.to is not None
        given = {("given", name) for name, value in (way.give or {}).items() if self._surely(value.tree, state)}
        self._arrive(way.to, State(state.level, _without_given(state).known | given))
        self.frames.ask(way.to)
        for name in self.frames.names(way.to):
            handed = self._handed_back(way.to, name)
            if handed is None:
                continue
            known = (state.known - self._unset_in(way.to)) | _without_given(handed).known
            back = State(max(state.level, handed.level), known)
            for onward in after(self.project, place, comes_back or name):
                self._take(place, onward, back)

    def _surely(self, tree: object, state: State) -> bool:
        return all(name[0] not in VALUES or name[:2] in state.known for name in needed(tree))  # type: ignore[arg-type]

    def _handed_back(self, entry: Place, name: str) -> State | None:
        found: State | None = None
        for (returned, place), way in self.frames.returns[entry].items():
            if returned == name and place in self.states:
                found = meet(found, follow(self.project, self.states[place], way))
        return found

    def _unset_in(self, entry: Place) -> frozenset[Name]:
        return frozenset(
            name for place in self.frames.reach[entry] for way in ways(self.project, place) for name in way.unsets
        )


def _without_given(state: State) -> State:
    return State(state.level, frozenset(name for name in state.known if name[0] != "given"))


def solve(project: Project, line: Line) -> dict[Place, State]:
    """The states of every place that calls to `line` can reach."""
    return project.once(("states", line.line), lambda: Solver(project, line, roots(project, line)).states)


def solve_from(project: Project, line: Line, start: tuple[Place, State], *, spared: bool) -> dict[Place, State]:
    """The states of every place that can be reached from `start`; `spared`: without the line's survey."""
    return Solver(project, line, [start], spared=spared).states


def reached(project: Project) -> Iterator[tuple[Line, Place, State]]:
    """Every place that some line can reach."""
    for _, line in project.lines.values():
        for place, state in solve(project, line).items():
            yield line, place, state

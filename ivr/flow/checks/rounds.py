"""Rounds in which nobody is ever listened to: the call would run until a bound stops it."""

from __future__ import annotations

from ivr.flow.bundle import Place
from ivr.flow.checks.project import Project, Report
from ivr.flow.checks.ways import Way, after, ways
from ivr.flow.model import Pick, Verify


def check(project: Project, report: Report) -> None:
    """Every round, once."""
    edges = _without_waiting(project)
    for group in _knots(edges):
        flow, first = min(group, key=lambda place: (place[0], list(project.flows[place[0]][1].steps).index(place[1])))
        steps = ", ".join(sorted(step for _, step in group))
        message = f"the call could go round and round here without ever listening to the caller ({steps})"
        hint = "let one of these steps ask something, or let one lead out"
        report.add(project.flows[flow][0], ("steps", first), "cycle-without-wait", message, hint, key=True)


def _passes(project: Project, place: Place) -> list[Way]:
    """Ways on that need nothing of the caller. A caller who is verified passes `verify` unasked, and so does one who cannot be."""
    step = project.step(place)
    found = [way for way in ways(project, place) if not way.waits]
    if isinstance(step, Verify):
        found = [way for way in found if way.name not in ("no_input", "no_match")]
    if isinstance(step, Pick):
        found = [way for way in found if way.name == "empty" or way.why == "skipped"]
    return found


def _without_waiting(project: Project) -> dict[Place, set[Place]]:
    places = [place for place, _, _ in project.places()]
    passes = {place: _passes(project, place) for place in places}
    silent: dict[Place, set[str]] = {place: set() for place in places}
    edges: dict[Place, set[Place]] = {place: set() for place in places}
    changed = True
    while changed:
        changed = False
        for place in places:
            names, targets = set(silent[place]), set(edges[place])
            for way in passes[place]:
                _follow(project, place, way, silent, names, targets)
            for target in list(targets):
                if not any(way.how == "enter" and way.to == target for way in passes[place]):
                    names |= silent.get(target, set())
            changed = changed or names != silent[place] or targets != edges[place]
            silent[place], edges[place] = names, targets
    return edges


def _follow(
    project: Project, place: Place, way: Way, silent: dict[Place, set[str]], names: set[str], targets: set[Place]
) -> None:
    if way.how == "return":
        names.add(way.name)
    elif way.to is not None and way.to in silent:
        targets.add(way.to)
        if way.how == "enter":
            for name in silent[way.to]:
                for back in after(project, place, name):
                    if back.how == "return":
                        names.add(back.name)
                    elif back.how == "go" and back.to in silent:
                        targets.add(back.to)


def _knots(edges: dict[Place, set[Place]]) -> list[set[Place]]:
    """Groups of places that lead round to themselves (Tarjan's strongly connected components, without recursion)."""
    index: dict[Place, int] = {}
    low: dict[Place, int] = {}
    held: list[Place] = []
    found: list[set[Place]] = []
    for root in edges:
        if root in index:
            continue
        work = [(root, iter(sorted(edges[root])))]
        index[root] = low[root] = len(index)
        held.append(root)
        while work:
            place, targets = work[-1]
            for target in targets:
                if target not in index:
                    index[target] = low[target] = len(index)
                    held.append(target)
                    work.append((target, iter(sorted(edges[target]))))
                    break
                if target in held:
                    low[place] = min(low[place], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[place])
                if low[place] == index[place]:
                    at = held.index(place)
                    group, held = set(held[at:]), held[:at]
                    if len(group) > 1 or place in edges[place]:
                        found.append(group)
    return found

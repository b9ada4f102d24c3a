"""`ivr docs`: the reference, made from the code it describes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import click

from ivr.flow.checks.docs import reference as problems_reference
from ivr.flow.expressions import condition_filters
from ivr.flow.model import NOT_YET, STEPS, Step
from ivr.flow.names import CALL, CASES, HISTORY, LINE, NOW, PREFERS, Field, in_prompts
from ivr.flow.spoken import FILTERS

PARTS = ("steps", "names", "filters", "events", "problems")


@click.command("docs")
@click.argument("part", type=click.Choice(PARTS), required=False)
def command(part: str | None) -> None:
    """The reference as Markdown: steps, names, filters, events, problems (each with a bad and a good example)."""
    click.echo(reference(part))


def reference(part: str | None = None) -> str:
    """One part, or all of it."""
    made = {"steps": _steps, "names": _names, "filters": _filters, "events": _events}
    chosen = [part] if part else PARTS
    return "\n\n".join(problems_reference() if name == "problems" else "\n".join(made[name]()) for name in chosen)


def _steps() -> Iterator[str]:
    yield "# Steps\n"
    yield (
        "Any step may also carry: "
        + ", ".join(f"`{info.alias or name}`" for name, info in Step.model_fields.items())
        + "."
    )
    for verb, step in STEPS.items():
        own = [info.alias or name for name, info in step.model_fields.items() if name not in Step.model_fields]
        yield f"\n## {verb}\n"
        yield (step.__doc__ or "").strip()
        if own:
            yield f"\nIts words: {', '.join(f'`{name}`' for name in own)}."
        if step.outcomes:
            yield f"Outcomes: {', '.join(f'`{name}`' for name in step.outcomes)}."
        if step.failures:
            yield f"Failures (for `next:` or `otherwise:`): {', '.join(f'`{name}`' for name in step.failures)}, `too_often`."
    yield f"\nNot yet: {', '.join(f'`{name}`' for name in NOT_YET)}."


def _names() -> Iterator[str]:
    yield "# Names\n\n| name | kind | who may hear it | what |\n| --- | --- | --- | --- |"
    roots = {"caller.prefers": PREFERS, "history": HISTORY, "cases": CASES, "call": CALL, "line": LINE, "now": NOW}
    for root, fields in roots.items():
        yield from _rows(root, fields)
    yield "\nBeside these: `caller.` and every fact of config.yaml, the sources in `needs:`, and `said.`, `found.`, `given.`."
    yield "\n## In the words of some prompts only\n\n| name | kind | what |\n| --- | --- | --- |"
    yield from (f"| `{name}` | {field.kind} | {field.about} |" for name, field in in_prompts().items())


def _rows(root: str, fields: Mapping[str, Field]) -> Iterator[str]:
    for name, field in fields.items():
        if field.fields:
            yield from _rows(f"{root}.{name}", field.fields)
        else:
            yield f"| `{root}.{name}` | {field.kind} | {field.speak} | {field.about} |"


def _filters() -> Iterator[str]:
    yield "# Filters\n"
    yield f"In conditions: {', '.join(f'`{name}`' for name in condition_filters())}."
    yield f"In spoken words, last: {', '.join(f'`{name}`' for name in FILTERS)}."


def _events() -> Iterator[str]:
    from ivr.engine.events import TYPES

    yield "# Events\n\n| type | what happened |\n| --- | --- |"
    for name, what in TYPES.items():
        yield f"| `{name}` | {what} |"

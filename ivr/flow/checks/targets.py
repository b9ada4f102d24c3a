"""What config.yaml says of people, where it must fit the flows: waiting, who waits less, gestures, and where e-mail goes."""

from __future__ import annotations

from ivr.config import Hours, Waiting
from ivr.flow import hours
from ivr.flow.checks.project import Project, Report
from ivr.flow.checks.uses import priorities
from ivr.flow.expressions import ExpressionError, compile_expression
from ivr.flow.model import ConditionError
from ivr.problems import did_you_mean
from ivr.source import Path

NO_MAIL = "say where e-mail is handed in, as in mail: {host: smtp.example, from: care@example.com}"


def check(project: Project, report: Report) -> None:
    """Every target that callers wait for, the gestures, and the fact that holds an address."""
    for name, target in project.part.targets.items():
        if target.waiting is not None:
            _waiting(project, report, ("targets", name, target.way), target.waiting)
    for path, rule in priorities(project):
        try:
            compile_expression(rule.when)
        except ExpressionError as error:
            report.add(project.config, (*path, "when"), "condition", str(error), ConditionError.hint)
    _mail(project, report)


def _waiting(project: Project, report: Report, path: Path, waiting: Waiting) -> None:
    if waiting.music is not None and f"prompts/{waiting.music}" not in project.files:
        beside = [file.removeprefix("prompts/") for file in project.files if file.startswith("prompts/")]
        hint = did_you_mean(waiting.music, [file for file in beside if not file.endswith((".yaml", ".yml"))])
        message = f"there is no recording prompts/{waiting.music}"
        report.add(project.config, (*path, "music"), "audio-missing", message, hint)
    if waiting.callback is not None:
        try:
            hours.check(Hours(open={"mon-sun": waiting.callback.between}))
        except hours.HoursError as error:
            hint = 'as in between: "08:00-21:00"'
            report.add(project.config, (*path, "callback", "between"), "hours", str(error), hint)


def _mail(project: Project, report: Report) -> None:
    to = project.part.mail_to
    if to is None:
        for name, gesture in project.part.gestures.items():
            if "email" in gesture.by:
                message = f"the gesture '{name}' may go by e-mail, and no server sends any"
                report.add(project.config, ("gestures", name, "by"), "no-mail", message, NO_MAIL)
    elif project.field(("caller", *to.split("."))) is None:
        message = f"'{to}' is not a declared fact, so nobody has an address"
        report.add(project.config, ("mail", "to"), "unknown-fact", message, did_you_mean(to, project.part.facts))

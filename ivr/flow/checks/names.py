"""Names of things that do not exist: steps, flows, prompts, sources, actions, targets and languages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ivr.flow.checks.anywhere import reasons
from ivr.flow.checks.project import OPAQUE, RESUME, Project, Report
from ivr.flow.model import (
    Ask,
    Callback,
    Case,
    Do,
    Enter,
    Handoff,
    Line,
    Lookup,
    Menu,
    Notify,
    Option,
    Pick,
    Remember,
    Route,
    Step,
    Verify,
    Voicemail,
)
from ivr.problems import did_you_mean
from ivr.source import Path, Source


def check(project: Project, report: Report) -> None:
    """Every name that leads nowhere."""
    for source, line in project.lines.values():
        _line(project, report, source, line)
    for source, flow in project.flows.values():
        names = _Names(project, report, source, flow.flow)
        if flow.start not in flow.steps and project.resolve(flow.flow, flow.start) is None:
            report.add(
                source,
                ("start",),
                "unknown-step",
                f"there is no step '{flow.start}' to start at",
                did_you_mean(flow.start, flow.steps),
            )
        if flow.otherwise is not None:
            names.destination(flow.otherwise, ("otherwise",))
        for name, option in flow.options.items():
            names.option(option, ("options", name))
        for name, step in flow.steps.items():
            names.step(step, ("steps", name))
    _config(project, report)


class _Names:
    """Checks the names in one document."""

    def __init__(self, project: Project, report: Report, source: Source, flow: str | None) -> None:
        self.project, self.report, self.source, self.flow = project, report, source, flow

    def destination(self, name: str, path: Path, word: str = "next") -> None:
        """A step of this flow, a flow, or `flow.step`."""
        if not name or name == RESUME and word == "next" or self.project.resolve(self.flow, name) is not None:
            return
        flows = self.project.flows
        other, dot, step = name.partition(".")
        if dot and other in flows:
            hint = did_you_mean(step, flows[other][1].steps)
            self.report.add(self.source, path, "unknown-step", f"the flow '{other}' has no step '{step}'", hint)
        elif word == "enter":
            self.report.add(
                self.source,
                path,
                "unknown-flow",
                f"there is no flow or step '{name}' to enter",
                did_you_mean(name, self._near(name)),
            )
        else:
            self.report.add(
                self.source,
                path,
                "unknown-step",
                f"there is no step or flow '{name}'",
                did_you_mean(name, self._near(name)),
            )

    def _near(self, name: str) -> list[str]:
        flows = self.project.flows
        own = list(flows[self.flow][1].steps) if self.flow in flows else []
        elsewhere = [
            f"{flow}.{step}" for flow, (_, made) in flows.items() for step in made.steps if step == name or "." in name
        ]
        return [*own, *flows, *elsewhere]

    def prompt(self, name: str, path: Path) -> None:
        """A name in prompts/."""
        known = self.project.prompt_names()
        if name and name not in known:
            shown = [prompt for prompt in known if "." not in prompt] if "." not in name else known
            hint = did_you_mean(name, shown)
            if not hint.startswith("did you mean"):
                hint = f"write it in prompts/{(self.project.languages() or ['en'])[0]}/, as in '{name}: the words to speak'"
            self.report.add(self.source, path, "unknown-prompt", f"there is no prompt '{name}'", hint)

    def one_of(self, name: str, known: Iterable[str], code: str, what: str, path: Path) -> None:
        """A name declared in config.yaml."""
        if name and name not in known and name != OPAQUE:
            self.report.add(
                self.source, path, code, f"there is no {what} '{name}' in config.yaml", did_you_mean(name, known)
            )

    def option(self, option: Option, path: Path) -> None:
        """Where an option leads and how it is named."""
        if option.next is not None:
            self.destination(option.next, (*path, "next"))
        if option.enter is not None:
            self.destination(option.enter, (*path, "enter"), "enter")
        if option.label is not None:
            self.prompt(option.label, (*path, "label"))

    def step(self, step: Step, path: Path) -> None:
        """Every name in one step."""
        part = self.project.part
        for index, name in enumerate(step.say_also):
            self.prompt(name, self._item(path, "say", index))
        if isinstance(step.next, str):
            self.destination(step.next, (*path, "next"))
        for outcome, name in step.next.items() if isinstance(step.next, Mapping) else ():
            self.destination(name, (*path, "next", outcome))
        if step.otherwise is not None:
            self.destination(step.otherwise, (*path, "otherwise"))
        for name, option in getattr(step, "options", {}).items():
            self.option(option, (*path, "options", name))
        for which in ("no_input", "no_match"):
            prompts = getattr(step, which, None)
            for index, name in enumerate(prompts if isinstance(prompts, tuple) else ()):
                self.prompt(name, (*path, which, index))
        match step:
            case Menu():
                self.prompt(step.menu, (*path, "menu"))
            case Ask():
                self._ask(step, path)
            case Pick():
                self.prompt(step.each, (*path, "each"))
                if step.empty is not None:
                    self.destination(step.empty, (*path, "empty"))
            case Route():
                for index, rule in enumerate(step.route):
                    self.destination(rule.next, (*path, "route", index, "next"))
            case Lookup():
                self.one_of(step.lookup, part.sources, "unknown-source", "source", (*path, "lookup"))
            case Do():
                self.one_of(step.do, part.actions, "unknown-action", "action", (*path, "do"))
            case Verify():
                self.one_of(step.verify, part.verify, "unknown-verify", "verify entry", (*path, "verify"))
            case Enter():
                self.destination(step.enter, (*path, "enter"), "enter")
            case Handoff():
                self.one_of(step.handoff, part.targets, "unknown-target", "target", (*path, "handoff"))
            case Callback():
                self.one_of(step.callback, part.targets, "unknown-target", "target", (*path, "callback"))
            case Case():
                self._case(step, path)
            case Notify():
                self.prompt(step.notify, (*path, "notify"))
            case Voicemail():
                self.one_of(step.voicemail, part.targets, "unknown-target", "target", (*path, "voicemail"))
            case Remember():
                self._remember(step, path)

    def _ask(self, step: Ask, path: Path) -> None:
        self.prompt(step.ask, (*path, "ask"))
        if step.confirm is not None:
            self.prompt(step.confirm, (*path, "confirm"))
        for index, refusal in enumerate(step.refuse):
            self.prompt(refusal.say, (*path, "refuse", index, "say"))

    def _case(self, step: Case, path: Path) -> None:
        if step.summary is not None:
            self.prompt(step.summary, (*path, "summary"))
        known = reasons(self.project)
        if step.about is not None and known and step.about not in known:
            message = (
                f"'{step.about}' is no reason that a menu gives, so nobody who calls about this case is known by it"
            )
            hint = did_you_mean(step.about, known)
            self.report.add(self.source, (*path, "about"), "unknown-reason", message, hint)

    def _remember(self, step: Remember, path: Path) -> None:
        for name in step.remember:
            field = self.project.field(tuple(name.split(".")))
            if not name.startswith("caller.") or field is None or field.kind == "record" and field.fields:
                known = [
                    f"caller.{fact}"
                    for fact in (*self.project.part.facts, "prefers.language", "prefers.manner", "prefers.channel")
                ]
                message = f"'{name}' is not a fact about the caller that can be remembered"
                self.report.add(
                    self.source, (*path, "remember", name), "unknown-fact", message, did_you_mean(name, known), key=True
                )

    def _item(self, path: Path, word: str, index: int) -> Path:
        """A list of one may be written as a single name."""
        inner = (*path, word, index)
        return inner if inner in self.source.marks else (*path, word)


def _line(project: Project, report: Report, source: Source, line: Line) -> None:
    names = _Names(project, report, source, None)
    flows = {*project.flows, *project.opaque_flows}
    for index, rule in enumerate(line.choose):
        _flow(report, source, rule.flow, ("choose", index, "flow"), flows)
    if line.survey:
        _flow(report, source, line.survey.flow, ("survey", "flow"), flows)
    if line.control_group:
        _flow(report, source, line.control_group.flow, ("control_group", "flow"), flows)
    for word, name in (("after", line.after), ("otherwise", line.otherwise)):
        if name is not None:
            names.destination(name, (word,), "line")
    for name, command in line.commands.items():
        path: Path = ("commands", name)
        if command.next is not None:
            names.destination(command.next, (*path, "next"), "line")
        if command.enter is not None:
            names.destination(command.enter, (*path, "enter"), "enter")
        if command.language is not None:
            _language(report, source, command.language, line, (*path, "language"))
    for language in line.voices:
        _language(report, source, language, line, ("voices", language))
    for which in ("no_input", "no_match"):
        prompts = getattr(line, which)
        for index, name in enumerate(prompts if isinstance(prompts, tuple) else ()):
            names.prompt(name, (which, index))
    if line.ask_language is not None:
        names.prompt(line.ask_language, ("ask_language",))
    for index, name in enumerate(line.needs):
        names.one_of(name, project.part.sources, "unknown-source", "source", names._item((), "needs", index))


def _flow(report: Report, source: Source, name: str, path: Path, flows: set[str]) -> None:
    if name not in flows and name != OPAQUE:
        report.add(source, path, "unknown-flow", f"there is no flow '{name}'", did_you_mean(name, flows))


def _language(report: Report, source: Source, name: str, line: Line, path: Path) -> None:
    if name not in line.languages:
        message = f"'{name}' is not one of this line's languages"
        report.add(source, path, "unknown-language", message, did_you_mean(name, line.languages))


def _config(project: Project, report: Report) -> None:
    names = _Names(project, report, project.config or Source("config.yaml", {}), None)
    for name, target in project.part.targets.items():
        if target.whisper is not None:
            names.prompt(target.whisper, ("targets", name, "whisper"))
        for index, prompt in enumerate(target.waiting.say if target.waiting else ()):
            names.prompt(prompt, names._item(("targets", name, target.way), "say", index))
    for name, gesture in project.part.gestures.items():
        names.prompt(gesture.text, ("gestures", name, "text"))
    for name, entry in project.part.verify.items():
        for index, question in enumerate(entry.questions):
            names.prompt(question.ask, ("verify", name, "questions", index, "ask"))

"""A project's folder → its config, its bundle and every problem in them. The only reader of flows/ and prompts/ on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ivr.config import Config, DesignersPart, read_config
from ivr.flow.bundle import Bundle, Parsed, builtin_files, make, nothing_at_all, parse
from ivr.flow.checks import check
from ivr.problems import Problem, errors, ordered
from ivr.source import Source, load

AUDIO = (".wav", ".mp3")
NOT_PUBLISHED = ("flows/tests/", "flows/personas/")


@dataclass(frozen=True, slots=True)
class Project:
    """What was read. `bundle` is None where a problem forbids publishing."""

    folder: Path
    config: Config | None
    parsed: Parsed
    bundle: Bundle | None
    problems: tuple[Problem, ...]


def read_files(folder: Path) -> dict[str, str | bytes]:
    """Path → text of every YAML file of flows/ and prompts/, and the digest of every recording."""
    files: dict[str, str | bytes] = {}
    for top in ("flows", "prompts"):
        for path in sorted((folder / top).rglob("*")):
            name = path.relative_to(folder).as_posix()
            if not path.is_file() or name.startswith(NOT_PUBLISHED) or path.name.startswith("."):
                continue
            if path.suffix in (".yaml", ".yml"):
                files[name] = path.read_bytes()
            elif path.suffix in AUDIO:
                files[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return files


def read_project(folder: Path, environment: Mapping[str, str]) -> Project:
    """Everything in `folder`, with every problem at once. Never raises for what a designer wrote."""
    config, problems = read_config(folder, environment)
    files: dict[str, str | bytes] = {**builtin_files(), **read_files(folder)}
    parsed = parse(files)
    if not any(path.startswith("flows/") for path in files) and config is None:
        return Project(folder, None, parsed, None, ordered(problems))
    problems += nothing_at_all(parsed) if not parsed.problems else []
    part = config.designers_part() if config else DesignersPart()
    problems += check(parsed, config_source(folder), part, files) if config else list(parsed.problems)
    found = ordered(problems)
    bundle = None
    if config is not None and not errors(found):
        texts = {name: text.decode() if isinstance(text, bytes) else text for name, text in files.items()}
        bundle = make(texts, part, parsed)
    return Project(folder, config, parsed, bundle, found)


def config_source(folder: Path) -> Source | None:
    """config.yaml with the places of everything in it."""
    try:
        sources, _ = load("config.yaml", (folder / "config.yaml").read_bytes())
    except OSError:
        return None
    return sources[0] if sources else None

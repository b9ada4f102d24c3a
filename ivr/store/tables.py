"""Every table, each with one writer. Personal values lie where they can be erased without breaking a call's events."""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table, Text, text

metadata = MetaData()

bundles = Table(
    "bundles",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("body", Text, nullable=False),
    Column("at", Float, nullable=False),
)

published = Table(
    "published",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("bundle", String(40), nullable=False),
    Column("at", Float, nullable=False),
)

notices = Table(
    "notices",
    metadata,
    Column("line", String(60), primary_key=True),
    Column("text", Text, nullable=False),
    Column("at", Float, nullable=False),
)

callers = Table(
    "callers",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("at", Float, nullable=False),
)

numbers = Table(
    "numbers",
    metadata,
    Column("number", String(20), primary_key=True),
    Column("caller", String(40), ForeignKey("callers.id", ondelete="CASCADE"), primary_key=True),
    Index("ix_numbers_caller", "caller"),
)

facts = Table(
    "facts",
    metadata,
    Column("caller", String(40), ForeignKey("callers.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String(100), primary_key=True),
    Column("value", Text, nullable=False),
    Column("source", String(60), nullable=False),
    Column("at", Float, nullable=False),
    Column("purpose", String(60), nullable=False),
    Column("until", Float),
    Index("ix_facts_until", "until"),
)

history = Table(
    "history",
    metadata,
    Column("caller", String(40), ForeignKey("callers.id", ondelete="CASCADE"), primary_key=True),
    Column("record", Text, nullable=False),
    Column("at", Float, nullable=False),
    Index("ix_history_at", "at"),
)

cases = Table(
    "cases",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("caller", String(40), ForeignKey("callers.id", ondelete="CASCADE"), nullable=False),
    Column("about", String(60), nullable=False),
    Column("summary", Text),
    Column("opened", String(10), nullable=False),
    Column("closed", String(10)),
    Column("origin", String(10), nullable=False, server_default="import"),
    Column("line", String(60)),
    Column("changed", Float),
    Index("ix_cases_caller", "caller"),
)

case_events = Table(
    "case_events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("case", String(40), ForeignKey("cases.id", ondelete="CASCADE"), nullable=False),
    Column("at", Float, nullable=False),
    Column("kind", String(12), nullable=False),
    Column("call", String(64)),
    Column("user", String(40)),
    Column("text", Text),
    Index("ix_case_events_case", "case"),
)

promises = Table(
    "promises",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("case", String(40), ForeignKey("cases.id", ondelete="CASCADE"), nullable=False),
    Column("text", Text, nullable=False),
    Column("by", String(10)),
    Column("kept", String(10)),
    Index("ix_promises_case", "case"),
)

calls = Table(
    "calls",
    metadata,
    Column("sid", String(64), primary_key=True),
    Column("state", String(10), nullable=False),
    Column("turn", Integer, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("line", String(60), nullable=False),
    Column("bundle", String(40), nullable=False),
    Column("caller", String(40)),
    Column("number", String(20)),
    Column("because", Text, nullable=False),
    Column("control", Integer, nullable=False),
    Column("language", String(10), nullable=False),
    Column("session", Text),
    Column("twiml", Text, nullable=False),
    Column("outcome", String(20)),
    Column("unfinished", Integer),
    Column("started", Float, nullable=False),
    Column("updated", Float, nullable=False),
    Column("silent_at", Float, nullable=False),
    Column("ended", Float),
    Index(
        "ix_calls_open_caller", "caller", sqlite_where=text("state = 'open'"), postgresql_where=text("state = 'open'")
    ),
    Index(
        "ix_calls_open_number", "number", sqlite_where=text("state = 'open'"), postgresql_where=text("state = 'open'")
    ),
    Index("ix_calls_started", "started"),
)

events = Table(
    "events",
    metadata,
    Column("sid", String(64), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("turn", Integer, nullable=False),
    Column("type", String(24), nullable=False),
    Column("at", Float, nullable=False),
    Column("step", String(130), nullable=False),
    Column("data", Text, nullable=False),
    Column("private", Text),
    sqlite_with_rowid=False,
)

recordings = Table(
    "recordings",
    metadata,
    Column("sid", String(64), primary_key=True),
    Column("call", String(64), nullable=False),
    Column("url", Text, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("status", String(20), nullable=False),
    Column("at", Float, nullable=False),
    Column("heard", Float),
    Index("ix_recordings_call", "call"),
    Index("ix_recordings_at", "at"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", String(100), nullable=False, unique=True),
    Column("kind", String(20), nullable=False),
    Column("name", String(60), nullable=False),
    Column("payload", Text, nullable=False),
    Column("call", String(64)),
    Column("run_at", Float, nullable=False),
    Column("leased_until", Float),
    Column("attempts", Integer, nullable=False),
    Column("done", Float),
    Column("failed", Float),
    Column("error", Text),
    Index(
        "ix_outbox_due",
        "run_at",
        sqlite_where=text("done IS NULL AND failed IS NULL"),
        postgresql_where=text("done IS NULL AND failed IS NULL"),
    ),
)

lookup_cache = Table(
    "lookup_cache",
    metadata,
    Column("source", String(60), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
    Column("at", Float, nullable=False),
    Index("ix_lookup_cache_at", "at"),
)

popularity = Table(
    "popularity",
    metadata,
    Column("scope", String(60), primary_key=True),
    Column("counts", Text, nullable=False),
    Column("at", Float, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("name", String(60), nullable=False, unique=True),
    Column("at", Float, nullable=False),
)

tasks = Table(
    "tasks",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("way", String(10), nullable=False),
    Column("target", String(60), nullable=False),
    Column("line", String(60), nullable=False),
    Column("state", String(10), nullable=False),
    Column("result", String(20)),
    Column("call", String(64), nullable=False),
    Column("caller", String(40)),
    Column("number", String(20)),
    Column("language", String(10), nullable=False),
    Column("reason", String(60)),
    Column("words", Text),
    Column("because", String(100)),
    Column("ahead", Float, nullable=False),
    Column("entered", Float, nullable=False),
    Column("due", Float, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("low", Float),
    Column("high", Float),
    Column("recording", String(64)),
    Column("external", String(40)),
    Column("last_agent", String(40)),
    Column("agent", String(40)),
    Column("agent_call", String(64)),
    Column("opened", Float),
    Column("taken", Float),
    Column("talked", Float),
    Column("parted", Float),
    Column("done", Float),
    Column("outcome", String(20)),
    Column("note", Text),
    Column("changed", Float, nullable=False),
    Index("ix_tasks_open", "target", sqlite_where=text("done IS NULL"), postgresql_where=text("done IS NULL")),
    Index("ix_tasks_changed", "changed"),
    Index("ix_tasks_call", "call"),
    Index("ix_tasks_caller", "caller"),
    Index("ix_tasks_done", "target", "done"),
)

grants = Table(
    "grants",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("kind", String(12), nullable=False),
    Column("name", String(60), nullable=False),
    Column("task", String(80), nullable=False),
    Column("call", String(64), nullable=False),
    Column("caller", String(40)),
    Column("reason", String(60)),
    Column("amount", Float),
    Column("by", String(10)),
    Column("words", Text),
    Column("why", Text),
    Column("user", String(40), nullable=False),
    Column("at", Float, nullable=False),
    Column("undone", Float),
    Index("ix_grants_task", "task"),
    Index("ix_grants_like", "name", "reason"),
)

users = Table(
    "users",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("login", String(80), nullable=False, unique=True),
    Column("name", String(80), nullable=False),
    Column("password", String(200), nullable=False),
    Column("role", String(10), nullable=False),
    Column("phone", String(80)),
    Column("targets", Text, nullable=False),
    Column("presence", String(10), nullable=False),
    Column("presence_at", Float, nullable=False),
    Column("disabled", Float),
    Column("at", Float, nullable=False),
)

web_sessions = Table(
    "web_sessions",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("user", String(40), ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("at", Float, nullable=False),
    Column("seen", Float, nullable=False),
    Column("until", Float, nullable=False),
    Column("browser", String(200), nullable=False),
    Index("ix_web_sessions_user", "user"),
)

login_attempts = Table(
    "login_attempts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("login", String(80), nullable=False),
    Column("address", String(64), nullable=False),
    Column("at", Float, nullable=False),
    Index("ix_login_attempts_login", "login", "at"),
    Index("ix_login_attempts_address", "address", "at"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False),
    Column("user", String(40)),
    Column("action", String(40), nullable=False),
    Column("about", String(100), nullable=False),
    Column("detail", Text, nullable=False),
    Index("ix_audit_at", "at"),
)

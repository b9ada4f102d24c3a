"""Signing in and out, who may see what, and what every page keeps: CSRF, cookies, headers, colours, vendored files."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Callable

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from ivr.errors import StoreGone
from ivr.store.sessions import IDLE, PER_ADDRESS, PER_LOGIN, WINDOW
from ivr.store.users import ROLES, User
from ivr.web import console
from ivr.web.auth import local
from ivr.web.filters import lasting, relative, zone
from tests.actors import MARGO, House
from tests.conftest import MakeHouse
from tests.web.browser import PASSWORD, Browser, Page, user

PAGES = True

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def with_password(house: House, login: str = "ada", role: str = "agent") -> User:
    """Somebody whose password is PASSWORD, hashed long ago with weaker parameters."""
    someone = user(house, login, role)
    house.store.users.set_password(someone.id, CHEAP.hash(PASSWORD))
    return someone


def cookie(page: Page) -> str:
    return page.headers.get("Set-Cookie", "")


def shown_password(page: Page) -> str:
    found = re.search(r"with the password <code>([^<]+)</code>", page.text)
    assert found
    return found[1]


# In and out


def test_who_signs_in_is_known_until_they_sign_out(house: House) -> None:
    with_password(house)
    page = Browser(house)
    assert page.get("/account").headers["Location"] == "/login?next=/account"
    assert (page.signs_in("ADA ").status, page.get("/account").status) == (303, 200)
    assert "Sign in" not in page.get("/account").text
    assert page.get("/login").headers["Location"] == page.get("/").headers["Location"] == "/desk"
    assert page.post("/logout").headers["Location"] == "/login"
    assert page.get("/account").status == 303 and house.rows("web_sessions") == []
    assert [each.action for each in house.store.audit.recent(9)] == ["logout", "login"]


def test_a_copied_cookie_is_worth_nothing_after_signing_out(line: House) -> None:
    with_password(line)
    page, thief = Browser(line), Browser(line)
    copied = cookie(page.signs_in("ada")).split(";")[0].partition("=")[2]
    thief.client.set_cookie("ivr_session", copied)
    assert thief.get("/account").status == 200
    page.post("/logout")
    assert thief.get("/account").status == 303


def test_the_cookie_cannot_be_read_by_scripts_nor_sent_by_other_sites(line: House, make_house: MakeHouse) -> None:
    with_password(line)
    plain = cookie(Browser(line).signs_in("ada"))
    assert "HttpOnly" in plain and "SameSite=Lax" in plain and "Path=/" in plain and "Secure" not in plain
    safe = make_house(line.url, config={"public_url": "https://line.example"})
    assert "Secure" in cookie(Browser(safe).get("/login"))


def test_signing_in_begins_a_new_session_whatever_the_cookie_held(line: House) -> None:
    with_password(line)
    page = Browser(line)
    before = page.token
    page.signs_in("ada")
    assert page.post("/logout", token=before).status == 400
    assert page.get("/account").status == 200


def test_neither_token_nor_password_is_in_the_database(line: House) -> None:
    with_password(line)
    page = Browser(line)
    page.signs_in("ada")
    with page.client.session_transaction() as session:
        token = session["token"]
    everything = line.dump()
    assert token not in everything and PASSWORD not in everything
    assert hashlib.sha256(token.encode()).hexdigest() in everything


def test_a_hash_with_old_parameters_is_renewed_at_the_next_sign_in(line: House) -> None:
    with_password(line)
    Browser(line).signs_in("ada")
    renewed = line.store.users.password_hash("ada")
    assert renewed is not None and "m=32768,t=3" in renewed
    assert Browser(line).signs_in("ada").status == 303


def test_a_wrong_password_and_an_unknown_login_get_the_same_answer(line: House) -> None:
    with_password(line)
    disabled = with_password(line, "bob")
    line.store.users.disable(disabled.id, line.moment())
    for login, password in (("ada", "wrong password"), ("nobody", PASSWORD), ("bob", PASSWORD), ("", "")):
        refused = Browser(line).signs_in(login, password)
        assert refused.status == 401 and "Login or password is wrong." in refused.text
        assert PASSWORD not in refused.text and "token" not in cookie(refused)


def test_an_unknown_login_costs_a_hash_too(line: House, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []
    verify = PasswordHasher.verify

    def watched(self: PasswordHasher, stored: str, password: str) -> bool:
        looked_at.append(stored.split("$")[3])
        return verify(self, stored, password)

    monkeypatch.setattr(PasswordHasher, "verify", watched)
    Browser(line).signs_in("nobody")
    assert looked_at == ["m=32768,t=3,p=1"]


def test_after_five_failures_the_right_password_has_to_wait_too(house: House) -> None:
    with_password(house)
    page = Browser(house)
    for _ in range(PER_LOGIN):
        assert page.signs_in("ada", "wrong password").status == 401
    refused = page.signs_in("ada")
    assert refused.status == 429 and "Try again at 09:3" in refused.text
    assert 0 < int(refused.headers["Retry-After"]) <= WINDOW
    house.moment.pass_by(WINDOW)
    assert page.signs_in("ada").status == 303
    assert house.rows("login_attempts") == []


def test_one_address_cannot_try_many_logins_and_a_forged_address_does_not_help(line: House) -> None:
    for number in range(PER_ADDRESS):
        line.store.attempts.begin(f"user{number}", "8.8.8.8", line.moment())
    page = Browser(line)
    form = {"login": "ada", "password": PASSWORD, "csrf_token": page.token}

    def come(peer: str, forwarded: str) -> int:
        environ = {"REMOTE_ADDR": peer}
        headers = {"X-Forwarded-For": forwarded}
        return page.client.post("/login", data=form, environ_base=environ, headers=headers).status_code

    assert come("8.8.8.8", "203.0.113.1") == 429
    assert come("127.0.0.1", "203.0.113.1, 8.8.8.8") == 429
    assert come("10.0.0.1", "8.8.4.4") == 401
    assert come("127.0.0.1", "nonsense") == 401


# Where signing in leads


def test_signing_in_leads_back_to_where_one_was(line: House) -> None:
    with_password(line)
    for path in ("/account", "/users?x=1", "/desk/task/CA1-1#now"):
        assert Browser(line).signs_in("ada", next=path).headers["Location"] == path


ELSEWHERE = (
    "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example",
    "http:evil.example", "javascript:alert(1)", "evil.example", "/\t/evil.example", "/\n/evil.example",
    "\t//evil.example", " //evil.example", "/%0d%0aLocation: x\r\n", "/a\\..\\b", "", "data:text/html,x",
)  # fmt: skip


def test_signing_in_never_leads_to_somebody_elses_page(line: House) -> None:
    with_password(line)
    assert [path for path in ELSEWHERE if local(path)] == []
    for path in ELSEWHERE[:3]:
        page = Browser(line)
        assert page.signs_in("ada", next=path).headers["Location"] == "/desk"
        assert page.client.get("/login", query_string={"next": path}).headers["Location"] == "/desk"


@given(st.text(alphabet="/\\:.@ \t\nae", max_size=8))
def test_a_local_path_begins_with_exactly_one_slash(text: str) -> None:
    path = local(text)
    assert path is None or (path == text and re.match(r"/(?![/\\])", path) and "\\" not in path)


def test_a_page_of_htmx_is_sent_to_sign_in_as_a_whole(line: House) -> None:
    answer = Browser(line).get("/account", htmx=True, **{"HX-Current-URL": "http://localhost/users?x=1"})
    assert answer.status == 401 and answer.headers["HX-Redirect"] == "/login?next=/users"


# Sessions end


def test_a_session_that_an_admin_ends_is_over_at_the_next_click(house: House) -> None:
    ada, root = user(house, "ada"), user(house, "root", "admin")
    page, admin = Browser(house, ada), Browser(house, root)
    assert page.get("/account").status == 200
    assert admin.post(f"/users/{ada.id}/revoke").status == 303
    assert page.get("/account").status == 303


def test_who_is_disabled_is_out_at_once_and_may_come_back(house: House) -> None:
    ada, root = with_password(house), user(house, "root", "admin")
    page, admin = Browser(house, ada), Browser(house, root)
    admin.post(f"/users/{ada.id}/disable")
    assert page.get("/account").status == 303 and page.signs_in("ada").status == 401
    admin.post(f"/users/{ada.id}/enable")
    assert page.get("/account").status == 303 and page.signs_in("ada").status == 303
    assert [each.detail for each in house.store.audit.recent(9, user=root.id)] == ["enable", "disable"]


def test_a_session_that_nobody_uses_ends(line: House) -> None:
    page = Browser(line, user(line, "ada"))
    line.moment.pass_by(IDLE - 1)
    assert page.get("/account").status == 200
    line.moment.pass_by(IDLE)
    assert page.get("/account").status == 303


def test_one_may_sign_out_ones_other_browsers(line: House) -> None:
    ada, bob = user(line, "ada"), user(line, "bob")
    here, there, elsewhere, other = Browser(line, ada), Browser(line, ada), Browser(line, ada), Browser(line, bob)
    with there.client.session_transaction() as session:
        id_ = hashlib.sha256(session["token"].encode()).hexdigest()
    other.post("/account/revoke", session=id_)
    assert there.get("/account").status == 200, "it is not Bob's to end"
    here.post("/account/revoke", session=id_)
    assert (there.get("/account").status, here.get("/account").status) == (303, 200)
    here.post("/account/revoke")
    assert here.get("/account").status == elsewhere.get("/account").status == 303
    assert other.get("/account").status == 200


# My account


def test_name_and_phone_are_ones_own_to_change(line: House) -> None:
    ada = user(line, "ada")
    page = Browser(line, ada)
    assert page.post("/account", name="Ada L.", phone="+1 (734) 555-0123").status == 303
    changed = line.store.users.get(ada.id)
    assert changed is not None and (changed.name, changed.phone) == ("Ada L.", "+17345550123")
    assert "Saved." in page.get("/account").text
    refused = page.post("/account", name="Ada", phone="soon")
    assert refused.status == 400 and "is no phone; write +15551234567" in refused.text


def test_a_new_password_needs_the_old_one_and_signs_out_other_browsers(line: House) -> None:
    ada = with_password(line)
    here, there = Browser(line, ada), Browser(line, ada)
    assert here.post("/account/password", old="wrong password", new="x" * 12).status == 400
    assert "10 to 200 characters" in here.post("/account/password", old=PASSWORD, new="short").text
    assert here.post("/account/password", old=PASSWORD, new="another long one").status == 303
    assert (here.get("/account").status, there.get("/account").status) == (200, 303)
    assert Browser(line).signs_in("ada").status == 401
    assert Browser(line).signs_in("ada", "another long one").status == 303


def test_an_open_browser_is_no_place_to_guess_a_password(line: House) -> None:
    page = Browser(line, with_password(line))
    statuses = [page.post("/account/password", old=f"guess {n}", new="x" * 12).status for n in range(PER_LOGIN + 1)]
    assert statuses == [400] * PER_LOGIN + [429]


def test_presence_is_chosen_in_the_menu_except_while_busy(line: House) -> None:
    ada = user(line, "ada")
    page = Browser(line, ada)
    answer = page.post("/account/presence", presence="available", htmx=True)
    assert answer.status == 200 and 'id="presence"' in answer.text and "<html" not in answer.text
    assert page.post("/account/presence", presence="busy").status == 400
    line.store.users.set_presence(ada.id, "busy", line.moment())
    refused = page.post("/account/presence", presence="away", htmx=True)
    assert (refused.status, refused.text) == (409, "You have a task. Finish it first.")


# Roles


PAGES: list[tuple[str, str, set[str]]] = [
    ("GET", "/account", {"agent", "designer", "ops", "admin"}),
    ("GET", "/users", {"admin"}),
    ("POST", "/users", {"admin"}),
    ("POST", "/users/someone", {"admin"}),
    ("POST", "/users/someone/disable", {"admin"}),
    ("POST", "/account/presence", {"agent", "admin"}),
]


@pytest.mark.parametrize("role", ROLES)
def test_a_page_opens_for_its_roles_and_tells_the_others(line: House, role: str) -> None:
    page = Browser(line, user(line, role, role))
    for method, path, roles in PAGES:
        answer = page.get(path) if method == "GET" else page.post(path)
        if role in roles:
            assert answer.status in (200, 303, 400, 404), path
        else:
            assert answer.status == 403 and "An admin can change it under People." in answer.text, path


def test_without_signing_in_every_page_leads_to_login(line: House) -> None:
    page = Browser(line)
    for method, path, _ in PAGES:
        answer = page.get(path) if method == "GET" else page.post(path)
        assert answer.status == 303 and answer.headers["Location"].startswith("/login"), path


def test_an_admin_makes_an_account_whose_password_is_shown_once(house: House) -> None:
    root = Browser(house, user(house, "root", "admin"))
    made = root.post("/users", login="ada", name="Ada", role="agent", phone="", targets="care_team")
    password = shown_password(made)
    assert Browser(house).signs_in("ada", password).status == 303
    assert password not in root.get("/users").text and password not in house.dump()
    ada = house.store.users.by_login("ada")
    assert ada is not None and (ada.role, ada.targets, ada.phone) == ("agent", ("care_team",), None)


def test_what_is_wrong_with_a_new_account_is_said_and_nothing_is_made(line: House) -> None:
    root = Browser(line, user(line, "root", "admin"))
    for fields, says in (
        ({"login": "root", "role": "agent"}, "There is a user &#39;root&#39; already"),
        ({"login": "a b", "role": "agent"}, "no spaces"),
        ({"login": "ada", "role": "boss"}, "choose one of agent"),
        ({"login": "ada", "role": "agent", "phone": "soon"}, "is no phone"),
        ({"login": "ada", "role": "agent", "targets": "nowhere"}, "not a target in config.yaml"),
        ({}, "no spaces"),
    ):
        refused = root.post("/users", **fields)
        assert refused.status == 400 and says in refused.text
    assert [each.login for each in line.store.users.every()] == ["root"]


def test_a_new_role_holds_from_the_next_click(line: House) -> None:
    ada = user(line, "ada")
    page, root = Browser(line, ada), Browser(line, user(line, "root", "admin"))
    assert page.get("/users").status == 403
    assert root.post(f"/users/{ada.id}", role="admin", targets="care_team").status == 303
    assert page.get("/users").status == 200


def test_a_new_password_from_an_admin_ends_the_old_one_its_sessions_and_its_lock(line: House) -> None:
    ada = with_password(line)
    page, root = Browser(line, ada), Browser(line, user(line, "root", "admin"))
    for _ in range(PER_LOGIN):
        line.store.attempts.begin("ada", "8.8.8.8", line.moment())
    password = shown_password(root.post(f"/users/{ada.id}/password"))
    assert page.get("/account").status == 303
    assert Browser(line).signs_in("ada", password).status == 303
    assert Browser(line).signs_in("ada").status == 401


def test_the_last_admin_cannot_lock_everybody_out(line: House) -> None:
    root = user(line, "root", "admin")
    page = Browser(line, root)
    assert page.post(f"/users/{root.id}/disable").status == page.post(f"/users/{root.id}", role="agent").status == 400
    assert line.store.users.get(root.id) == root
    assert page.post("/users/nobody/disable").status == page.post(f"/users/{root.id}/burn").status == 404


def test_hostile_names_are_shown_as_text(line: House) -> None:
    hostile = "<script>alert(1)</script>"
    ada = user(line, "ada<b>", "admin", name=f"{hostile}\" onclick='x' {{{{ 7*7 }}}} أحمد \u202e")
    text = Browser(line, ada).get("/users").text
    assert hostile not in text and "&lt;script&gt;alert(1)" in text
    assert "{{ 7*7 }}" in text and "ada&lt;b&gt;" in text and "\u202e" not in text
    refused = Browser(line).signs_in(hostile, "wrong password")
    assert hostile not in refused.text
    line.store.sessions.open(ada.id, "x", line.moment(), f"{hostile}")
    assert hostile not in Browser(line, ada).get("/account").text


# What every page keeps


FORMS = ["/login", "/logout", "/account", "/account/password", "/account/revoke", "/account/presence", "/users"]


@pytest.mark.parametrize("token", ["", "wrong", "ImFiYyI.aaaa.bbbb"])
def test_a_form_without_its_token_changes_nothing(line: House, token: str) -> None:
    root = user(line, "root", "admin")
    page = Browser(line, root)
    before = line.rows("users"), line.rows("web_sessions")
    fields = {"login": "root", "password": PASSWORD, "name": "x", "presence": "away", "role": "agent"}
    for path in FORMS:
        refused = page.post(path, token=token, **fields)
        assert refused.status == 400 and "reload it and try again" in refused.text, path
    assert (line.rows("users"), line.rows("web_sessions")) == before


def test_a_token_of_somebody_else_is_none(line: House) -> None:
    ada, bob = Browser(line, user(line, "ada")), Browser(line, user(line, "bob"))
    assert ada.post("/account", token=bob.token, name="x").status == 400
    assert ada.client.post("/account", data={"name": "x"}, headers={"X-CSRFToken": ada.token}).status_code == 303


def test_machines_need_no_token_and_get_no_cookie(line: House) -> None:
    line.calls(MARGO).dial().hears("Margo")
    client = line.app.test_client()
    for path in ("/voice/turn", "/api/v1/facts", "/healthz", "/metrics"):
        assert "Set-Cookie" not in client.post(path).headers and "Set-Cookie" not in client.get(path).headers


def test_every_page_is_strict_about_where_things_come_from(line: House) -> None:
    root = Browser(line, user(line, "root", "admin"))
    for path in ("/login", "/account", "/users", "/nowhere", "/users/nobody"):
        headers = root.get(path).headers
        assert {name: headers[name] for name in console.HEADERS} == console.HEADERS
        assert headers["Cache-Control"] == "no-store" and "'unsafe" not in headers["Content-Security-Policy"]


def test_no_page_holds_script_or_style_or_anything_from_elsewhere(line: House) -> None:
    root = Browser(line, user(line, "root", "admin"))
    texts = [root.get(path).text for path in ("/account", "/users", "/nowhere")] + [Browser(line).get("/login").text]
    for text in texts:
        assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=|hx-on|javascript:", text)
        assert not re.search(r"(?:src|href|action)=[\"']?(?:https?:)?//", text)
        assert '"allowEval":false' in text


ERRORS: list[tuple[Callable[[Browser], Page], int, str]] = [
    (lambda page: page.get("/nowhere"), 404, "There is no page at this address."),
    (lambda page: page.post("/account", name="x" * 300_000), 413, "larger than we take"),
    (lambda page: page.get("/logout"), 405, "cannot be used like this"),
]


@pytest.mark.parametrize(("act", "status", "says"), ERRORS, ids=["404", "413", "405"])
def test_an_error_is_a_page_in_words(line: House, act: Callable[[Browser], Page], status: int, says: str) -> None:
    answer = act(Browser(line, user(line, "ada")))
    assert answer.status == status and says in answer.text and "<h1>" in answer.text


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (StoreGone("no answer"), 503, "Calls go on"),
        (ValueError("Margo said: x"), 500, "Something went wrong on our side"),
    ],
)
def test_a_fault_is_a_page_and_its_words_stay_inside(
    line: House,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    status: int,
    says: str,
) -> None:
    def fails(*_: object) -> None:
        raise error

    page = Browser(line, user(line, "ada"))
    monkeypatch.setattr(type(line.store.sessions), "of", fails)
    answer = page.get("/account")
    assert answer.status == status and says in answer.text and "Margo" not in answer.text + capsys.readouterr().err
    assert page.get("/account", htmx=True).text == console.WORDS[status][1]


def test_with_the_database_gone_a_page_says_so(line: House, make_house: MakeHouse) -> None:
    page = Browser(make_house("postgresql+psycopg://nobody@127.0.0.1:1/nothing", publish=False))
    with page.client.session_transaction() as session:
        session["token"] = "x"
    answer = page.get("/account")
    assert answer.status == 503 and "The database does not answer" in answer.text


def test_a_machine_still_gets_its_errors_as_it_did(line: House) -> None:
    client = line.app.test_client()
    assert client.get("/nowhere").content_type.startswith("text/plain")
    assert client.get("/api/v1/nowhere", headers={"Accept": "text/html"}).content_type == "application/json"


# Files


def test_files_are_kept_by_browsers_under_their_contents_name(line: House) -> None:
    client = line.app.test_client()
    found = re.search(r'href="(/static/console\.css\?v=[0-9a-f]{12})"', client.get("/login").text)
    assert found
    kept, checked = client.get(found[1]), client.get("/static/console.css")
    assert kept.cache_control.max_age == console.YEAR and checked.cache_control.no_cache
    assert kept.headers["X-Content-Type-Options"] == "nosniff"
    for path in ("/static/../console.py", "/static/%2e%2e/console.py", "/static/nothing.js"):
        assert client.get(path).status_code == 404
    for answer in (kept, checked):
        answer.close()


def test_vendored_files_are_what_their_makers_published_with_their_licences() -> None:
    vendor = console.STATIC / "vendor"
    sums = dict(reversed(row.split("  ")) for row in (vendor / "CHECKSUMS").read_text().splitlines())
    files = {path.name for path in vendor.iterdir()} - {"CHECKSUMS"}
    assert set(sums) == files
    for name, sum_ in sums.items():
        assert hashlib.sha256((vendor / name).read_bytes()).hexdigest() == sum_, name
    for name in files - {name for name in files if name.endswith("LICENSE")}:
        assert name.replace(".min.js", ".LICENSE") in files


def test_the_stylesheet_is_small_and_needs_nothing_else() -> None:
    sheet = (console.STATIC / "console.css").read_text()
    assert len(sheet.encode()) < 30_000
    assert "url(" not in sheet and "@import" not in sheet


# Colours


def colours() -> list[dict[str, str]]:
    """The tokens in light and in dark."""
    sheet = (console.STATIC / "console.css").read_text()
    pairs = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\);", sheet)
    assert len(pairs) == 12
    return [{name: both[theme] for name, *both in pairs} for theme in (0, 1)]


def luminance(colour: str) -> float:
    """WCAG's relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_every_text_and_every_edge_has_the_contrast_of_aa(theme: int) -> None:
    tokens = colours()[theme]
    texts, grounds = ("ink", "muted", "accent", "good", "warn", "bad"), ("ground", "raised", "chosen")
    pairs = [*itertools.product(texts, grounds), ("on-accent", "accent"), ("ground", "ink")]
    too_low = {pair: contrast(tokens[pair[0]], tokens[pair[1]]) for pair in pairs}
    assert {pair: value for pair, value in too_low.items() if value < 4.5} == {}
    edges = itertools.product(("edge", "accent"), grounds)
    assert [pair for pair in edges if contrast(tokens[pair[0]], tokens[pair[1]]) < 3] == []


def test_light_and_dark_differ_in_every_colour() -> None:
    light, dark = colours()
    assert all(light[name] != dark[name] for name in light)


# Times and numbers as pages write them


def test_times_are_relative_within_a_day_and_dates_beyond(line: House) -> None:
    with line.app.app_context():
        here, now = zone("northlight"), line.moment()
        assert str(here) == str(zone(None)) == "America/Detroit"
        for seconds, words in (
            (0, "just now"), (44, "just now"), (60, "1 min ago"), (240, "4 min ago"), (3569, "59 min ago"),
            (3600, "1 h ago"), (82_800, "23 h ago"), (86_400, "1 Mar"), (86_400 * 70, "22 Dec 2025"),
            (-10, "in a moment"), (-120, "in 2 min"), (-7200, "in 2 h"), (-90_000, "3 Mar"),
        ):  # fmt: skip
            assert relative(now - seconds, now, here) == words
    assert [lasting(seconds) for seconds in (None, -3, 42.9, 725, 3725)] == ["0:00", "0:00", "0:42", "12:05", "1:02:05"]


def test_a_time_says_exactly_when_on_hover(line: House) -> None:
    text = Browser(line, user(line, "ada")).get("/account").text
    assert '<time datetime="2026-03-02T14:15:00Z" title="Mon 2 Mar 2026, 09:15:00 EST">just now</time>' in text

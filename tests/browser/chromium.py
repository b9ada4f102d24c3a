"""Which browser the tests drive: the system's Chromium, or the one that Playwright has downloaded.

`python -m tests.browser.chromium` says in one line what is missing, and how to get it.
"""

from __future__ import annotations

import shutil
import sys

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = (
    "The tests of the desk need Chromium, and there is none; "
    "get it with 'apt-get install chromium' or '.venv/bin/playwright install chromium'."
)


def find(playwrights_own: str) -> str | None:
    """The path of a browser; None where there is none."""
    return next((path for name in (*NAMES, playwrights_own) if (path := shutil.which(name))), None)


if __name__ == "__main__":
    with sync_playwright() as playwright:
        sys.exit(None if find(playwright.chromium.executable_path) else MISSING)

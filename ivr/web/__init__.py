"""The Flask edge: `create_app(config)`."""

from ivr.web.app import create_app

__all__ = ["create_app"]

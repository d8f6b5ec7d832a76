"""Django without a project: one process with a database for each sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING

import django
from django.conf import settings
from django.db import connections

if TYPE_CHECKING:
    from pathlib import Path

    from cube_sandbox.postgres import Postgres
    from cube_sandbox.sandbox import Sandbox

#: One of Django's `DATABASES`.
Database = Mapping[str, object]

#: The sandbox of the current request or edit.
current: ContextVar[Sandbox] = ContextVar("current")


class CurrentDatabase:
    """Sends every query to the database of the current sandbox."""

    def db_for_read(self, *_model: object, **_hints: object) -> str:
        """Return the database of the current sandbox."""
        return current.get().database

    db_for_write = db_for_read


def set_up() -> None:
    """Set up Django once in a process."""
    if settings.configured:
        return
    rest_framework = {
        "DEFAULT_AUTHENTICATION_CLASSES": [
            "cube_sandbox.authentication.KnownTokenAuthentication",
            "rest_framework.authentication.BasicAuthentication",
        ],
        "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    }
    settings.configure(
        ALLOWED_HOSTS=["*"],
        DATABASES={},
        DATABASE_ROUTERS=["cube_sandbox.project.CurrentDatabase"],
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "rest_framework",
            "rest_framework.authtoken",
            "cube_sandbox",
        ],
        LOGGING_CONFIG=None,
        MIDDLEWARE=[
            "cube_sandbox.middleware.Gzip",
            "cube_sandbox.middleware.Rows",
            "django.middleware.common.CommonMiddleware",
        ],
        # Basic authentication hashes the password in every request, so the hash must be fast.
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        REST_FRAMEWORK=rest_framework,
        ROOT_URLCONF=(),
        TIME_ZONE="Europe/Oslo",
        USE_I18N=False,
        USE_TZ=True,
    )
    django.setup()


def sqlite(path: Path) -> Database:
    """Django's settings of a database in a file."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "init_command": "PRAGMA journal_mode=wal; PRAGMA synchronous=off;",
            "timeout": 30,
            "transaction_mode": "IMMEDIATE",
        },
    }


def postgresql(database: Postgres) -> Database:
    """Django's settings of a database in PostgreSQL."""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": database.host,
        "PORT": database.port,
        "USER": database.user,
        "PASSWORD": database.password,
        "NAME": database.database,
        "CONN_MAX_AGE": None,
    }


def register_database(alias: str, database: Database) -> None:
    """Register a database under a new name."""
    # A new mapping each time, since threads of other sandboxes may be iterating over the old one.
    connections.settings = connections.configure_settings({**connections.settings, alias: database})


def release(alias: str) -> None:
    """Close this thread's connection to a database, if it has one."""
    if alias in connections.settings:
        connections[alias].close()


def unregister_database(alias: str) -> None:
    """Close this thread's connection and remove the name."""
    release(alias)
    del connections[alias]
    connections.settings = {
        name: database for name, database in connections.settings.items() if name != alias
    }

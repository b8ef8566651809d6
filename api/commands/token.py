"""`task-api token`: issues a token for a user, for development and tests."""

import argparse

from api.auth.authenticator import issue_token
from api.commands.console import CommandError
from api.settings import AuthSettings, load


def run(options: argparse.Namespace) -> None:
    """`task-api token`: print a token."""
    try:
        print(issue_token(load(AuthSettings), options.user_id))
    except ValueError as error:
        raise CommandError(error) from None

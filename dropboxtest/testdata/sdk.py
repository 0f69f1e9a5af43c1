"""Drives the genuine Dropbox SDK: one JSON command a line in, one answer out."""

import json
import sys
import warnings

warnings.simplefilter("ignore")  # pkg_resources is deprecated

import dropbox
import dropbox.exceptions
import requests


class Driver:
    def __init__(self):
        self.flow = None
        self.client = None
        self.session = {}

    def start(self, redirect_uri=None, **options):
        if redirect_uri:
            self.flow = dropbox.DropboxOAuth2Flow(
                options.pop("app_key"), redirect_uri, self.session, "csrf", **options)
        else:
            self.flow = dropbox.DropboxOAuth2FlowNoRedirect(
                options.pop("app_key"), **options)
        return {"url": self.flow.start()}

    def finish(self, result):
        linked = self.flow.finish(result)
        return {
            "access_token": linked.access_token,
            "refresh_token": linked.refresh_token,
            "account_id": linked.account_id,
            "user_id": linked.user_id,
            "scope": linked.scope,
            "expires": linked.expires_at is not None,
        }

    def open(self, **options):
        self.client = dropbox.Dropbox(
            max_retries_on_error=0, max_retries_on_rate_limit=0, **options)
        return {}

    def account(self):
        a = self.client.users_get_current_account()
        return {
            "account_id": a.account_id,
            "email": a.email,
            "name": a.name.display_name,
            "basic": a.account_type.is_basic(),
            "team": a.team.name if a.team else None,
            "root": type(a.root_info).__name__,
        }

    def check(self, query):
        return {"result": self.client.check_user(query).result}

    def check_app(self, query):
        return {"result": self.client.check_app(query).result}

    def refresh(self, scope=None):
        before = self.client._oauth2_access_token
        self.client.refresh_access_token(scope=scope)
        return {"changed": before != self.client._oauth2_access_token}

    def revoke(self):
        self.client.auth_token_revoke()
        return {}

    def from_oauth1(self):
        self.client.auth_token_from_oauth1("token", "secret")
        return {}


def failure(e):
    out = {"error": type(e).__name__}
    if isinstance(e, requests.exceptions.HTTPError):
        out["status"] = e.response.status_code
        out["body"] = e.response.text
    elif isinstance(e, dropbox.exceptions.ApiError):
        out["tag"] = e.error._tag
    elif isinstance(e, dropbox.exceptions.AuthError):
        out["tag"] = e.error._tag
        out["request_id"] = e.request_id
        if e.error.is_missing_scope():
            out["scope"] = e.error.get_missing_scope().required_scope
    elif isinstance(e, dropbox.exceptions.RateLimitError):
        out["tag"] = e.error.reason._tag if e.error else ""
        out["backoff"] = e.backoff
    elif isinstance(e, dropbox.exceptions.BadInputError):
        out["body"] = e.message
    else:
        out["body"] = str(e)
    return out


driver = Driver()
for line in sys.stdin:
    command = json.loads(line)
    try:
        answer = getattr(driver, command.pop("do"))(**command)
    except Exception as e:
        answer = failure(e)
    print(json.dumps(answer), flush=True)

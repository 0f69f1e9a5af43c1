"""Does with Maestral's files, and with a keyring, what Maestral does.

    maestral.py ERA CONFIG start|show|link ACCOUNT TOKEN CLASS|unlink

ERA is 1.4.8 (OAuth2Session; the access type in the state file) or 1.9
(CredentialStorage; the access type in neither, only refresh tokens). Prints
what the program then believes, as JSON. Written after how the two behave.
"""

import configparser
import json
import os
import sys

from keyring.core import load_keyring

SYNC = {"path": "", "excluded_items": "[]", "max_cpu_percent": "20.0", "upload": "True", "download": "True"}
PERSON = {"email": "", "display_name": "", "abbreviated_name": "", "type": "", "usage": "", "usage_type": ""}
ERAS = {
    "1.4.8": {
        "version": "16.0.0",
        "conf": {"auth": {"account_id": "", "keyring": "automatic"}, "app": {"log_level": "20"}, "sync": SYNC},
        "state": {
            "account": PERSON,
            "auth": {"token_access_type": ""},
            "app": {"updated_scripts_completed": "1.4.8"},
            "sync": {"cursor": ""},
        },
    },
    "1.9": {
        "version": "20.0",
        "conf": {
            "auth": {"account_id": "", "keyring": "automatic", "token_access_type": "offline"},
            "app": {"log_level": "20"},
            "sync": SYNC,
        },
        "state": {"account": PERSON, "app": {"updated_scripts_completed": "1.9.4"}, "sync": {"cursor": ""}},
    },
}


class Settings(configparser.ConfigParser):
    """One of the two files: defaults, with what the file says on top."""

    def __init__(self, path, known, version):
        super().__init__(interpolation=None)
        self.path = path
        self.known = {**known, "main": {"version": version}}
        self.read_dict(self.known)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.read(path, encoding="utf-8")
        self.change("main", "version", version)

    def change(self, section, option, value):
        self.set(section, option, value)
        with open(self.path, "w", encoding="utf-8") as out:
            self.write(out)

    def drop_unknown(self):
        for section in self.sections():
            for option in list(self.options(section)):
                if option not in self.known.get(section, {}):
                    self.remove_option(section, option)
            if not self.options(section):
                self.remove_section(section)
        with open(self.path, "w", encoding="utf-8") as out:
            self.write(out)


class Maestral:
    def __init__(self, era, config):
        home = os.environ["HOME"]
        conf = os.environ.get("XDG_CONFIG_HOME", os.path.join(home, ".config"))
        data = os.environ.get("XDG_DATA_HOME", os.path.join(home, ".local", "share"))
        self.config = config
        self.type_in_state = era == "1.4.8"
        known = ERAS[era]
        self.conf = Settings(os.path.join(conf, "maestral", config + ".ini"), known["conf"], known["version"])
        self.state = Settings(os.path.join(data, "maestral", config + ".state"), known["state"], known["version"])

    def start(self):
        self.conf.drop_unknown()
        self.state.drop_unknown()

    def user(self):
        return "config:%s:%s" % (self.config, self.conf.get("auth", "account_id"))

    def show(self):
        account, name = self.conf.get("auth", "account_id"), self.conf.get("auth", "keyring").strip()
        token = None
        if account and name != "automatic":
            token = load_keyring(name).get_password("Maestral", self.user())
        kind = "offline"
        if self.type_in_state:
            kind = self.state.get("auth", "token_access_type")
            if account and not kind:
                kind = "legacy"
        return {
            "account_id": account,
            "keyring": name,
            "token_access_type": kind,
            "token": token,
            "email": self.state.get("account", "email"),
            "path": self.conf.get("sync", "path"),
            "excluded_items": self.conf.get("sync", "excluded_items"),
            "cursor": self.state.get("sync", "cursor"),
        }

    def link(self, account, token, name):
        load_keyring(name).set_password("Maestral", "config:%s:%s" % (self.config, account), token)
        self.conf.change("auth", "keyring", name)
        self.conf.change("auth", "account_id", account)
        if self.type_in_state:
            self.state.change("auth", "token_access_type", "offline")

    def unlink(self):
        load_keyring(self.conf.get("auth", "keyring")).delete_password("Maestral", self.user())
        self.conf.change("auth", "keyring", "automatic")
        self.conf.change("auth", "account_id", "")
        (self.state if self.type_in_state else self.conf).change("auth", "token_access_type", "")


if __name__ == "__main__":
    program = Maestral(sys.argv[1], sys.argv[2])
    getattr(program, sys.argv[3])(*sys.argv[4:])
    json.dump(program.show(), sys.stdout)

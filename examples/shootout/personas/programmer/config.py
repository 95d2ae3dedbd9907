"""burrow/config.py: reads ~/.burrow, complains properly, guesses nothing.

i've been on both ends of config files that "helpfully" ignore what they don't know. you write `exlude = *.tmp`, it says
nothing, and eight months later there's 90 GB of tmp in the backup and an l-shaped hole where your trust used to be. so:
unknown key = error, with a suggestion. that's the whole personality of this file.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from pathlib import Path

KNOWN = {"root", "source", "exclude", "remote", "report_to", "nice"}

# the sample is the documentation. if it ever disagrees with the parser, test_config loads it and i find out.
SAMPLE = """\
root      = /mnt/usb/burrow
source    = /home/ruben
source    = /srv/photos          # repeat a key to get a list
exclude   = .cache
remote    = http://[2001:db8:77::18]:8077
report_to = backups@falke.example.org
nice      = 10
"""


class ConfigError(Exception):
    pass


@dataclass
class Config:
    root: Path | None = None
    sources: list[Path] = field(default_factory=list)
    excludes: list[str] = field(default_factory=list)
    remote: str = ""
    report_to: str = ""
    nice: int = 0


def parse(text: str, name: str = "<string>") -> Config:
    config = Config()
    for number, raw in enumerate(text.splitlines(), start=1):
        # comments run from # to the end. so you can't have a # in a path. if you have a # in a path, we can still be
        # friends, but you'll be the one who writes the quoting rules.
        line = raw.split("#", 1)[0].strip()
        if not line:
            continue
        key, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not value:
            raise ConfigError(f"{name}:{number}: want 'key = value', got {raw!r}")
        if key not in KNOWN:
            close = difflib.get_close_matches(key, KNOWN, n=1)
            hint = f", did you mean {close[0]}?" if close else ""
            raise ConfigError(f"{name}:{number}: no such key {key!r}{hint}")
        match key:
            case "root":
                config.root = Path(value)
            case "source":
                config.sources.append(Path(value))
            case "exclude":
                config.excludes.append(value)
            case "remote":
                config.remote = value.rstrip("/")
            case "report_to":
                config.report_to = value
            case "nice":
                config.nice = int(value)
    # cross-checks last, once we've seen everything. the classic: backing up the backup folder into itself. it works
    # beautifully and gets a little slower every night, like most of my habits.
    if config.root is None:
        raise ConfigError(f"{name}: no root, nowhere to put things")
    for source in config.sources:
        if config.root == source or source in config.root.parents:
            raise ConfigError(f"{name}: root {config.root} is inside source {source}")
    return config

"""The options of commands that start a platform: one for every setting (`app/given.py`) that is no secret."""

import inspect
import os
from collections.abc import Callable, Collection
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from traffic_tacos.app.given import SETTINGS, Setting, Texts, check_environment, read_file
from traffic_tacos.cli import options

CONFIG = typer.Option(
    envvar="TACOS_CONFIG", metavar="FILE", help="A TOML file of settings, under the names that they have as options."
)
OPTIONS = [setting for setting in SETTINGS.values() if not setting.is_secret]
NO_SETTINGS = ("TACOS_AS", "TACOS_CONFIG")  # variables that commands read besides


def with_settings(command: Callable[..., None], but: Collection[str] = ()) -> Callable[..., None]:
    """The command with an option for every setting, `but` for these. Its `given` are those that were given: as an
    option, else in the environment, else in the file that `--config` names.
    """
    settings = [setting for setting in OPTIONS if setting.name not in but]
    own = [one for one in inspect.signature(command).parameters.values() if one.name != "given"]

    @wraps(command)
    def run(context: typer.Context, config: Path | None, **values: Any) -> None:
        check_environment(os.environ, NO_SETTINGS)
        taken = {setting.name: values.pop(setting.field) for setting in settings}
        from_file = {} if config is None else read_file(config)
        command(**values, given={**from_file, **_given(context, taken), **_secrets()})

    first = [_keyword("context", typer.Context), *own, _keyword("config", Annotated[Path | None, CONFIG], None)]
    taken = [_parameter(setting) for setting in settings]
    run.__signature__ = inspect.Signature([*first, *taken])  # type: ignore[attr-defined]  # which typer reads
    return run


def _keyword(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def _parameter(setting: Setting) -> inspect.Parameter:
    kind = list[str] if setting.is_repeated else str
    option = Annotated[kind, options.option_of(setting)]  # type: ignore[valid-type]  # read by typer, not by mypy
    default = None if setting.is_repeated else setting.default_text
    return _keyword(setting.field, option, default)


def _given(context: typer.Context, taken: dict[str, Any]) -> Texts:
    """Without the defaults, so that what a file says is not overruled by one."""
    return {
        name: [*value] if SETTINGS[name].is_repeated else [value]
        for name, value in taken.items()
        if options.is_given(context, SETTINGS[name].field)
    }


def _secrets() -> Texts:
    found = {name: os.environ.get(setting.variable) for name, setting in SETTINGS.items() if setting.is_secret}
    return {name: [value] for name, value in found.items() if value}

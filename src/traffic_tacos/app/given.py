"""What people give of a platform's settings: as options, in the environment, or in a file, under the same names.

Each is texts by name, and `config_of` makes them the fields of a `Config`. `Config` is the one declaration: options,
variables, the keys of a file and the table in the docs are all read from it.
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, get_args, get_type_hints

from traffic_tacos.app.config import About, Config, Secret, checked, parsed_elsewhere
from traffic_tacos.kernel.addresses import Address, parsed_address
from traffic_tacos.kernel.errors import Refusal

VARIABLE_PREFIX = "TACOS_"

Texts: TypeAlias = Mapping[str, Sequence[str]]  # by name; of what cannot be repeated one each


class Setting(NamedTuple):
    """`read` makes the value of the texts that were given, and refuses under the name what cannot be one."""

    field: str
    name: str
    about: About
    default: object
    is_repeated: bool
    read: Callable[[str, Sequence[str]], object]

    @property
    def is_secret(self) -> bool:
        """Given in the environment alone: options are seen by everybody on a machine, and files are copied."""
        return isinstance(self.default, Secret)

    @property
    def variable(self) -> str:
        """Its name in the environment, where several texts have blanks between them."""
        return VARIABLE_PREFIX + self.name.upper().replace("-", "_")

    @property
    def default_text(self) -> str:
        """The default as people would give it; empty where nothing is given."""
        return "" if self.is_repeated or self.default is None else str(self.default)


def config_of(given: Texts) -> Config:
    """Refused when a value cannot be, or when several do not go together."""
    values = {setting.field: setting.read(name, given[name]) for name, setting in SETTINGS.items() if name in given}
    return checked(Config(**values))  # type: ignore[arg-type]  # each has the type of its field


def read_file(path: Path) -> Texts:
    """The settings of a TOML file. Refused when it cannot be read, or has something that is no setting."""
    try:
        found = tomllib.loads(path.read_text())
    except OSError as error:
        raise Refusal.of_field("config", f"must be a file that can be read: {error.strerror}", path) from None
    except ValueError as error:  # TOML's own errors, and bytes that are no text
        raise Refusal.of_field("config", f"must be a TOML file: {error}", path) from None
    _refuse_unknown("config", found, SETTINGS)
    for name in found:
        if SETTINGS[name].is_secret:
            raise Refusal.of_field("config", f"{name} is a secret: give it as {SETTINGS[name].variable}")
    return {name: _texts(SETTINGS[name], value) for name, value in found.items()}


def check_environment(environment: Iterable[str], others: Iterable[str]) -> None:
    """Refuse variables that begin as ours do and are no setting's, nor one of the `others`."""
    known = [*(setting.variable for setting in SETTINGS.values()), *others]
    _refuse_unknown("environment", [name for name in environment if name.startswith(VARIABLE_PREFIX)], known)


def _refuse_unknown(where: str, names: Iterable[str], known: Iterable[str]) -> None:
    for name in sorted({*names} - {*known}):
        meant = get_close_matches(name, known, 1, cutoff=0.0)
        raise Refusal.of_field(where, f"{name} is no setting; did you mean {meant[0]}?", name)


def _texts(setting: Setting, value: object) -> list[str]:
    """What a file has under a name, as texts: numbers as they are written, a list of what may be repeated."""
    values = value if setting.is_repeated and isinstance(value, list) else [value]
    if any(isinstance(one, bool) or not isinstance(one, str | int | float) for one in values):
        wanted = "a list of texts" if setting.is_repeated else "a text or a number"
        raise Refusal.of_field(setting.name, f"must be {wanted}", value)
    return [str(one) for one in values]


def _once(read: Callable[[str, str], object]) -> Callable[[str, Sequence[str]], object]:
    return lambda name, texts: read(name, texts[-1])


def _number(kind: type[int] | type[float], wanted: str) -> Callable[[str, Sequence[str]], object]:
    def read(name: str, text: str) -> object:
        try:
            return kind(text)
        except ValueError:
            raise Refusal.of_field(name, f"must be {wanted}", text) from None

    return _once(read)


# How each type of field is read.
READERS: Mapping[object, Callable[[str, Sequence[str]], object]] = {
    str: _once(lambda _, text: text),
    Secret: _once(lambda _, text: Secret(text)),
    int: _number(int, "a whole number"),
    float: _number(float, "a number"),
    Path: _once(lambda _, text: Path(text)),
    Path | None: _once(lambda _, text: Path(text)),
    Address: _once(parsed_address),
    frozenset[str]: lambda _, texts: frozenset(texts),
    tuple[str, ...]: lambda _, texts: tuple(texts),
    tuple[Path, ...]: lambda _, texts: tuple(map(Path, texts)),
    Mapping[str, tuple[Address, ...]]: lambda _, texts: parsed_elsewhere(texts),
}


def _settings() -> dict[str, Setting]:
    found = {}
    defaults = Config()
    for field, hint in get_type_hints(Config, include_extras=True).items():
        kind, about = get_args(hint)
        default: Any = getattr(defaults, field)
        name = about.name or field.replace("_", "-")
        is_repeated = isinstance(default, tuple | frozenset | Mapping)
        found[name] = Setting(field, name, about, default, is_repeated, READERS[kind])
    return found


SETTINGS: Mapping[str, Setting] = _settings()

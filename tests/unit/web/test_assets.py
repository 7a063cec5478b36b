"""The pages' files: what they weigh, that their words are complete, and how they are served."""

import gzip
import re
import struct
from pathlib import Path

import pytest

from traffic_tacos.transport.pay_words import LANGUAGES as LANGUAGES_OF_THE_PAYMENT_PAGE
from traffic_tacos.transport.pay_words import Words
from traffic_tacos.web import assets

STATIC = Path(str(assets.STATIC))
SCRIPTS = sorted(STATIC.rglob("*.js"))
PAY_PAGE = (STATIC.parent / "pay.html", *sorted((STATIC.parents[1] / "transport").glob("pay*.py")))
LANGUAGES = sorted((STATIC / "i18n").glob("*.js"))
FIRST = ("/e/{event_id}", "style.css", "fan/event.js", "lib/dom.js", "lib/server.js", "lib/words.js", "i18n/ko.js")
FIRST_BYTES_MAX, FIRST_REQUESTS_MAX = 20_000, 8  # with the event's own JSON, until somebody can join
PREVIEW_BYTES_MAX = 300_000  # some who show previews take no larger ones
NAMED = re.compile(r"^  (\w+):", re.MULTILINE)
PLACED = re.compile(r"\{(\w+)\}")
ASKED = re.compile(r'\bt\((?:is\w+ \? )?"(\w+)"')
CHOSEN = re.compile(r'\bt\([^`"]*\? "(\w+)" : "(\w+)"')
FAMILY = re.compile(r"\bt\((?:has\(`\w+\$\{\w+\}`\) \? )?`(\w+_)\$\{")


def words(language: Path) -> dict[str, str]:
    """The text after each key of a language, as it is written."""
    found: dict[str, str] = {}
    for file in (language, *language.parent.glob(f"*/{language.name}")):
        one = _words(file.read_text())
        assert not found.keys() & one.keys()
        found |= one
    return found


def _words(text: str) -> dict[str, str]:
    found = list(NAMED.finditer(text))
    ends = [*(one.start() for one in found[1:]), len(text)]
    return {one[1]: text[one.end() : end] for one, end in zip(found, ends, strict=True)}


def test_all_languages_have_the_same_keys_and_the_same_places_for_values():
    first, *others = (words(file) for file in LANGUAGES)
    assert others and len(first) > 100
    for other in others:
        assert other.keys() == first.keys()
        for key, text in first.items():
            assert set(PLACED.findall(other[key])) == set(PLACED.findall(text)), key


def test_every_key_that_a_page_asks_for_is_there_and_none_is_for_nothing():
    known = words(LANGUAGES[0]).keys()
    files = [*SCRIPTS, *STATIC.glob("*.html"), *PAY_PAGE]
    sources = [file.read_text() for file in files if "i18n" not in file.parts]
    source = "\n".join(sources)
    asked = asked_in(source) | {*re.findall(r'data-t="(\w+)"', source)}
    assert asked - known == set()
    families = tuple(FAMILY.findall(source))
    quoted = {*re.findall(r'"(\w+)"', source)}
    assert {
        key for key in known - asked - quoted if not key.startswith(families) and not key.endswith(("_title", "_says"))
    } == set()


@pytest.mark.parametrize("page", assets.PAGES.values(), ids=lambda page: page.script)
def test_a_page_says_nothing_but_what_it_has_loaded_the_words_for(page):
    """Its own script may load the words of one folder beside those of all pages."""
    loaded = {page.script}
    while more := {found for name in loaded for found in imported(name, "later")} - loaded:
        loaded |= more
    own = re.search(r'speak\(.*, "(\w+)"\);', (STATIC / page.script).read_text())
    folders = [STATIC / "i18n", *([STATIC / "i18n" / own[1]] if own else [])]
    known = set().union(*(_words((folder / "en.js").read_text()) for folder in folders))
    asked = {key for name in loaded for key in asked_in((STATIC / name).read_text())}
    assert len(asked) > 10
    assert asked - known == set()


def asked_in(source: str) -> set[str]:
    return {*ASKED.findall(source), *(key for pair in CHOSEN.findall(source) for key in pair)}


def test_the_payment_page_reads_the_words_as_the_scripts_do():
    for file in LANGUAGES:
        read = Words(file.stem)
        written = {**_words(file.read_text()), **_words((file.parent / "pay" / file.name).read_text())}
        assert read.texts.keys() == written.keys()
        for key, text in written.items():
            forms = read.texts[key]
            said = [*forms.values()] if isinstance(forms, dict) else [forms]
            assert said == re.findall(r'"((?:[^"\\]|\\.)*)"', text), key
    assert {file.stem for file in LANGUAGES} == set(LANGUAGES_OF_THE_PAYMENT_PAGE)


def test_what_is_loaded_before_somebody_can_join_is_little():
    served = assets.read()
    found = {**served.files, **served.pages}
    assert sum(len(found[name].compressed) for name in FIRST) <= FIRST_BYTES_MAX
    assert len(FIRST) + 1 <= FIRST_REQUESTS_MAX


@pytest.mark.parametrize("file", SCRIPTS, ids=lambda file: str(file.relative_to(STATIC)))
def test_no_module_is_long_or_makes_elements_from_texts(file):
    source = file.read_text()
    assert re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", source) is None
    assert "i18n" in file.parts or len(source.splitlines()) <= 300


def test_the_first_scripts_import_nothing_that_is_not_counted():
    for name in FIRST:
        if name.endswith(".js"):
            folder = (STATIC / name).parent
            for path in re.findall(r'^import .* from "([^"]+)";$', (STATIC / name).read_text(), re.MULTILINE):
                assert str((folder / path).resolve().relative_to(STATIC.resolve())) in FIRST


def test_any_change_of_a_file_is_another_folder_and_pages_name_it(tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "a.js").write_text("export const a = 1;\n" * 100)
    (tmp_path / "page.html").write_text('<title>@title</title><script src="@assets/lib/a.js"></script>')
    (tmp_path / "notes.txt").write_text("is not served")
    before = assets.read(tmp_path)
    assert set(before.files) == {"lib/a.js"}
    said = f'<title>Traffic Tacos</title><script src="/assets/{before.digest}/lib/a.js"></script>'
    assert before.pages["/"].plain == said.encode()
    assert gzip.decompress(before.files["lib/a.js"].compressed) == before.files["lib/a.js"].plain
    (tmp_path / "lib" / "a.js").write_text("export const a = 2;\n" * 100)
    assert assets.read(tmp_path).digest != before.digest


def test_whoever_shows_a_link_to_a_page_has_a_title_and_a_picture_for_it():
    served = assets.read(base_url='https://tickets.example/"x')
    for address, page in served.pages.items():
        said = dict(re.findall(r'<meta property="og:([\w:]+)" content="([^"]*)">', page.plain.decode()))
        known = assets.PAGES[address]
        assert (said["title"], said["description"]) == (known.title, known.description)
        assert said["image"] == f"https://tickets.example/&quot;x{assets.PREVIEW_ADDRESS}"
        picture = served.files[assets.PREVIEW]
        assert picture.kind == said["image:type"] == "image/png"
        size = struct.unpack(">II", picture.plain[16:24])  # the header of a PNG
        assert size == (int(said["image:width"]), int(said["image:height"]))
        assert len(picture.plain) < PREVIEW_BYTES_MAX
    assert {"title", "description", "type", "site_name", "image", "image:alt"} <= said.keys()


def test_the_scanner_s_worker_keeps_all_that_its_page_can_load():
    served = assets.read()
    source = served.worker.plain.decode()
    assert "@" not in source.replace("@param", "").replace("@type", "").replace("begins with @", "")
    kept = set(re.search(r'"(scan/[^"]*|[^"]* scan/[^"]*)"\.split', source)[1].split())
    assert kept <= served.files.keys()
    assert f'"/assets/{served.digest}"' in source
    assert assets.WORKER not in served.files
    loaded = {"scan/scan.js", *(f"i18n/{folder}{file.name}" for file in LANGUAGES for folder in ("", "door/"))}
    while more := {found for name in loaded for found in imported(name)} - loaded:
        loaded |= more
    assert len(loaded) > 10
    assert loaded | set(re.findall(r'"@assets/([\w./]+)"', (STATIC / "page.html").read_text())) <= kept


def imported(name: str, also: str = "") -> set[str]:
    """The paths of the modules that a module begins with; `also` those that it loads "later"."""
    source = (STATIC / name).read_text()
    paths = re.findall(r'^import .* from "([^"]+)";$', source, re.MULTILINE)
    paths += re.findall(r'\bimport\("([^"]+)"\)', source) if also else []
    return {str(((STATIC / name).parent / path).resolve().relative_to(STATIC.resolve())) for path in paths}


def test_a_page_may_call_the_server_that_gives_tokens_and_no_other():
    rules = assets.policy("/orders", "https://login.example:8443/oauth/token")["content-security-policy"]
    assert "; connect-src 'self' https://login.example:8443; " in rules
    assert assets.policy("/orders", "") == assets.POLICY
    assert assets.policy("/scan", "https://login.example/token") == assets.SCAN_POLICY


def test_a_worker_and_a_type_that_is_trusted_are_the_scanner_s_page_s_alone():
    others, scan = (policy["content-security-policy"] for policy in (assets.POLICY, assets.SCAN_POLICY))
    assert scan == others.replace("trusted-types 'none'", "trusted-types scan-worker; worker-src 'self'") != others
    assert "require-trusted-types-for 'script'" in others and "default-src 'none'" in others

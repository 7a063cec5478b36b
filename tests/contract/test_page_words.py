"""What the platform refuses, the pages say in words of their own, in every language."""

import re
from pathlib import Path

import pytest

from tests.contract.reference import MEANINGS, UNUSED
from traffic_tacos.kernel.errors import Code, Precondition

STATIC = Path(__file__).parents[2] / "src" / "traffic_tacos" / "web" / "static"
LANGUAGES = sorted((STATIC / "i18n").glob("*.js"))
SCRIPTS = sorted(file for folder in ("fan", "lib") for file in (STATIC / folder).glob("*.js"))


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda file: file.stem)
def test_whatever_the_platform_refuses_there_are_words_for_it(language):
    sent = {code.name for code, meaning in MEANINGS.items() if not meaning.startswith(UNUSED)}
    assert len(sent) > len(Code) / 2
    needed = {f"refused_{name.lower()}" for name in sent} | {f"because_{one.value.lower()}" for one in Precondition}
    needed.add("refused")  # what a later version may refuse
    known = set(re.findall(r"^  (\w+):", language.read_text(), re.MULTILINE))
    assert needed - known == set()
    assert {key for key in known if key.startswith(("refused", "because_"))} - needed == set()


def test_no_sentence_about_a_refusal_is_left_in_english():
    korean = (STATIC / "i18n" / "ko.js").read_text()
    sentences = re.findall(r'^  (?:refused|because)\w*:\s*"(.+)",$', korean, re.MULTILINE)
    assert len(sentences) > len(Precondition)
    assert [text for text in sentences if re.search(r"[A-Za-z]", text.replace("{n}", ""))] == []


@pytest.mark.parametrize("file", SCRIPTS, ids=lambda file: str(file.relative_to(STATIC)))
def test_no_page_of_the_fans_decides_by_a_sentence_of_the_server_or_shows_one(file):
    reads = file.read_text().count(".message")
    assert reads == (1 if file.name == "server.js" else 0)  # there it becomes the fault's own text, for the console

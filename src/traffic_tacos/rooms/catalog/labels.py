"""Ids from labels: labels are for people, may stand twice, and may be written in any script.

An id goes into keys and addresses, differs from every other, and is the same whenever the same file is read again.
"""

import hashlib
import re
from collections.abc import Sequence

PART_LENGTH_MAX = 40
DIGEST_BYTES = 6

_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*")
_UNSAFE = re.compile(r"[^A-Za-z0-9]+")


def safe_id(label: str, length_max: int) -> str:
    """The label itself where it can be an id; else what is readable of it, and a digest of all of it."""
    if len(label) <= length_max and _SAFE.fullmatch(label):
        return label
    digest = hashlib.blake2b(label.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).hexdigest()
    readable = _UNSAFE.sub("-", label)[: length_max - len(digest) - 1].strip("-")
    return f"{readable}-{digest}" if readable else f"x-{digest}"


def distinct_ids(labels: Sequence[str]) -> list[str]:
    """An id for each label; of labels that are the same, all but the first have their count behind it."""
    firsts = {safe_id(label, PART_LENGTH_MAX) for label in labels}
    given: set[str] = set()
    ids = []
    for label in labels:
        first = one = safe_id(label, PART_LENGTH_MAX)
        count = 1
        while one in given or (count > 1 and one in firsts):
            count += 1
            one = f"{first}-{count}"
        given.add(one)
        ids.append(one)
    return ids

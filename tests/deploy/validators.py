"""What is run where the validators are installed: `validators.py WHAT` reads JSON, and says what is wrong with each.

Nothing of this project is imported here, and nothing but these validators is there.
"""

import json
import sys


def promql(expression: str) -> str:
    import promql_parser

    try:
        promql_parser.parse(expression)
    except ValueError as error:
        return str(error)
    return ""


def manifest(document: dict) -> str:
    """Of Kubernetes itself by its own schemas, unknown keys refused; of KEDA by models made from its own."""
    return keda(document) if document["apiVersion"].startswith("keda.sh/") else kubernetes(document)


def kubernetes(document: dict) -> str:
    import kubernetes_validate

    try:
        kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)
    except kubernetes_validate.ValidationError as error:
        return f"{'.'.join(map(str, error.path))}: {error.message}"
    except kubernetes_validate.SchemaNotFoundError as error:
        return str(error)
    return ""


def keda(document: dict) -> str:
    """The models drop keys that they do not know, so what comes back is compared."""
    from cloudcoil.models.keda import v1alpha1
    from pydantic import ValidationError

    try:
        model = getattr(v1alpha1, document["kind"]).model_validate(document)
    except (AttributeError, ValidationError) as error:
        return str(error)
    return unknown(document, model.model_dump(by_alias=True, mode="json", exclude_none=True))


def unknown(given: object, kept: object, path: str = "") -> str:
    """The first key, or element, that is not kept."""
    if isinstance(given, dict) and isinstance(kept, dict):
        rest = [(f"{path}.{key}", one, kept.get(key, kept)) for key, one in given.items()]
        return next((f"{where} is unknown" for where, _, other in rest if other is kept), "") or next(
            (fault for where, one, other in rest if (fault := unknown(one, other, where))), ""
        )
    if isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        pairs = enumerate(zip(given, kept, strict=True))
        return next((fault for at, pair in pairs if (fault := unknown(*pair, f"{path}[{at}]"))), "")
    return "" if given == kept else f"{path}: {given!r} became {kept!r}"


KINDS = {"promql": promql, "manifest": manifest}

if __name__ == "__main__":
    json.dump([KINDS[sys.argv[1]](one) for one in json.load(sys.stdin)], sys.stdout)

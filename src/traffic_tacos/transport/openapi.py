"""The OpenAPI document of the REST names, made from the contract's own descriptors."""

from collections.abc import Mapping
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from traffic_tacos import wire
from traffic_tacos.calls.bounds import REQUIRED, is_map, is_of_requests, item_schema_of, schema_of
from traffic_tacos.calls.dispatch import Method
from traffic_tacos.calls.policy import PUBLIC
from traffic_tacos.transport.rest import API, NAMES, OF_PAGES, PAGINATION, Name

_SCALARS: Mapping[int, dict[str, Any]] = {
    FieldDescriptor.TYPE_STRING: {"type": "string"},
    FieldDescriptor.TYPE_BYTES: {"type": "string", "format": "byte"},
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_INT32: {"type": "integer", "format": "int32"},
    FieldDescriptor.TYPE_INT64: {"type": "string", "format": "int64"},
    FieldDescriptor.TYPE_FLOAT: {"type": "number"},
    FieldDescriptor.TYPE_DOUBLE: {"type": "number"},
}
_FROM_HEADERS = {"waiting_token": "X-Waiting-Token", "idempotency_key": "Idempotency-Key"}


def document(methods: Mapping[str, Method], version: str, server: str) -> dict[str, Any]:
    """OpenAPI 3.1 of every REST name that is served."""
    schemas: dict[str, Any] = {}
    paths: dict[str, Any] = {}
    for name in NAMES:
        method = methods.get(f"/{name.rpc}")
        if method is not None:
            paths.setdefault(API + name.path, {})[name.verb.lower()] = _operation(name, method, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Traffic Tacos", "version": version},
        "servers": [{"url": server}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _operation(name: Name, method: Method, schemas: dict[str, Any]) -> dict[str, Any]:
    request, response = method.request.DESCRIPTOR, method.response.DESCRIPTOR
    parameters = []
    in_path = [part[1:-1] for part in name.path.split("/") if part.startswith("{")]
    for field in request.fields:
        schema = _schema(field, schemas)
        if field.name in in_path:
            parameters.append({"name": field.name, "in": "path", "required": True, "schema": schema})
        elif field.name in _FROM_HEADERS:
            parameters.append({"name": _FROM_HEADERS[field.name], "in": "header", "required": True, "schema": schema})
        elif field.name == PAGINATION and field.message_type is not None:
            for said, part in OF_PAGES.items():
                schema = _schema(field.message_type.fields_by_name[part], schemas)
                parameters.append({"name": said, "in": "query", "schema": schema})
        elif name.verb == "GET" and field.type != FieldDescriptor.TYPE_MESSAGE:
            parameters.append({"name": field.name, "in": "query", "schema": schema})
    if name.verb == "POST" and "idempotency_key" not in request.fields_by_name:
        parameters.append({"name": "Idempotency-Key", "in": "header", "required": True, "schema": {"type": "string"}})
    answer = _json(response, schemas)
    operation: dict[str, Any] = {
        "operationId": f"{name.rpc.rpartition('/')[2]}",
        "summary": name.summary,
        "parameters": parameters,
        "responses": {
            "200": {"description": "The answer", "content": answer, **_headers(method)},
            "default": {"description": "A refusal: its code, its fields, and what would be right", "content": answer},
        },
    }
    if name.verb == "POST":
        operation["requestBody"] = {"content": _json(request, schemas)}
    if method.roles is not PUBLIC:
        operation["security"] = [{"token": []}]
    return operation


def _headers(method: Method) -> dict[str, Any]:
    """What is said beside the answer: why nobody is let into a queue, when nobody is."""
    if method.beside is None:
        return {}
    return {"headers": {name: {"schema": {"type": "string"}} for name in (wire.QUEUE_STATE, wire.QUEUE_MESSAGE)}}


def _json(message: Descriptor, schemas: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": _message(message, schemas)}}


def _message(message: Descriptor, schemas: dict[str, Any]) -> dict[str, Any]:
    if message.full_name == "google.protobuf.Timestamp":
        return {"type": "string", "format": "date-time"}
    if message.full_name not in schemas:
        shape: dict[str, Any] = {"type": "object", "properties": {}}
        schemas[message.full_name] = shape
        if required := REQUIRED.get(message.full_name):
            shape["required"] = list(required)
        for field in message.fields:
            shape["properties"][field.name] = _schema(field, schemas)
    return {"$ref": f"#/components/schemas/{message.full_name}"}


def _schema(field: FieldDescriptor, schemas: dict[str, Any]) -> dict[str, Any]:
    """A field's shape; one of a request has its bounds too, the same that are kept."""
    assert field.containing_type is not None
    is_asked = is_of_requests(field.containing_type)
    bounds = schema_of(field) if is_asked else {}
    if is_map(field):
        assert field.message_type is not None
        value = _one(field.message_type.fields_by_name["value"], schemas)
        return {"type": "object", "additionalProperties": value, **bounds}
    one = _one(field, schemas)
    if not field.is_repeated:
        return {**one, **bounds}
    return {"type": "array", "items": {**one, **(item_schema_of(field) if is_asked else {})}, **bounds}


def _one(field: FieldDescriptor, schemas: dict[str, Any]) -> dict[str, Any]:
    if field.message_type is not None:
        return _message(field.message_type, schemas)
    if field.enum_type is not None:
        return {"type": "string", "enum": [value.name for value in field.enum_type.values]}
    return _SCALARS[field.type]

"""A client made from `contract-table.md` alone: no code of ours, its own descriptor pool, plain grpcio."""

import re
import time
from pathlib import Path
from typing import Any, NamedTuple

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

TABLE = Path(__file__).parent / "contract-table.md"
SCALARS = {
    "string": 9,
    "int32": 5,
    "int64": 3,
    "bool": 8,
    "float": 2,
    "double": 1,
}
MAP = re.compile(r"map<string,\s*(.+)>")


class Rpc(NamedTuple):
    service: str
    name: str
    request: str
    response: str
    streams: bool

    @property
    def path(self) -> str:
        return f"/{self.service}/{self.name}"


class Contract:
    """The table, parsed: every file as a descriptor, every RPC, and message classes."""

    def __init__(self, text: str = TABLE.read_text()) -> None:
        self.rpcs: list[Rpc] = []
        self.files: list[descriptor_pb2.FileDescriptorProto] = []
        self._types: dict[str, tuple[str, bool]] = {}  # full name -> file, is an enum
        sections = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
        parsed = [self._section(section) for section in sections]
        for file, rows in parsed:
            for name, fields in rows:
                self._message(file, name, fields)
            self.files.append(file)
        self._pool = descriptor_pool.DescriptorPool()
        self._pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
        added: set[str] = {"google/protobuf/timestamp.proto"}
        waiting = list(self.files)
        while waiting:
            ready = [file for file in waiting if set(file.dependency) <= added]
            for file in ready:
                self._pool.Add(file)
                added.add(file.name)
                waiting.remove(file)

    def message(self, full_name: str) -> Any:
        return message_factory.GetMessageClass(self._pool.FindMessageTypeByName(full_name))

    def rpc(self, service: str, name: str) -> Rpc:
        return next(rpc for rpc in self.rpcs if (rpc.service, rpc.name) == (service, name))

    def _section(self, section: str) -> tuple[descriptor_pb2.FileDescriptorProto, list[tuple[str, list[str]]]]:
        head, *lines = section.strip().splitlines()
        path, package = re.match(r"(\S+) \(package (\S+)\)", head).groups()
        file = descriptor_pb2.FileDescriptorProto(name=path, package=package, syntax="proto3")
        rows, service = [], ""
        for line in lines:
            if found := re.match(r"service (\w+)", line):
                service = f"{package}.{found[1]}"
            elif found := re.match(r"  (\w+): (\w+) -> (stream )?(\w+)", line):
                name, request, stream, response = found.groups()
                self.rpcs.append(Rpc(service, name, f"{package}.{request}", f"{package}.{response}", bool(stream)))
            elif found := re.match(r"enum (\w+) \{ (.*) \}", line):
                enum = file.enum_type.add(name=found[1])
                for value in found[2].split(";"):
                    number, name = value.split()
                    enum.value.add(name=name, number=int(number))
                self._types[f"{package}.{found[1]}"] = (path, True)
            elif found := re.match(r"(\w+) \{ (.*) \}", line):
                rows.append((found[1], [field.strip() for field in found[2].split(";")]))
                self._types[f"{package}.{found[1]}"] = (path, False)
        return file, rows

    def _message(self, file: descriptor_pb2.FileDescriptorProto, name: str, fields: list[str]) -> None:
        message = file.message_type.add(name=name)
        for field in fields:
            number, field_name, *rest = field.split(None, 3 if " repeated " in field else 2)
            repeated = rest[0] == "repeated"
            type_name = rest[-1]
            added = message.field.add(name=field_name, number=int(number), label=3 if repeated else 1)
            if mapped := MAP.match(type_name):
                entry = message.nested_type.add(name=_camel(field_name) + "Entry")
                entry.options.map_entry = True
                entry.field.add(name="key", number=1, label=1, type=9)
                self._typed(file, entry.field.add(name="value", number=2, label=1), mapped[1])
                added.label, added.type = 3, 11
                added.type_name = f".{file.package}.{name}.{entry.name}"
            else:
                self._typed(file, added, type_name)

    def _typed(self, file: Any, field: Any, type_name: str) -> None:
        if type_name in SCALARS:
            field.type = SCALARS[type_name]
            return
        if type_name == "google.protobuf.Timestamp":
            full, path, is_enum = type_name, "google/protobuf/timestamp.proto", False
        else:
            full = type_name if type_name in self._types else f"{file.package}.{type_name}"
            path, is_enum = self._types[full]
        if path != file.name and path not in file.dependency:
            file.dependency.append(path)
        field.type, field.type_name = (14 if is_enum else 11), f".{full}"


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


CONTRACT = Contract()


def is_unsure(answer: Any) -> bool:
    """UNAVAILABLE or TIMEOUT: a busy platform could not say, and the very same request may be made again."""
    return answer.HasField("error") and answer.error.code in (17, 18)


class Client:
    """Calls by name: `client("gateway.v1.QueueService", "JoinQueue", {"event_id": …})`.

    Asks again while the platform cannot say, as a patient client does.
    """

    def __init__(self, channel: Any, *metadata: tuple[str, str]) -> None:
        self._channel = channel
        self._metadata = metadata

    def __call__(self, service: str, name: str, fields: dict[str, Any], token: str = "", timeout: float = 10) -> Any:
        rpc = CONTRACT.rpc(
            "reservation.v1.Inventory" if service == "reservation.v1.InventoryService" else service, name
        )
        call = self._channel.unary_unary(
            f"/{service}/{name}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=CONTRACT.message(rpc.response).FromString,
        )
        metadata = (*self._metadata, ("authorization", f"Bearer {token}")) if token else self._metadata
        deadline = time.monotonic() + timeout
        while True:
            answer = call(CONTRACT.message(rpc.request)(**fields), timeout=timeout, metadata=metadata)
            if not is_unsure(answer) or time.monotonic() > deadline:
                return answer
            time.sleep(0.1)

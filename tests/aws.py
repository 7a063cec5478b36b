"""SQS and EventBridge of one process: the requests that the engines send, carried out as the API says they are.

Messages come at least once, in any order, doubled and late, from the seed: as often as `QueueFaults` says.
"""

import asyncio
import random
from collections import Counter
from typing import Any

import msgspec

from traffic_tacos.engines.aws import AwsFault, AwsMissing
from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.ports.clock import Clock

BODY_BYTES_MAX = 262_144
DELAY_SECONDS_MAX = 900


class QueueFaults(msgspec.Struct, frozen=True):
    """How often each comes, as a probability for each message or request; `late_seconds_max` is on top of its delay."""

    doubled: float = 0.0
    late: float = 0.0
    refused: float = 0.0  # nothing of the request is done
    answer_lost: float = 0.0
    not_taken: float = 0.0  # one entry of a batch
    late_seconds_max: float = 20.0


NO_FAULTS = QueueFaults()


class Message:
    def __init__(self, body: str, visible_at: Instant, is_delayed: bool) -> None:
        self.body = body
        self.visible_at = visible_at
        self.is_delayed = is_delayed
        self.times = 0
        self.handle = ""


class FakeSqs:
    """An `AwsApi`. `is_down` refuses everything but the question where a queue is; `calls` counts requests."""

    def __init__(self, clock: Clock, randomness: random.Random, faults: QueueFaults = NO_FAULTS) -> None:
        self.faults = faults
        self.is_down = False
        self.calls: Counter[str] = Counter()
        self.queues: dict[str, list[Message]] = {}
        self.attributes: dict[str, dict[str, str]] = {}
        self._clock = clock
        self._random = randomness
        self._sent = asyncio.Event()
        self._handles = 0

    async def __call__(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self.calls[operation] += 1
        await asyncio.sleep(0)
        if operation != "GetQueueUrl" and (self.is_down or self._happens(self.faults.refused)):
            await self._clock.sleep(0.1)
            raise AwsFault("injected: not asked")
        answer: dict[str, Any] = await {
            "GetQueueUrl": self._url,
            "CreateQueue": self._create,
            "GetQueueAttributes": self._attributes,
            "SendMessageBatch": self._send,
            "SendMessage": self._send_one,
            "ReceiveMessage": self._receive,
            "DeleteMessageBatch": self._delete,
            "ChangeMessageVisibilityBatch": self._hide,
        }[operation](parameters)
        if operation != "GetQueueUrl" and self._happens(self.faults.answer_lost):
            raise AwsFault("injected: the answer was lost")
        return answer

    def bodies(self, queue: str) -> list[str]:
        return [message.body for message in self.queues[queue]]

    async def _url(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["QueueName"] not in self.queues:
            raise AwsMissing(asked["QueueName"])
        return {"QueueUrl": asked["QueueName"]}

    async def _create(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.queues.setdefault(asked["QueueName"], [])
        self.attributes[asked["QueueName"]] = asked["Attributes"]
        return {"QueueUrl": asked["QueueName"]}

    async def _attributes(self, asked: dict[str, Any]) -> dict[str, Any]:
        now, messages = self._clock.now(), self.queues[asked["QueueUrl"]]
        hidden = [one for one in messages if one.visible_at > now]
        delayed = sum(one.is_delayed for one in hidden)
        found = {
            "QueueArn": f"arn:{asked['QueueUrl']}",
            "ApproximateNumberOfMessages": len(messages) - len(hidden),
            "ApproximateNumberOfMessagesDelayed": delayed,
            "ApproximateNumberOfMessagesNotVisible": len(hidden) - delayed,
        }
        return {"Attributes": {name: str(found[name]) for name in asked["AttributeNames"]}}

    async def _send_one(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._put(asked["QueueUrl"], asked["MessageBody"], 0)
        return {}

    async def _send(self, asked: dict[str, Any]) -> dict[str, Any]:
        failed = []
        _check_batch(asked["Entries"])
        for entry in asked["Entries"]:
            delay = entry.get("DelaySeconds", 0)
            assert isinstance(delay, int) and 0 <= delay <= DELAY_SECONDS_MAX
            if self._happens(self.faults.not_taken):
                failed.append({"Id": entry["Id"], "Code": "InternalError", "SenderFault": False})
                continue
            for _ in range(2 if self._happens(self.faults.doubled) else 1):
                late = self._random.uniform(0, self.faults.late_seconds_max) if self._happens(self.faults.late) else 0
                self._put(asked["QueueUrl"], entry["MessageBody"], delay + late)
        return {"Failed": failed} if failed else {}

    async def _receive(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert 1 <= asked["MaxNumberOfMessages"] <= 10
        until = self._clock.now() + asked["WaitTimeSeconds"] * SECOND
        messages = self.queues[asked["QueueUrl"]]
        while True:
            now = self._clock.now()
            visible = [message for message in messages if message.visible_at <= now]
            if visible or now >= until:
                break
            next_at = min([until, *(message.visible_at for message in messages)])
            self._sent.clear()
            sent = asyncio.ensure_future(self._sent.wait())
            slept = asyncio.ensure_future(self._clock.sleep((next_at - now) / SECOND))
            await asyncio.wait((sent, slept), return_when=asyncio.FIRST_COMPLETED)
            sent.cancel()
            slept.cancel()
        some = self._random.sample(visible, min(len(visible), asked["MaxNumberOfMessages"]))
        for message in some:
            self._handles += 1
            message.handle = str(self._handles)
            message.times += 1
            message.is_delayed = False
            message.visible_at = now + asked["VisibilityTimeout"] * SECOND
        found = [
            {"Body": one.body, "ReceiptHandle": one.handle, "Attributes": {"ApproximateReceiveCount": str(one.times)}}
            for one in some
        ]
        return {"Messages": found} if found else {}

    async def _delete(self, asked: dict[str, Any]) -> dict[str, Any]:
        _check_batch(asked["Entries"])
        handles = {entry["ReceiptHandle"] for entry in asked["Entries"]}
        queue = self.queues[asked["QueueUrl"]]
        queue[:] = [message for message in queue if message.handle not in handles]
        return {}

    async def _hide(self, asked: dict[str, Any]) -> dict[str, Any]:
        _check_batch(asked["Entries"])
        seconds = {entry["ReceiptHandle"]: entry["VisibilityTimeout"] for entry in asked["Entries"]}
        for message in self.queues[asked["QueueUrl"]]:
            if message.handle in seconds:
                message.visible_at = self._clock.now() + seconds[message.handle] * SECOND
        self._sent.set()
        return {}

    def _put(self, queue: str, body: str, delay: float) -> None:
        assert len(body.encode()) <= BODY_BYTES_MAX
        self.queues[queue].append(Message(body, self._clock.now() + round(delay * SECOND), delay > 0))
        self._sent.set()

    def _happens(self, probability: float) -> bool:
        return probability > 0 and self._random.random() < probability


class FakeBus:
    """An `AwsApi` of EventBridge. `is_down` refuses everything; `heard` is what was taken."""

    def __init__(self, randomness: random.Random, not_taken: float = 0.0, refused: float = 0.0) -> None:
        self.is_down = False
        self.not_taken = not_taken
        self.refused = refused
        self.heard: list[dict[str, Any]] = []
        self._random = randomness

    async def __call__(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        assert operation == "PutEvents"
        await asyncio.sleep(0)
        if self.is_down or self._random.random() < self.refused:
            raise AwsFault("injected: not asked")
        entries = parameters["Entries"]
        assert 1 <= len(entries) <= 10
        size = sum(len(entry[part].encode()) for entry in entries for part in ("Source", "DetailType", "Detail"))
        assert size <= 262_144
        results = []
        for entry in entries:
            if self._random.random() < self.not_taken:
                results.append({"ErrorCode": "InternalFailure", "ErrorMessage": "injected"})
            else:
                self.heard.append({"type": entry["DetailType"], **msgspec.json.decode(entry["Detail"])})
                results.append({"EventId": str(len(self.heard))})
        return {"FailedEntryCount": sum("ErrorCode" in one for one in results), "Entries": results}


def _check_batch(entries: list[dict[str, Any]]) -> None:
    assert 1 <= len(entries) <= 10
    assert len({entry["Id"] for entry in entries}) == len(entries)

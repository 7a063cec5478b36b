"""The queues of SQS: which there are, which jobs wait in which, and what is asked of them.

There is one for each service that does jobs, so that its depth says how many processes of that service are wanted; what
waits for its time is not counted in it. Messages that cannot be read go to one beside it, for a person to look at.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from traffic_tacos.engines.aws import AwsApi, AwsMissing
from traffic_tacos.kernel.instants import MINUTE, SECOND, Instant
from traffic_tacos.kernel.topics import (
    EXPIRE_PAYMENT,
    EXPIRE_RESERVATION,
    REFUND_PAYMENT,
    SEND_WEBHOOK,
    SETTLE_PAYMENT_RESULT,
    SIMULATE_OUTCOME,
)
from traffic_tacos.ports.store import Job

# The topics of one queue are all done by one service: who receives from it can do whatever comes.
QUEUES: Mapping[str, Sequence[str]] = {
    "reservation-worker": (EXPIRE_RESERVATION, SETTLE_PAYMENT_RESULT, REFUND_PAYMENT),
    "payment-simulator": (SIMULATE_OUTCOME, EXPIRE_PAYMENT),
    "webhook-sender": (SEND_WEBHOOK,),
}
DEAD_LETTERS = "-dead-letters"
BATCH_MAX = 10
DELAY_MAX = 15 * MINUTE
KEPT_SECONDS = 14 * 24 * 3600
# A message comes back each time that its group is busy or its process dies, so this is far above what one needs.
RECEIVES_MAX = 1000
VISIBLE_AGAIN_SECONDS = 30
LISTEN_SECONDS = 20


class Wake(msgspec.Struct, frozen=True):
    """A message: look at this job. `due_at` says for which version of its record it was sent."""

    id: str
    due_at: Instant


class Received(NamedTuple):
    """A message as it came, hidden from others for VISIBLE_AGAIN_SECONDS; `times` counts how often it came."""

    handle: str
    body: str
    times: int


class Depth(NamedTuple):
    """How many messages wait to be received, wait for their time, and are hidden because somebody has them."""

    waiting: int
    delayed: int
    received: int


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Wake).decode


def wake_of(job: Job) -> Wake:
    return Wake(job.id, job.due_at)


def decoded(body: str) -> Wake | None:
    """What a message says; None when it cannot be read."""
    try:
        return _decode(body)
    except (msgspec.MsgspecError, ValueError):
        return None


def delay_seconds(due_at: Instant, now: Instant) -> int:
    """How long a message is held back: not longer than SQS can, and rather a moment too short than too long."""
    return max(0, min(DELAY_MAX, due_at - now)) // SECOND


class Queues:
    """The queues whose names begin with `prefix`. Every method raises AwsFault."""

    def __init__(self, api: AwsApi, prefix: str, queues: Mapping[str, Sequence[str]] = QUEUES) -> None:
        self._api = api
        self._prefix = prefix
        self.topics = queues
        self._queue_of = {topic: queue for queue, topics in queues.items() for topic in topics}
        self._urls: dict[str, str] = {}

    def name(self, queue: str) -> str:
        return self._prefix + queue

    def queue_of(self, job: Job) -> str | None:
        return self._queue_of.get(job.topic)

    async def find(self) -> None:
        """Learn where they are; AwsMissing when there is one too few."""
        for queue in self.topics:
            await self._find(queue)
            await self._find(queue + DEAD_LETTERS)

    async def create(self) -> dict[str, bool]:
        """Create those that are missing, with their dead letters; by name, whether it was."""
        made: dict[str, bool] = {}
        for queue in self.topics:
            dead = queue + DEAD_LETTERS
            made[self.name(dead)] = await self._create(dead, {})
            asked = {"QueueUrl": self._urls[dead], "AttributeNames": ["QueueArn"]}
            arn = (await self._api("GetQueueAttributes", asked))["Attributes"]["QueueArn"]
            redrive = {"deadLetterTargetArn": arn, "maxReceiveCount": RECEIVES_MAX}
            more = {
                "RedrivePolicy": msgspec.json.encode(redrive).decode(),
                "VisibilityTimeout": str(VISIBLE_AGAIN_SECONDS),
                "ReceiveMessageWaitTimeSeconds": str(LISTEN_SECONDS),
            }
            made[self.name(queue)] = await self._create(queue, more)
        return made

    async def _find(self, queue: str) -> None:
        self._urls[queue] = (await self._api("GetQueueUrl", {"QueueName": self.name(queue)}))["QueueUrl"]

    async def _create(self, queue: str, more: Mapping[str, str]) -> bool:
        try:
            await self._find(queue)
        except AwsMissing:
            attributes = {"MessageRetentionPeriod": str(KEPT_SECONDS), "SqsManagedSseEnabled": "true", **more}
            answer = await self._api("CreateQueue", {"QueueName": self.name(queue), "Attributes": attributes})
            self._urls[queue] = answer["QueueUrl"]
            return True
        return False

    async def send(self, queue: str, wakes: Sequence[Wake], now: Instant) -> list[Wake]:
        """Send at most BATCH_MAX messages, each held back until its job is due; those that SQS did not take."""
        entries = [
            {"Id": str(at), "MessageBody": _encode(wake).decode(), "DelaySeconds": delay_seconds(wake.due_at, now)}
            for at, wake in enumerate(wakes)
        ]
        answer = await self._api("SendMessageBatch", {"QueueUrl": self._urls[queue], "Entries": entries})
        return [wakes[int(failed["Id"])] for failed in answer.get("Failed", ())]

    async def receive(self, queue: str, count_max: int) -> list[Received]:
        """At most so many messages, as soon as there are any; none after LISTEN_SECONDS."""
        asked = {
            "QueueUrl": self._urls[queue],
            "MaxNumberOfMessages": min(BATCH_MAX, count_max),
            "VisibilityTimeout": VISIBLE_AGAIN_SECONDS,
            "WaitTimeSeconds": LISTEN_SECONDS,
            "MessageSystemAttributeNames": ["ApproximateReceiveCount"],
        }
        answer = await self._api("ReceiveMessage", asked)
        return [
            Received(one["ReceiptHandle"], one["Body"], int(one["Attributes"]["ApproximateReceiveCount"]))
            for one in answer.get("Messages", ())
        ]

    async def acknowledge(self, queue: str, handles: Sequence[str]) -> None:
        """Remove messages. One that was not removed comes again, and its job is found to be done."""
        await self._in_batches("DeleteMessageBatch", queue, handles, {})

    async def hide(self, queue: str, handles: Sequence[str], seconds: int) -> None:
        """Let nobody receive messages that we have for so many seconds from now; with 0 they are back at once."""
        await self._in_batches("ChangeMessageVisibilityBatch", queue, handles, {"VisibilityTimeout": seconds})

    async def set_aside(self, queue: str, received: Received) -> None:
        """Move a message that cannot be read to the dead letters."""
        await self._api("SendMessage", {"QueueUrl": self._urls[queue + DEAD_LETTERS], "MessageBody": received.body})
        await self.acknowledge(queue, (received.handle,))

    async def depth(self, queue: str) -> Depth:
        names = [f"ApproximateNumberOfMessages{which}" for which in ("", "Delayed", "NotVisible")]
        asked = {"QueueUrl": self._urls[queue], "AttributeNames": names}
        attributes = (await self._api("GetQueueAttributes", asked))["Attributes"]
        return Depth(*(int(attributes.get(name, 0)) for name in names))

    async def _in_batches(self, operation: str, queue: str, handles: Sequence[str], more: Mapping[str, Any]) -> None:
        await asyncio.gather(
            *(
                self._api(operation, {"QueueUrl": self._urls[queue], "Entries": entries})
                for entries in _entries(handles, more)
            )
        )


def _entries(handles: Sequence[str], more: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(handles), BATCH_MAX):
        some = handles[start : start + BATCH_MAX]
        yield [{"Id": str(at), "ReceiptHandle": handle, **more} for at, handle in enumerate(some)]

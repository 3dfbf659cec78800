"""An SQS queue: a bounded drain, deletion in tens, and messages with attributes that SQS takes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from custom_labels.aws.hooks.base import ServiceHook
from custom_labels.aws.messages import Message
from custom_labels.errors import CustomLabelsError

A_CALL = 10
"""Messages in one ReceiveMessage or DeleteMessageBatch at most (SQS API reference)."""
LONGEST_VISIBILITY = 43_200
"""VisibilityTimeout is twelve hours at most (SQS API reference)."""
LONGEST_ATTRIBUTE = 1_000
WAIT_SECONDS = 1
"""Long polling asks all servers of a queue; a short poll may say that nothing is there while something is. So the first
poll is long, and one after a full answer; after a few messages it would only be a second lost, and what a short poll
leaves in the queue is for the next drain."""

# What an SQS attribute may hold: characters of XML 1.0 (SQS API reference).
_NOT_IN_ATTRIBUTES = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class QueueError(CustomLabelsError):
    """SQS refused, or could not be asked; the message keeps AWS's own words."""


class QueueHook(ServiceHook[Any]):
    """One SQS queue.

    :param queue_url: the queue.
    :param setting: what its URL is set by, for the words of an error.
    :param aws_conn_id: the Airflow connection, as for every hook of the Amazon provider; likewise ``region_name``.
    """

    service = "sqs"

    def __init__(
        self,
        queue_url: str,
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        setting: str = "'queue_url'",
    ) -> None:
        super().__init__(aws_conn_id, region_name=region_name)
        self.queue_url = queue_url
        self.setting = setting

    def receive(self, limit: int, visibility_seconds: int) -> Iterator[Message]:
        """Receive until the queue is empty, or the limit is reached; each message once.

        A message whose visibility ends while the queue is still being drained comes again: the drain then ends.

        :param limit: messages at most.
        :param visibility_seconds: how long no other consumer sees them.
        :raises QueueError: SQS refused.
        """
        seen: set[str] = set()
        wait = WAIT_SECONDS
        while len(seen) < limit:
            answer = self._call(
                "ReceiveMessage",
                MaxNumberOfMessages=min(A_CALL, limit - len(seen)),
                VisibilityTimeout=min(visibility_seconds, LONGEST_VISIBILITY),
                WaitTimeSeconds=wait,
                MessageSystemAttributeNames=["ApproximateReceiveCount"],
            )
            fresh = [_message(each) for each in answer.get("Messages", []) if each["MessageId"] not in seen]
            if not fresh:
                return
            wait = WAIT_SECONDS if len(fresh) == A_CALL else 0
            for message in fresh:
                if message.id not in seen:
                    seen.add(message.id)
                    yield message

    def delete(self, messages: Iterable[Message]) -> int:
        """Delete messages; one whose receipt is no longer valid stays, to be received again.

        :return: how many were deleted.
        """
        deleted = 0
        receipts = list({message.id: message.receipt_handle for message in messages}.values())
        for start in range(0, len(receipts), A_CALL):
            entries = [
                {"Id": str(n), "ReceiptHandle": receipt} for n, receipt in enumerate(receipts[start : start + A_CALL])
            ]
            answer = self._call("DeleteMessageBatch", Entries=entries)
            deleted += len(answer.get("Successful", []))
            for failure in answer.get("Failed", []):
                self.log.warning("A message was not deleted and will come again: %s", failure.get("Message"))
        return deleted

    def send(self, body: str, attributes: Mapping[str, str]) -> None:
        """Send a message; attributes are cut, and cleaned of what SQS does not take."""
        clean = {name: _NOT_IN_ATTRIBUTES.sub("?", value)[:LONGEST_ATTRIBUTE] for name, value in attributes.items()}
        typed = {name: {"DataType": "String", "StringValue": text} for name, text in clean.items() if text}
        self._call("SendMessage", MessageBody=body, MessageAttributes=typed)

    def _call(self, operation: str, **arguments: Any) -> Any:
        try:
            return getattr(self.client, xform_name(operation))(QueueUrl=self.queue_url, **arguments)
        except (ClientError, BotoCoreError) as error:
            raise QueueError(
                f"SQS did not do {operation} on {self.queue_url}: {error}. {self.setting} names "
                f"the queue; correct it there, or allow sqs:{operation.removesuffix('Batch')} on it to the "
                f"identity of the Airflow connection '{self.aws_conn_id}'."
            ) from error


def _message(value: Mapping[str, Any]) -> Message:
    return Message(
        id=value["MessageId"],
        body=value["Body"],
        receipt_handle=value["ReceiptHandle"],
        receive_count=int(value.get("Attributes", {}).get("ApproximateReceiveCount", 1)),
    )

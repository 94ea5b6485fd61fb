# SPDX-License-Identifier: Apache-2.0
"""JSON-RPC over HTTP, with batches and time-outs; what a node does not answer is LEDGER_UNAVAILABLE."""

import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from functools import cached_property
from itertools import count
from types import TracebackType
from typing import Any, Self

import httpx
import msgspec

from stoken.errors import LedgerUnavailableError

#: A method and its parameters.
Call = tuple[str, Sequence[object]]
#: What a node answers: JSON as it came.
Json = Any

_OK = 200
_TOO_LARGE = 413
_INVALID_REQUEST = -32600


class OversizedError(LedgerUnavailableError):
    """The node finds the request or its own answer too large: less may be had by asking for less."""


class TimedOutError(OversizedError):
    """The node took too long, which may be because of the size of its answer."""


class NodeError(LedgerUnavailableError):
    """The node answered with a JSON-RPC error; `data` holds revert data where there is some."""

    def __init__(self, rpc_code: int, message: str, data: Json = None) -> None:
        """Take the error object's members."""
        super().__init__(f"the node answers {rpc_code}: {message}", {"rpc_code": rpc_code})
        self.rpc_code = rpc_code
        self.rpc_message = message
        self.data = data


class RpcClient:
    """A node's endpoint; safe to use from several threads."""

    def __init__(
        self,
        url: str,
        timeout: float = 10,
        batch_size: int = 200,
        auth: httpx.Auth | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Take the endpoint, what signs requests, and what carries them there (by default HTTP).

        Nothing is sent before the first call.
        """
        self.url = url
        self._batch_size = batch_size
        self._timeout = timeout
        headers = {"content-type": "application/json"}
        self._client = httpx.Client(timeout=timeout, headers=headers, auth=auth, trust_env=False, transport=transport)
        self._extensions = {"timeout": self._client.timeout.as_dict()}
        self._ids = count(1)

    def call(self, method: str, *params: object) -> Json:
        """Return the result of one call; raises NodeError where the node answers with an error."""
        answer = self._post({"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params})
        result = _result(answer)
        if isinstance(result, NodeError):
            raise result
        return result

    def batch(self, calls: Iterable[Call]) -> list[Json]:
        """Return the results in the order of the calls; raises the first error among them."""
        results = self.batch_each(calls)
        for result in results:
            if isinstance(result, NodeError):
                raise result
        return results

    def batch_each(self, calls: Iterable[Call]) -> list[Json | NodeError]:
        """Return for each call its result or the NodeError that the node answered."""
        pending = list(calls)
        results: list[Json | NodeError] = []
        while len(results) < len(pending):
            if self._batch_size == 1:
                return results + [self._call_each(method, params) for method, params in pending[len(results) :]]
            part = pending[len(results) : len(results) + self._batch_size]
            try:
                results += self._one_batch(part)
            except (NodeError, OversizedError) as error:
                if not _refuses_batch(error):
                    raise
                # Refused as a whole: nothing of it was done, and the node may take a smaller one, or single calls.
                self._batch_size = max(1, len(part) // 2)
        return results

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _call_each(self, method: str, params: Sequence[object]) -> Json | NodeError:
        try:
            return self.call(method, *params)
        except NodeError as error:
            return error

    def _one_batch(self, calls: list[Call]) -> list[Json | NodeError]:
        ids = [next(self._ids) for _ in calls]
        body = [
            {"jsonrpc": "2.0", "id": identifier, "method": method, "params": params}
            for identifier, (method, params) in zip(ids, calls, strict=True)
        ]
        answers = self._post(body)
        if not isinstance(answers, list):  # a batch refused as a whole comes back as one object
            raise _refused(answers)
        by_id = {answer.get("id"): _result(answer) for answer in answers if isinstance(answer, dict)}
        if any(identifier not in by_id for identifier in ids):
            raise _refused(answers[0] if answers else None)
        return [by_id[identifier] for identifier in ids]

    def _post(self, body: object) -> Json:
        try:
            status, content = self._exchange(msgspec.json.encode(body))
        except (httpx.ReadTimeout, httpx.RemoteProtocolError) as error:
            raise TimedOutError(f"no answer from the node at {self.url}: {type(error).__name__}") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise LedgerUnavailableError(f"no answer from the node at {self.url}: {type(error).__name__}") from error
        if status == _TOO_LARGE:
            raise OversizedError(f"the node at {self.url} finds the request too large")
        try:
            answer = msgspec.json.decode(content)
        except msgspec.DecodeError as error:
            raise LedgerUnavailableError(f"the node at {self.url} answers HTTP {status}") from error
        if status != _OK and not (isinstance(answer, dict) and answer.get("error")):
            raise LedgerUnavailableError(f"the node at {self.url} answers HTTP {status}")
        return answer

    @cached_property
    def _target(self) -> httpx.URL:
        return httpx.URL(self.url)

    def _exchange(self, content: bytes) -> tuple[int, bytes]:
        """Post and return status and answer; the time-out holds for each wait, and again for all of them together."""
        ends_at = time.monotonic() + self._timeout
        # What the client's own `stream` does, less what it merges anew each time: that took longer than the rest.
        request = httpx.Request(
            "POST", self._target, headers=self._client.headers, content=content, extensions=self._extensions
        )
        with closing(self._client.send(request, stream=True)) as response:
            parts = []
            for part in response.iter_bytes():
                parts.append(part)
                if time.monotonic() > ends_at:
                    raise httpx.ReadTimeout("the answer trickles", request=response.request)
            return response.status_code, b"".join(parts)


def _result(answer: Json) -> Json | NodeError:
    if not isinstance(answer, dict):
        raise LedgerUnavailableError("the node answers with something else than JSON-RPC")
    error = answer.get("error")
    if error is None:
        return answer.get("result")
    if not isinstance(error, dict):
        return NodeError(0, str(error))
    return NodeError(int(error.get("code") or 0), str(error.get("message", "")), error.get("data"))


def _refuses_batch(error: NodeError | OversizedError) -> bool:
    if isinstance(error, NodeError):
        return error.rpc_code == _INVALID_REQUEST or "batch" in error.rpc_message.lower()
    return not isinstance(error, TimedOutError)


def _refused(answer: Json) -> LedgerUnavailableError:
    result = _result(answer)
    return result if isinstance(result, NodeError) else LedgerUnavailableError("the node leaves calls of a batch out")

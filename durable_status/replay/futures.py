"""What the host awaits while it replays an action list: tasks that settle when history says so.

A future has no value, because the host never needs one: it settles, and it has succeeded or not. Coroutines are driven
without an event loop: settling a future resumes, at once and in order, everything that waits for it. That is how the
platform's synchronous scheduler behaves, and the ids of decisions depend on it.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator, Sequence


class Future:
    """Settles once, as a success or a failure."""

    __slots__ = ("_succeeded", "_waiting")

    def __init__(self) -> None:
        self._succeeded: bool | None = None
        self._waiting: list[Callable[[], None]] = []

    @classmethod
    def settled(cls, succeeded: bool) -> Future:
        """A future that has settled already."""
        future = cls()
        future._succeeded = succeeded
        return future

    @property
    def succeeded(self) -> bool | None:
        """Whether it succeeded; None while it has not settled."""
        return self._succeeded

    def settle(self, succeeded: bool) -> None:
        """Settle and resume everything that waits; a second call has no effect."""
        if self._succeeded is not None:
            return
        self._succeeded = succeeded
        waiting, self._waiting = self._waiting, []
        for resume in waiting:
            resume()

    def when_settled(self, resume: Callable[[], None]) -> None:
        """Call `resume` on settling, or now if that has happened."""
        if self._succeeded is None:
            self._waiting.append(resume)
        else:
            resume()

    def __await__(self) -> Generator[Future, None, bool]:
        """Wait until it settles; the value says whether it succeeded."""
        if self._succeeded is None:
            yield self
        return bool(self._succeeded)


def start(coroutine: Coroutine[Future, None, bool]) -> Future:
    """Drive `coroutine` as far as its futures have settled, now and whenever one settles."""
    finished = Future()

    def advance() -> None:
        try:
            awaited = coroutine.send(None)
        except StopIteration as stop:
            finished.settle(stop.value)
        else:
            awaited.when_settled(advance)

    advance()
    return finished


def when_all(futures: Sequence[Future]) -> Future:
    """Settle when all have; succeed if all did."""

    async def wait() -> bool:
        return all([await future for future in futures])

    return start(wait())


def when_any(futures: Sequence[Future]) -> Future:
    """Settle with the first, whether it succeeded or not."""
    first = Future()
    for future in futures:
        future.when_settled(lambda: first.settle(True))
    return first

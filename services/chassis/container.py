"""nameko's service container without its per-call costs: no call-stack strings, no timers, no unused
hooks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from greenlet import GreenletExit
from nameko.containers import ServiceContainer, WorkerContext
from nameko.exceptions import ContainerBeingKilled
from nameko.extensions import DependencyProvider, Entrypoint

from services.chassis import context
from services.chassis.logs import log
from services.chassis.tracing import span
from services.chassis.workers import Workers

CONTEXT = "concordat"
"""Where a worker's context data holds the `Context` of the call that it serves."""

HandleResult = Callable[[WorkerContext, Any, Any], tuple[Any, Any]]


def _overrides(provider: DependencyProvider, hook: str) -> bool:
    return getattr(type(provider), hook) is not getattr(DependencyProvider, hook)


class Container(ServiceContainer):  # type: ignore[misc]
    """Keeps nameko's lifecycle: inject, set up, run, handle the result, report it, tear down."""

    def __init__(self, service_cls: type, config: dict[str, Any]) -> None:
        super().__init__(service_cls, config)
        self._hooks = {
            hook: [provider for provider in self.dependencies if _overrides(provider, hook)]
            for hook in ("worker_setup", "worker_result", "worker_teardown")
        }
        self._worker_pool = Workers(self._worker_failed)

    def spawn_worker(
        self,
        entrypoint: Entrypoint,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        context_data: dict[str, Any] | None = None,
        handle_result: HandleResult | None = None,
    ) -> WorkerContext:
        """Run the method of `entrypoint` in a worker. Raises ContainerBeingKilled."""
        if self._being_killed:
            raise ContainerBeingKilled
        worker_ctx = WorkerContext(self, self.service_cls(), entrypoint, args, kwargs, data=context_data)
        self._worker_pool.spawn(partial(self._run_worker, worker_ctx, handle_result))
        return worker_ctx

    def _kill_worker_threads(self) -> None:
        if killed := self._worker_pool.kill():
            log.warning("workers_killed", count=killed)

    def _worker_failed(self, problem: BaseException) -> None:
        """A method's error is an answer. What comes here is a defect: the process ends, to start anew."""
        log.error("worker_failed", exc_info=problem)
        self.kill((type(problem), problem, problem.__traceback__))

    def _run_worker(self, worker_ctx: WorkerContext, handle_result: HandleResult | None) -> None:
        serving = worker_ctx.data.pop(CONTEXT, None)
        if serving is None:
            self._run(worker_ctx, handle_result)
            return
        name = f"{self.service_name}.{worker_ctx.entrypoint.method_name}"
        with span(name, serving.traceparent) as traceparent:
            context.enter(serving.traced(traceparent))
            self._run(worker_ctx, handle_result)

    def _run(self, worker_ctx: WorkerContext, handle_result: HandleResult | None) -> None:
        result = exc_info = None
        try:
            self._inject_dependencies(worker_ctx)
            for provider in self._hooks["worker_setup"]:
                provider.worker_setup(worker_ctx)
            method = getattr(worker_ctx.service, worker_ctx.entrypoint.method_name)
            result = method(*worker_ctx.args, **worker_ctx.kwargs)
        except GreenletExit:  # the container is being killed
            raise
        except BaseException as problem:  # eventlet's Timeout is no Exception, and must be answered too (N3)
            exc_info = sys.exc_info()
            self._log(worker_ctx, problem)
        if handle_result is not None:
            result, exc_info = handle_result(worker_ctx, result, exc_info)
        self._tell("worker_result", worker_ctx, result, exc_info)
        del exc_info  # breaks the cycle through the traceback's frame
        self._tell("worker_teardown", worker_ctx)

    def _tell(self, hook: str, *told: Any) -> None:
        """The call is answered: what fails from here on must not stop the process."""
        for provider in self._hooks[hook]:
            try:
                getattr(provider, hook)(*told)
            except Exception as problem:
                log.error("hook_failed", step=hook, exc_info=problem)

    @staticmethod
    def _log(worker_ctx: WorkerContext, problem: BaseException) -> None:
        """Expected refusals are a line, the rest a trace without values."""
        method = worker_ctx.entrypoint.method_name
        if isinstance(problem, worker_ctx.entrypoint.expected_exceptions):
            log.info("refused", method=method, code=getattr(problem, "code", None))
        else:
            log.error("failed", method=method, exc_info=problem)

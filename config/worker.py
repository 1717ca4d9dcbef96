"""The gunicorn worker: reads requests outside of its threads, so slow clients occupy none."""

from __future__ import annotations

import selectors
import socket
import time
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any

from django.conf import settings
from gunicorn import http, util
from gunicorn.http.body import ChunkedReader
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader
from gunicorn.workers.gthread import TConn, ThreadWorker

REQUEST_SECONDS = 10.0  # for a whole request, headers and body
LINGER_SECONDS = 2.0  # for a client to read its last answer
MAX_HEAD = 64 * 1024
# What a worker holds of unfinished requests. Beyond it, only small requests are read.
MAX_MEMORY = 64 * 1024 * 1024
SMALL = 64 * 1024


@dataclass
class Incoming:
    """A request that is being read."""

    data: bytearray
    deadline: float = field(default_factory=lambda: time.monotonic() + REQUEST_SECONDS)
    size: int | None = None  # of headers and body, once the headers are complete


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn is not annotated
    """A thread gets a connection only when its request is complete in memory.

    gunicorn's own gthread reads headers and bodies in the threads, without a deadline: as many
    slow clients as there are threads stop it, and its `timeout` does not notice.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.incoming: dict[TConn, Incoming] = {}
        self.closing: dict[TConn, float] = {}

    def enqueue_req(self, conn: TConn) -> None:
        """Read the next request of a connection, starting with the bytes already received."""
        rest = conn.parser.unreader.take_buffered() if conn.parser else b""
        conn.sock.setblocking(False)
        self.incoming[conn] = Incoming(bytearray(rest))
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.receive, conn))
        if rest:
            self.proceed(conn)

    def receive(self, conn: TConn, sock: socket.socket) -> None:
        """Add what the client sent to its request."""
        try:
            data = sock.recv(SMALL)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:  # the client has closed the connection
            self.stop_reading(conn)
            self.nr_conns -= 1
            conn.close()
            return
        self.incoming[conn].data += data
        self.proceed(conn)

    def proceed(self, conn: TConn) -> None:
        """Give the connection to a thread if its request is complete, or refuse it."""
        incoming = self.incoming[conn]
        data = incoming.data
        if incoming.size is None:
            end = data.find(b"\r\n\r\n", 0, MAX_HEAD)
            if end < 0:
                if len(data) >= MAX_HEAD:
                    self.refuse(conn, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
                return
            head = bytes(data[: end + 4])
            try:
                request = Request(self.cfg, IterUnreader([head]), conn.client)
            except Exception:  # the thread gets the same error and answers it
                self.hand_over(conn, close=True)
                return
            if isinstance(request.body.reader, ChunkedReader):
                # Django reads no body without a Content-Length: it would treat it as empty.
                self.refuse(conn, HTTPStatus.LENGTH_REQUIRED)
                return
            length = request.body.reader.length
            if length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
                # The application refuses it by its Content-Length. The body is not read.
                self.hand_over(conn, close=True)
                return
            incoming.size = len(head) + length
            if request._expected_100_continue and len(data) < incoming.size:
                with suppress(OSError):
                    conn.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if len(data) >= incoming.size:
            self.hand_over(conn)
        elif len(data) > SMALL and sum(len(i.data) for i in self.incoming.values()) > MAX_MEMORY:
            self.refuse(conn, HTTPStatus.SERVICE_UNAVAILABLE)

    def hand_over(self, conn: TConn, *, close: bool = False) -> None:
        """Let a thread answer. It reads only from memory, and never waits for the client."""
        data = self.stop_reading(conn).data
        pieces = [b"", bytes(data)]
        del data
        # Not an iterator over a list, which would keep the data until the next request.
        conn.parser = http.get_parser(self.cfg, iter(pieces.pop, b""), conn.client)
        conn.initialized = conn.data_ready = True
        conn.close_after = close
        super().enqueue_req(conn)

    def handle_request(self, req: Any, conn: TConn) -> Any:
        """Answer the request, with `Connection: close` if its body was not read."""
        if conn.close_after:
            req.force_close()
        try:
            return super().handle_request(req, conn)
        finally:
            conn.parser.finish_body()  # a body that nobody read would stay with its request

    def _keepalive_after(self, conn: TConn, keepalive: bool) -> bool:
        # The body is in memory. gunicorn's limit on unread bodies would close a connection whose
        # response has announced keep-alive.
        return bool(keepalive and conn.parser.finish_body())

    def finish_request(self, conn: TConn, fs: Future[Any]) -> None:
        """Keep the connection for the next request, or end it."""
        if fs.cancelled() or fs.exception() or not fs.result():
            self.hang_up(conn)
        else:
            super().finish_request(conn, fs)

    def stop_reading(self, conn: TConn) -> Incoming:
        """Take the connection from the poller; return the bytes received."""
        self.poller.unregister(conn.sock)
        return self.incoming.pop(conn)

    def refuse(self, conn: TConn, status: HTTPStatus) -> None:
        """Send an error response without the application, and end the connection."""
        from .monitoring.metrics import count_failure  # noqa: PLC0415  # its models have to be ready

        self.stop_reading(conn)
        self.log.info("%d %s", status, status.phrase)
        count_failure(status)
        with suppress(OSError):
            util.write_error(conn.sock, status.value, status.phrase, "")
        self.hang_up(conn)

    def hang_up(self, conn: TConn) -> None:
        """End the connection, but leave the client time to read its response.

        Closing a socket with unread data resets the connection, and the response is lost. gunicorn
        drains it in its main loop, and all other clients wait.
        """
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.discard, conn))
        except OSError:
            self.nr_conns -= 1
            conn.close()
        else:
            self.closing[conn] = time.monotonic() + LINGER_SECONDS

    def discard(self, conn: TConn, sock: socket.socket) -> None:
        """Discard data that arrives on a connection that has ended."""
        try:
            ended = not sock.recv(SMALL)
        except BlockingIOError:
            return
        except OSError:
            ended = True
        if ended:
            self.end(conn)

    def end(self, conn: TConn) -> None:
        """Close the socket."""
        del self.closing[conn]
        self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()

    def murder_pending(self) -> None:
        """Refuse requests that were not complete in time. The main loop calls this each time."""
        now = time.monotonic()
        for conn, incoming in list(self.incoming.items()):
            if incoming.deadline > now:
                continue
            if incoming.data:
                self.refuse(conn, HTTPStatus.REQUEST_TIMEOUT)
            else:  # a browser opens connections in advance
                self.stop_reading(conn)
                self.hang_up(conn)
        for conn in [conn for conn, deadline in self.closing.items() if deadline <= now]:
            self.end(conn)

    def close_listeners(self) -> None:
        """Accept the connections that are waiting, and refuse all later ones.

        gunicorn keeps its listeners open until the last request is answered: new clients connect,
        are never accepted, and get a reset. After SIGHUP, the master and the new workers keep the
        same socket open.
        """
        for listener in self.sockets:
            before = -1
            with suppress(OSError):  # too many open files: accepted requests are still answered
                while before < self.nr_conns < self.worker_connections:
                    before = self.nr_conns
                    self.accept(listener)
            listener.close()

    def _cap_keepalive(self, deadline: float) -> None:
        # At the start of a graceful stop. Do not wait for a request that has not begun.
        self.close_listeners()
        super()._cap_keepalive(deadline)
        for incoming in self.incoming.values():
            if not incoming.data:
                incoming.deadline = min(incoming.deadline, deadline)

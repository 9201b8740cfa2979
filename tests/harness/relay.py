"""A port between a server and those who ask it: it can be cut, as a pulled cable does it, or be slow."""

import asyncio
import enum
import socket
import threading


class Then(enum.Enum):
    """What comes after a piece: more, the end of the connection, or nothing at all."""

    GO_ON, CLOSE, STALL = range(3)


class Relay:
    """Listens at `host` and passes all to `target`, a (host, port). Runs in a thread of its own; a context manager.

    While cut, nothing comes through in either direction and nothing is refused: connections that there are stand still,
    and new ones are not taken. `delay` seconds are how long each piece is on its way.
    """

    def spoil(self, piece):
        """What of a piece of the server's answer is passed on, and what comes then; runs in the relay's thread."""
        return piece, Then.GO_ON

    def __init__(self, host, target):
        self.host, self.target = host, target
        self.delay = 0.0
        self.port = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._tasks = set()

    def __enter__(self):
        self._thread.start()
        self._call(self._listen())
        return self

    def __exit__(self, *exc):
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def cut(self):
        self._loop.call_soon_threadsafe(self._whole.clear)
        self._socket.listen(1)  # what is over it gets no answer

    def mend(self):
        self._socket.listen(128)
        self._loop.call_soon_threadsafe(self._whole.set)

    def _call(self, task):
        return asyncio.run_coroutine_threadsafe(task, self._loop).result(10)

    def _spawn(self, task):
        task = self._loop.create_task(task)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _listen(self):
        self._whole = asyncio.Event()
        self._whole.set()
        self._socket = socket.socket()
        self._socket.setblocking(False)
        self._socket.bind((self.host, 0))
        self._socket.listen(128)
        self.port = self._socket.getsockname()[1]
        self._spawn(self._accept())

    async def _close(self):
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._socket.close()

    async def _accept(self):
        while True:
            await self._whole.wait()
            client, _ = await self._loop.sock_accept(self._socket)
            self._spawn(self._serve(client))

    async def _serve(self, client):
        reader, writer = await asyncio.open_connection(sock=client)
        try:
            behind, ahead = await asyncio.open_connection(*self.target)
        except OSError:
            writer.transport.abort()
            return
        try:
            await asyncio.gather(self._pass(reader, ahead), self._pass(behind, writer, self.spoil))
        except OSError:
            pass
        finally:
            for end in (writer, ahead):
                end.transport.abort()

    async def _pass(self, reader, writer, spoil=None):
        while piece := await reader.read(65536):
            if self.delay:
                await asyncio.sleep(self.delay)
            await self._whole.wait()
            then = Then.GO_ON
            if spoil is not None:
                piece, then = spoil(piece)
            writer.write(piece)
            await writer.drain()
            if then is Then.CLOSE:
                raise ConnectionResetError
            if then is Then.STALL:
                await reader.read()  # until the server ends it
                return
        await self._whole.wait()
        if writer.can_write_eof():
            writer.write_eof()

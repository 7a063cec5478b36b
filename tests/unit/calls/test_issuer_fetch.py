"""What an issuer shows is read within a time and a size, however it comes."""

import asyncio

import pytest

from traffic_tacos.calls import authentication
from traffic_tacos.calls.authentication import ISSUER_BYTES_MAX, fetch_json


async def shown(answer, monkeypatch):
    """What is read of a server that answers so."""

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n")
        try:
            await answer(writer)
        finally:
            writer.close()

    monkeypatch.setattr(authentication, "ISSUER_SECONDS", 0.5)
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        return await fetch_json(f"http://127.0.0.1:{port}/keys")


async def test_an_issuer_that_drips_is_given_up(monkeypatch):
    async def drip(writer):
        for _ in range(100):
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.1)

    with pytest.raises(TimeoutError):
        await shown(drip, monkeypatch)


async def test_an_issuer_that_shows_too_much_is_given_up(monkeypatch):
    async def much(writer):
        writer.write(b" " * (ISSUER_BYTES_MAX + 1))
        await writer.drain()

    with pytest.raises(ValueError, match="more than"):
        await shown(much, monkeypatch)


async def test_an_issuer_that_answers_is_read(monkeypatch):
    async def answer(writer):
        writer.write(b'{"keys": []}')
        await writer.drain()

    assert await shown(answer, monkeypatch) == {"keys": []}

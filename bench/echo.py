"""A bare echo: what the server alone costs. `python -m bench.echo native|grpcio|uvloop HOST:PORT`.

`native` is the yardstick of all tables: pygrpc-native's own server on asyncio's own event loop, so that figures of
different times compare; the platform has another on the same library (transport/native_server.py).
`uvloop` is the same server on the event loop that the platform runs on.
"""

import asyncio
import sys

import grpc
import pygrpc_native.aio
import uvloop

from traffic_tacos.transport.grpc_server import server_options

PATH = "/bench.Echo/Say"


async def serve(kind: str, address: str) -> None:
    async def say(request: bytes, context: grpc.aio.ServicerContext) -> bytes:
        return request

    options = [*server_options(10.0), ("grpc.so_reuseport", 0)]
    server = grpc.aio.server(options=options) if kind == "grpcio" else pygrpc_native.aio.server(options=options)
    handlers = {"Say": grpc.unary_unary_rpc_method_handler(say)}
    server.add_registered_method_handlers("bench.Echo", handlers)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bench.Echo", handlers),))
    server.add_insecure_port(address)
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    run = uvloop.run if sys.argv[1] == "uvloop" else asyncio.run
    run(serve(*sys.argv[1:3]))

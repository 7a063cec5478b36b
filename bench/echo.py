"""A bare echo: what the server alone costs. `python -m bench.echo native|grpcio|uvloop HOST:PORT`.

`native` is the yardstick of all tables, on asyncio's own event loop, so that figures of different times compare.
`uvloop` is the same server on the event loop that the platform runs on.
"""

import asyncio
import sys

import grpc
import uvloop

from traffic_tacos.transport.grpc_server import grpc_server

PATH = "/bench.Echo/Say"


async def serve(kind: str, address: str) -> None:
    async def say(request: bytes, context: grpc.aio.ServicerContext) -> bytes:
        return request

    server = grpc_server("native" if kind == "uvloop" else kind, 10.0)
    handlers = {"Say": grpc.unary_unary_rpc_method_handler(say)}
    server.add_registered_method_handlers("bench.Echo", handlers)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bench.Echo", handlers),))
    server.add_insecure_port(address)
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    run = uvloop.run if sys.argv[1] == "uvloop" else asyncio.run
    run(serve(*sys.argv[1:3]))

"""A bare echo: what the server alone costs. `python -m bench.echo native|grpcio HOST:PORT`."""

import asyncio
import sys

import grpc

from traffic_tacos.transport.grpc_server import grpc_server

PATH = "/bench.Echo/Say"


async def serve(kind: str, address: str) -> None:
    async def say(request: bytes, context: grpc.aio.ServicerContext) -> bytes:
        return request

    server = grpc_server(kind, 10.0)
    handlers = {"Say": grpc.unary_unary_rpc_method_handler(say)}
    server.add_registered_method_handlers("bench.Echo", handlers)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bench.Echo", handlers),))
    server.add_insecure_port(address)
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:3]))
